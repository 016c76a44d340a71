"""Reading an attachment as text: which kinds can be, and the process apart that does it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Final

import msgspec

from agentconsole.desk import Agent, Desk
from agentconsole.domain.model import Attachment, CustomerId
from agentconsole.files.incoming import parts
from agentconsole.text.sanitise import sanitise

DEADLINE: Final = 15.0
"""Seconds for one file, the start of the process included."""

SHOWN: Final = 200_000
_LARGEST: Final = 60_000_000

_BY_TYPE: Final = {
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "text/html": "html",
    "application/json": "text",
    "application/xml": "text",
    "message/rfc822": "text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.text": "opendocument",
    "application/vnd.oasis.opendocument.spreadsheet": "opendocument",
    "application/vnd.oasis.opendocument.presentation": "opendocument",
}
_BY_ENDING: Final = {
    "pdf": "pdf",
    "zip": "zip",
    "jar": "zip",
    "htm": "html",
    "html": "html",
    "docx": "docx",
    "docm": "docx",
    "pptx": "pptx",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "odt": "opendocument",
    "ods": "opendocument",
    "odp": "opendocument",
} | dict.fromkeys(
    ("txt", "csv", "tsv", "log", "md", "eml", "json", "xml", "yaml", "yml", "ini", "toml", "ics", "vcf"), "text"
)
_PICTURES: Final = frozenset(["png", "jpg", "jpeg", "gif", "webp", "bmp"])


class Looked(msgspec.Struct, frozen=True):
    """What a file says, safe for a terminal; ``why`` where it says nothing (``look_worker.Seen``, or ``failed``)."""

    text: str = ""
    cut: bool = False
    why: str = ""


def kind_of(attachment: Attachment) -> str:
    """Return how a file is read as text; empty where it is not."""
    kind = _BY_TYPE.get(attachment.type.lower())
    if kind is None and attachment.type.lower().startswith("text/"):
        kind = "text"
    return kind or _BY_ENDING.get(_ending(attachment), "")


def is_picture(attachment: Attachment) -> bool:
    named = attachment.type.lower().removeprefix("image/")
    return named in _PICTURES or _ending(attachment) in _PICTURES


def _ending(attachment: Attachment) -> str:
    return attachment.name.rpartition(".")[2].strip().lower()


async def look(desk: Desk, who: Agent, customer: CustomerId, attachment: Attachment) -> Looked:
    """Return what an attachment says. Its bytes are understood in a process that may die of them.

    Raises:
        NotFound: the hub did not keep the file.
    """
    kind = kind_of(attachment)
    if not kind:
        return Looked(why="unknown")
    if attachment.size > _LARGEST:
        return Looked(why="too_large")
    data = b"".join([part async for part in parts(desk, who, customer, attachment)])
    return await read(kind, data)


async def read(kind: str, data: bytes) -> Looked:
    """Ask a process apart what some bytes say."""
    from agentconsole.files.look_worker import Seen

    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agentconsole.files.look_worker",
            kind,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return Looked(why="failed")
    try:
        async with asyncio.timeout(DEADLINE):
            answer, _ = await process.communicate(data)
        found = msgspec.msgpack.decode(answer, type=Seen)
    except TimeoutError:
        return Looked(why="too_slow")
    except (OSError, msgspec.DecodeError):
        return Looked(why="failed")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Looked(sanitise(found.text, limit=SHOWN), found.cut, found.why)
