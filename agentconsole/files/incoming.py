"""Files that came with a message, saved on the agent's side: under a harmless name, readable by the agent alone, and
never over anything that is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from agentconsole.desk import FILE_PART_BYTES, Agent, Desk
from agentconsole.domain.model import Attachment, CustomerId
from agentconsole.files import names
from agentconsole.files.outgoing import Progress, Unusable, home, host, unusable

FOLDER: Final = "agentconsole/incoming"
"""Where files are saved, from the agent's home."""

_SAME_NAME: Final = 1_000


def folder_for(typed: str, base: Path | None = None) -> Path:
    """Return the folder that was asked for; nothing typed means the usual one."""
    base = base or home()
    if not typed.strip():
        return base / FOLDER
    path = Path(os.path.expanduser(typed.strip()))
    return path if path.is_absolute() else base / path


def scp_line(path: Path, environ: dict[str, str] | None = None) -> str:
    """Return the command that copies a saved file to where the agent sits."""
    quoted = str(path).replace("'", "'\\''")
    return f"scp '{host(environ)}:{quoted}' ."


async def parts(desk: Desk, who: Agent, customer: CustomerId, attachment: Attachment) -> AsyncIterator[bytes]:
    """Yield the bytes of an attachment in bounded parts."""
    offset = 0
    while offset < attachment.size:
        data = await desk.blob(who, customer, attachment.blob, offset, FILE_PART_BYTES)
        if not data:
            return
        yield data
        offset += len(data)


async def save(
    desk: Desk,
    who: Agent,
    customer: CustomerId,
    attachment: Attachment,
    folder: Path,
    progress: Progress | None = None,
) -> Path:
    """Save an attachment and return where it lies. A name that is taken gets a number; half a file does not stay.

    Raises:
        Unusable: the folder cannot be made or written.
        NotFound: the hub did not keep the file.
    """
    path, descriptor = await asyncio.to_thread(_created, folder, names.safe(attachment.name))
    done = False
    try:
        written = 0
        async for data in parts(desk, who, customer, attachment):
            await asyncio.to_thread(_write, descriptor, data, str(path))
            written += len(data)
            if progress is not None:
                progress(written, attachment.size)
        done = True
    finally:
        await asyncio.to_thread(_end, descriptor, path, keep=done)
    return path


def _created(folder: Path, name: str) -> tuple[Path, int]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, _SAME_NAME):
            path = folder / names.numbered(name, number)
            with contextlib.suppress(FileExistsError):
                return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as exc:
        raise Unusable("special", str(folder)) from exc
    except OSError as exc:
        raise unusable(exc, str(folder)) from exc
    raise Unusable("failed", str(folder / name), f"{_SAME_NAME} files of this name are there")


def _write(descriptor: int, data: bytes, shown: str) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError as exc:
        raise unusable(exc, shown) from exc


def _end(descriptor: int, path: Path, *, keep: bool) -> None:
    os.close(descriptor)
    if not keep:
        with contextlib.suppress(OSError):
            path.unlink()
