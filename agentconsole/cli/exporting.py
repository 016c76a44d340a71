"""``customer export``: one folder with everything that is kept of a customer, readable without this program.

The client asks page by page and writes under its own account; the hub opens no path that anybody names.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import msgspec

from agentconsole.cli import transcript
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.cli.reading import CUT, in_clear
from agentconsole.desk import Agent, Desk, TimelinePage
from agentconsole.domain.entries import (
    AnyEntry,
    Note,
    Received,
    Redacted,
    Reply,
    Unreadable,
)
from agentconsole.domain.model import (
    BlobId,
    CustomerId,
    DeliveryRecord,
    EntryId,
    Value,
)
from agentconsole.errors import AgentConsoleError, NotFound, Refused, UsageError
from agentconsole.text.sanitise import ascii_json_escape, one_line, safe_filename

FORMAT: Final = "agentconsole customer export 1"
PAGE: Final = 200
CHUNK: Final = 512 * 1024
TEXT_PART: Final = 100_000
UNFINISHED: Final = "INCOMPLETE"
"""A file that lies in the folder until everything else does."""


class Kept(Value, frozen=True):
    """One entry of the export, with what became of it and where its files lie."""

    entry: AnyEntry
    delivery: DeliveryRecord | None = None
    removed: Redacted | None = None
    files: tuple[str, ...] = ()
    """Paths within the folder, in the order of the entry's attachments; empty where one was not kept."""
    raw: str = ""


