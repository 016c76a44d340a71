"""Files that go out with a reply: found, opened as the agent, and streamed to the hub in bounded parts.

The hub never opens a path that a client names: it may be another account, on whose behalf a file could be read that the
agent may not see.
"""

from __future__ import annotations

import asyncio
import errno
import mimetypes
import os
import pwd
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentconsole.desk import FILE_PART_BYTES, LARGEST_FILE, Agent, Desk
from agentconsole.domain.model import Attachment, CustomerId
from agentconsole.errors import TryLater
from agentconsole.files import names

FOLDER: Final = "agentconsole/outgoing"
"""The drop folder, from the agent's home: what is copied there from a laptop is offered first."""

MOST_OFFERED: Final = 200
_LOOKED_AT: Final = 5_000
_TRIES: Final = 3

_WHY: Final = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "unreadable",
    errno.EPERM: "unreadable",
    errno.ELOOP: "loop",
    errno.ENAMETOOLONG: "missing",
}

Progress = Callable[[int, int], None]
"""Told how many bytes of how many have gone."""


class Unusable(Exception):
    """A file that cannot be attached or written.

    Args:
        why: ``missing`` ``unreadable`` ``loop`` ``folder`` ``special`` ``too_large`` ``changed`` ``failed``; what to
            say of it is the caller's.
        name: which file, as it was named.
        detail: the system's own words, where there are any.
    """

    def __init__(self, why: str, name: str, detail: str = "") -> None:
        super().__init__(f"{name}: {why} {detail}".strip())
        self.why, self.name, self.detail = why, name, detail


SENTENCES: Final = {
    "missing": "{name} is not there.",
    "unreadable": "{name} may not be read or written by this account.",
    "loop": "{name} is a link that leads back to itself.",
    "folder": "{name} is a folder, not a file.",
    "special": "{name} is a pipe, a socket or a device, not a file.",
    "too_large": "{name} is larger than {limit} MB.",
    "changed": "{name} changed while it was read.",
    "failed": "{name} failed: {detail}.",
}
"""What a command says of a file that is not usable; the console has its own words in two languages."""


