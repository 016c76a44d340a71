"""Drafts, blobs and the audit trail: small files of their own, each durable before its call returns."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain.model import AgentName, BlobId, ConversationId, CustomerId, Draft
from agentconsole.errors import StoreFault
from agentconsole.ports import AuditLine
from agentconsole.seams import Step, Steps
from agentconsole.store import codec, rules
from agentconsole.store.embedded import files
from agentconsole.store.embedded.head import shard
from agentconsole.store.embedded.sealed import opened, seal

log = logging.getLogger(__name__)

_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_TAIL: Final = 64 * 1024


class Drafts:
    """``drafts/<agent>/<conversation>.json``, of a note ``….note.json``.

    A damaged draft is moved out of the way and never blocks a new one.
    """

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder = folder
        self._steps = steps

    def _path(self, agent: AgentName, conversation: ConversationId, note: bool) -> Path:
        ending = ".note.json" if note else ".json"
        return self._folder / files.file_name(agent) / f"{files.file_name(conversation)}{ending}"

    def _read(self, path: Path) -> Draft | None:
        try:
            found: Draft = opened(path.read_bytes(), Draft)
            return found
        except FileNotFoundError:
            return None
        except ValueError:
            log.warning("a draft cannot be read and was kept as %s.damaged", path.name)
            with self._steps.durable(Step.DRAFT_DROP):
                files.move(path, path.with_name(path.name + ".damaged"))
            return None

    def save(self, draft: Draft) -> bool:
        path = self._path(draft.agent, draft.conversation, draft.note)
        kept = self._read(path)
        if kept is not None and kept.revision > draft.revision:
            return False
        with self._steps.durable(Step.DRAFT_WRITE):
            files.make_folder(path.parent)
            files.replace_file(path, seal(msgspec.json.encode(codec.whole(draft))))
        return True

    def all(self, agent: AgentName) -> list[Draft]:
        folder = self._folder / files.file_name(agent)
        found = [draft for path in folder.glob("*.json") if (draft := self._read(path)) is not None]
        return sorted(found, key=lambda draft: (draft.conversation, draft.note))

    def drop(self, agent: AgentName, conversation: ConversationId, revision: int, note: bool) -> None:
        path = self._path(agent, conversation, note)
        kept = self._read(path)
        if kept is not None and kept.revision <= revision:
            with self._steps.durable(Step.DRAFT_DROP):
                files.remove_file(path)


class Blobs:
    """``blobs/ab/<record>/<sha256>``: raw messages and attachments, named by what they hold."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder = folder
        self._steps = steps

    def put(self, record: CustomerId, data: bytes) -> BlobId:
        rules.check_id(record)
        blob = BlobId(hashlib.sha256(data).hexdigest())
        path = self._folder / shard(record) / record / blob
        with self._steps.durable(Step.BLOB_WRITE):
            files.make_folder(path.parent)
            if path.exists() and path.stat().st_size == len(data):
                files.sync_folder(path.parent)
            else:
                files.replace_file(path, data)
        return blob

    def get(self, record: CustomerId, blob: BlobId) -> bytes | None:
        """Return a file's bytes, or None where the record keeps none of this name.

        Raises:
            StoreFault: the bytes are not those that were put.
        """
        if not _BLOB.fullmatch(blob) or not rules.CUSTOMER_ID.fullmatch(record):
            return None
        with suppress(FileNotFoundError):
            data = (self._folder / shard(record) / record / blob).read_bytes()
            if hashlib.sha256(data).hexdigest() != blob:
                raise StoreFault(
                    f"The file {blob[:12]}… of customer {record} is damaged on disk. Nothing else is affected.",
                    "Take it from a backup, or from the message at the provider.",
                )
            return data
        return None


class Audit:
    """``audit/YYYY-MM.jsonl``: one JSON object a line, appended and never rewritten."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder = folder
        self._steps = steps

    def add(self, line: AuditLine) -> None:
        path = self._folder / f"{line.at.astimezone(UTC):%Y-%m}.jsonl"
        fresh = not path.exists()
        data = seal(msgspec.json.encode(codec.whole(line))) + b"\n"
        with self._steps.durable(Step.AUDIT_WRITE):
            files.make_folder(self._folder)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size and os.pread(handle, 1, size - 1) != b"\n":
                    data = b"\n" + data
                try:
                    view = memoryview(data)
                    while view:
                        view = view[os.write(handle, view) :]
                    files.sync(handle, path)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(handle, size)
                    raise
            finally:
                os.close(handle)
            if fresh:
                files.sync_folder(self._folder)

    def newest(self, limit: int) -> list[AuditLine]:
        found: list[AuditLine] = []
        for path in sorted(self._folder.glob("*.jsonl"), reverse=True):
            for raw in _lines_backwards(path):
                if len(found) >= limit:
                    return found
                with suppress(ValueError):
                    found.append(opened(raw, AuditLine))
        return found


def _lines_backwards(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, last first, without reading what is not asked for."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        rest = b""
        while end > 0:
            start = max(end - _TAIL, 0)
            file.seek(start)
            first, *others = (file.read(end - start) + rest).split(b"\n")
            yield from (line for line in reversed(others) if line)
            rest, end = first, start
        if rest:
            yield rest