@dataclass
class Folder:
    """The folder under construction. Every file is new: a name that exists already is an error, not a target."""

    path: Path
    entries: int = 0
    files: int = 0
    missing: list[str] = field(default_factory=list)

    def open(self, name: str) -> IO[bytes]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        return os.fdopen(os.open(self.path / name, flags, 0o600), "wb")

    def begin(self) -> None:
        """Make the folder.

        Raises:
            UsageError: something lies there already, or it cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise UsageError(f"{self.path} is not empty. Nothing was written.", "Name a new folder.")
            self.open(UNFINISHED).close()
            for name in ("attachments", "raw", ".pages"):
                (self.path / name).mkdir(mode=0o700)
        except OSError as exc:
            raise UsageError(f"{self.path} cannot be used: {exc.strerror}. Nothing was written.", "") from exc

    def keep_page(self, number: int, kept: list[Kept]) -> None:
        with self.open(f".pages/{number:06d}") as file:
            for one in kept:
                file.write(msgspec.json.encode(one) + b"\n")

    def pages(self) -> Iterator[Kept]:
        """Give back all that was kept, oldest first, and let each page go."""
        decode = msgspec.json.Decoder(Kept).decode
        for page in sorted((self.path / ".pages").iterdir(), reverse=True):
            with page.open("rb") as file:
                for line in file:
                    yield decode(line)
            page.unlink()
        (self.path / ".pages").rmdir()

    def end(self) -> None:
        (self.path / UNFINISHED).unlink()


def _fill_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="an id, an address or a unique name")
    parser.add_argument("folder", metavar="FOLDER", help="a new or an empty folder")
    parser.add_argument("--reveal", action="store_true", help="card and ID numbers in clear; right customer, audited")


async def export(context: Context) -> int:
    folder = Folder(Path(context.args.folder))
    try:
        return await _export(context, folder)
    except OSError as exc:
        raise AgentConsoleError(
            f"{folder.path} could not be written: {exc.strerror}. The export there is not whole.",
            "Remove that folder, make room, and export again.",
        ) from exc


async def _export(context: Context, folder: Folder) -> int:
    out, say = context.out, context.words.say
    async with context.desk() as (desk, who):
        customer = await desk.find(who, context.args.customer)
        page = await desk.timeline(who, customer, EntryId(""), PAGE)
        if page.closed:
            raise Refused(
                "The sender of the newest message is not verified, so the history is closed. Nothing was exported.",
                f"To open it, noted in the audit trail: agentconsole show {customer} --open",
            )
        await asyncio.to_thread(folder.begin)
        newest = page
        number = 0
        while page.entries:
            kept = [await _kept(context, desk, who, entry, page, folder) for entry in page.entries]
            await asyncio.to_thread(folder.keep_page, number, kept)
            number += 1
            folder.entries += len(kept)
            out.talk(say("exporting", n=folder.entries))
            if not page.more:
                break
            page = await desk.timeline(who, customer, page.entries[0].id, PAGE)
    await asyncio.to_thread(_write, folder, newest, context, who)
    out.result(
        {
            "customer": customer,
            "folder": str(folder.path),
            "entries": folder.entries,
            "files": folder.files,
            "missing": len(folder.missing),
        },
        say("exported", folder=folder.path, entries=folder.entries, files=folder.files, missing=len(folder.missing)),
    )
    return 0


def _write(folder: Folder, page: TimelinePage, context: Context, who: Agent) -> None:
    with folder.open("entries.jsonl") as entries, folder.open("transcript.md") as script:
        script.write(transcript.head(page.customer, context.words, context.world.clock.now(), who.name).encode())
        day = ""
        for kept in folder.pages():
            entries.write(_plain(kept) + b"\n")
            today, text = transcript.entry(kept.entry, kept.delivery, kept.removed, kept.files, context.words)
            if text and today != day:
                day = today
                script.write(f"\n## {today}\n".encode())
            script.write(text.encode("utf-8", "replace"))
    with folder.open("customer.json") as file:
        about = {
            "format": FORMAT,
            "exported_at": context.world.clock.now(),
            "exported_by": who.name,
            "entries": folder.entries,
            "files": folder.files,
            "missing": len(folder.missing),
            "customer": page.customer,
            "suggestions": page.suggestions,
        }
        file.write(_safe(msgspec.json.format(msgspec.json.encode(about), indent=1)) + b"\n")
    with folder.open("missing.txt") as file:
        file.write("".join(f"{line}\n" for line in folder.missing).encode("utf-8", "replace"))
    folder.end()


def _plain(kept: Kept) -> bytes:
    fields = msgspec.to_builtins(kept.entry)
    if kept.delivery is not None:
        fields["delivery"] = msgspec.to_builtins(kept.delivery)
    if kept.removed is not None:
        fields["removed"] = msgspec.to_builtins(kept.removed)
    if kept.files:
        fields["files"] = list(kept.files)
    if kept.raw:
        fields["raw_file"] = kept.raw
    return _safe(msgspec.json.encode(fields))


def _safe(data: bytes) -> bytes:
    return ascii_json_escape(data.decode("utf-8")).encode("utf-8")


# -- one entry ----------------------------------------------------------------------------------------------


async def _kept(context: Context, desk: Desk, who: Agent, entry: AnyEntry, page: TimelinePage, folder: Folder) -> Kept:
    entry, customer = await _whole(desk, who, entry), page.customer.id
    masked = entry.id in page.masked
    if masked and context.args.reveal:
        entry, masked = await in_clear(context, desk, who, entry), False
    files: list[str] = []
    for number, part in enumerate(getattr(entry, "attachments", ()), 1):
        # The name in front is ours and makes it unique; what the sender called it only follows.
        name = f"attachments/{entry.id}-{number}-{safe_filename(part.name)}"
        label = f"{entry.id}: {one_line(part.name, 200)}"
        files.append(await _file(desk, who, customer, part.blob, name, label, folder))
    raw = ""
    blob = entry.raw if isinstance(entry, Received | Unreadable) else BlobId("")
    if blob and masked:
        folder.missing.append(context.words.say("raw_masked", id=entry.id))
    elif blob:
        ending = "eml" if getattr(entry, "medium", "") == "email" else "raw"
        raw = await _file(desk, who, customer, blob, f"raw/{entry.id}.{ending}", f"{entry.id}: raw", folder)
    return Kept(entry, page.states.get(entry.id), page.removed.get(entry.id), tuple(files), raw)


async def _whole(desk: Desk, who: Agent, entry: AnyEntry) -> AnyEntry:
    """Return an entry with all of its text."""
    if not isinstance(entry, Received | Reply | Note) or CUT not in entry.text[-40:]:
        return entry
    parts: list[str] = []
    read = 0
    while part := await desk.text(who, entry.id, read, TEXT_PART):
        parts.append(part)
        read += len(part)
    return msgspec.structs.replace(entry, text="".join(parts)) if parts else entry


async def _file(
    desk: Desk, who: Agent, customer: CustomerId, blob: BlobId, name: str, label: str, folder: Folder
) -> str:
    """Copy one file into the folder and return its path there; empty, and noted as missing, where it was not kept."""
    if not blob:
        folder.missing.append(label)
        return ""
    try:
        data = await desk.blob(who, customer, blob, 0, CHUNK)
    except NotFound:
        folder.missing.append(label)
        return ""
    with await asyncio.to_thread(folder.open, name) as file:
        read = 0
        while data:
            await asyncio.to_thread(file.write, data)
            read += len(data)
            data = await desk.blob(who, customer, blob, read, CHUNK) if len(data) == CHUNK else b""
    folder.files += 1
    return name


ACTIONS = {"export": ("everything of a customer into a folder", Command(export, _fill_export))}