def sentence(fault: Unusable) -> str:
    return SENTENCES[fault.why].format(name=fault.name, detail=fault.detail, limit=LARGEST_FILE // 1_000_000)


def unusable(exc: OSError, name: str) -> Unusable:
    return Unusable(_WHY.get(exc.errno or 0, "failed"), name, exc.strerror or "")


@dataclass(frozen=True)
class Offered:
    """A file that can be attached: what is typed for it, what is shown, its size in bytes; -1 for a folder."""

    path: str
    shown: str
    size: int
    at: float = 0.0


def home() -> Path:
    return Path(os.path.expanduser("~"))


def drop_folder(base: Path | None = None) -> Path:
    """Return the folder that is offered first, made where it is not there yet (0700)."""
    folder = (base or home()) / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise unusable(exc, str(folder)) from exc
    return folder


def scp_line(environ: dict[str, str] | None = None) -> str:
    """Return the command that copies a file from where the agent sits into the drop folder."""
    return f"scp FILE {host(environ)}:{FOLDER}/"


def host(environ: dict[str, str] | None = None) -> str:
    """Return how this computer is reached: the address that the SSH session came to, else its name."""
    environ = dict(os.environ) if environ is None else environ
    parts = environ.get("SSH_CONNECTION", "").split()
    user = environ.get("USER") or environ.get("LOGNAME") or _login()
    at = os.uname().nodename
    if len(parts) == 4:
        at = f"[{parts[2]}]" if ":" in parts[2] else parts[2]
    return f"{user}@{at}" if user else at


def _login() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


def offered(typed: str, folder: Path) -> list[Offered]:
    """Return what can be meant by what was typed so far: the drop folder's files newest first, else a path's."""
    if "/" not in typed and not typed.startswith("~"):
        found = [one for one in _listed(folder, "") if one.size >= 0]
        found = [one for one in found if typed.casefold() in one.shown.casefold()]
        return sorted(found, key=lambda one: -one.at)[:MOST_OFFERED]
    written, _, begun = typed.rpartition("/")
    place = Path(os.path.expanduser(f"{written}/"))
    if not place.is_absolute():
        place = folder / place
    found = [one for one in _listed(place, f"{written}/") if one.shown.casefold().startswith(begun.casefold())]
    if not begun.startswith("."):
        found = [one for one in found if not one.shown.startswith(".")]
    return sorted(found, key=lambda one: (one.size >= 0, one.shown.casefold()))[:MOST_OFFERED]


def _listed(folder: Path, prefix: str) -> list[Offered]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _LOOKED_AT:
                    break
                try:
                    about = entry.stat()
                except OSError:
                    continue
                if stat.S_ISDIR(about.st_mode):
                    found.append(Offered(f"{prefix}{entry.name}/", f"{entry.name}/", -1, about.st_mtime))
                elif stat.S_ISREG(about.st_mode):
                    found.append(Offered(f"{prefix}{entry.name}", entry.name, about.st_size, about.st_mtime))
    except OSError:
        return []
    return found


def full_path(typed: str, folder: Path) -> Path:
    """Return what was typed as a path; a bare name is one of the drop folder."""
    path = Path(os.path.expanduser(typed))
    return path if path.is_absolute() else folder / path


@dataclass
class Opened:
    """An open file: its descriptor, the name and type that it goes by, and its size in bytes."""

    descriptor: int
    name: str
    type: str
    size: int

    def close(self) -> None:
        os.close(self.descriptor)


def opened(path: Path) -> Opened:
    """Open a file to be attached. What is opened is what was looked at, and a pipe never makes anybody wait.

    Raises:
        Unusable: it is not there, no file, not readable, or too large.
    """
    shown = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as exc:
        raise (unusable(exc, shown) if isinstance(exc, OSError) else Unusable("missing", shown)) from exc
    try:
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            raise Unusable("folder", shown)
        if not stat.S_ISREG(about.st_mode):
            raise Unusable("special", shown)
        if about.st_size > LARGEST_FILE:
            raise Unusable("too_large", shown)
        type_ = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Opened(descriptor, names.safe(path.name), type_, about.st_size)
    except BaseException:
        os.close(descriptor)
        raise


async def send(
    desk: Desk, who: Agent, request: str, customer: CustomerId, path: Path, progress: Progress | None = None
) -> Attachment:
    """Stream one file to the hub for a reply to a customer.

    Args:
        request: names this upload; parts of another one with the same name would be mixed with it.

    Raises:
        Unusable: the file cannot be attached.
    """
    file = await asyncio.to_thread(opened, path)
    try:
        for attempt in range(_TRIES):
            try:
                return await _stream(desk, who, f"{request}-{attempt}", customer, file, str(path), progress)
            except TryLater:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError
    finally:
        await asyncio.to_thread(file.close)


async def _stream(
    desk: Desk, who: Agent, request: str, customer: CustomerId, file: Opened, shown: str, progress: Progress | None
) -> Attachment:
    offset = 0
    while True:
        wanted = min(FILE_PART_BYTES, file.size - offset)
        try:
            data = await asyncio.to_thread(os.pread, file.descriptor, wanted, offset)
        except OSError as exc:
            raise unusable(exc, shown) from exc
        if len(data) < wanted and not data:
            raise Unusable("changed", shown)
        kept = await desk.attach_part(who, request, customer, file.name, file.type, file.size, offset, data)
        offset += len(data)
        if progress is not None:
            progress(offset, file.size)
        if kept is not None:
            return kept


def all_names(attachments: Sequence[Attachment]) -> str:
    """Return the files of a reply in one line."""
    return ", ".join(f"{names.safe(one.name)} ({names.size(one.size)})" for one in attachments)
