"""Drafts, blobs and the audit trail: small files of their own, each durable before its call returns."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain.model import (
    AgentName,
    BlobId,
    ConversationId,
    CustomerId,
    Draft,
)
from agentconsole.errors import StoreFault
from agentconsole.ports import AuditLine
from agentconsole.seams import Step, Steps
from agentconsole.store import codec, rules
from agentconsole.store.embedded import files
from agentconsole.store.embedded.head import shard
from agentconsole.store.embedded.sealed import opened, seal
from agentconsole.store.erasure import Gone, audit_line, audit_words, drafted_for

log = logging.getLogger(__name__)

_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_GONE: Final = ".gone-"
_TAIL: Final = 64 * 1024


class Drafts:
    """``drafts/<agent>/<conversation>.json``, of a note ``….note.json``, thrown away ``….gone-<revision>.json``.

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
        if kept is not None and draft.displaces(kept):
            self.discard(msgspec.structs.replace(kept, discarded_at=draft.at))
        with self._steps.durable(Step.DRAFT_WRITE):
            files.make_folder(path.parent)
            files.replace_file(path, seal(msgspec.json.encode(codec.whole(draft))))
        return True

    def all(self, agent: AgentName) -> list[Draft]:
        folder = self._folder / files.file_name(agent)
        paths = [path for path in folder.glob("*.json") if _GONE not in path.name]
        found = [draft for path in paths if (draft := self._read(path)) is not None]
        return sorted(found, key=lambda draft: (draft.conversation, draft.note))

    def drop(self, agent: AgentName, conversation: ConversationId, revision: int, note: bool) -> None:
        path = self._path(agent, conversation, note)
        kept = self._read(path)
        if kept is not None and kept.revision <= revision:
            with self._steps.durable(Step.DRAFT_DROP):
                files.remove_file(path)

    def _gone(self, draft: Draft) -> Path:
        path = self._path(draft.agent, draft.conversation, draft.note)
        return path.with_name(f"{path.name.removesuffix('.json')}{_GONE}{draft.revision}.json")

    def discard(self, draft: Draft) -> None:
        path = self._gone(draft)
        with self._steps.durable(Step.DRAFT_WRITE):
            files.make_folder(path.parent)
            files.replace_file(path, seal(msgspec.json.encode(codec.whole(draft))))

    def discarded(self, agent: AgentName) -> list[Draft]:
        folder = self._folder / files.file_name(agent)
        found = [draft for path in folder.glob(f"*{_GONE}*.json") if (draft := self._read(path)) is not None]
        return sorted(found, key=rules.thrown_away, reverse=True)

    def drop_discarded(self, draft: Draft) -> None:
        path = self._gone(draft)
        if path.exists():
            with self._steps.durable(Step.DRAFT_DROP):
                files.remove_file(path)

    def prune(self, before: datetime) -> int:
        """Remove what was thrown away before a moment."""
        found = [(path, self._read(path)) for path in self._folder.glob(f"*/*{_GONE}*.json")]
        old = [path for path, draft in found if draft is not None and rules.thrown_away(draft) < before]
        if not old:
            return 0
        with self._steps.durable(Step.DRAFT_DROP):
            return files.remove_files(old)

    def of(self, wanted: Callable[[Draft], bool]) -> list[Draft]:
        """Return the drafts of all agents that are wanted."""
        return [
            draft for path in self._folder.glob("*/*.json") if (draft := _draft(path)) is not None and wanted(draft)
        ]

    def forget(self, lost: Gone) -> int:
        """Remove all drafts of who is erased, also damaged ones, and return how many there were."""
        names = {files.file_name(conversation) for conversation in lost.conversations}
        ids = [record.encode() for record in lost.records]
        doomed = []
        for path in self._folder.glob("*/*"):
            stem = path.name.partition(".")[0]
            draft = _draft(path)
            if (draft is not None and drafted_for(draft, lost)) or stem in names or _holds(path, ids):
                doomed.append(path)
        if not doomed:
            return 0
        with self._steps.durable(Step.DRAFT_DROP):
            return files.remove_files(doomed)


def _draft(path: Path) -> Draft | None:
    with suppress(ValueError, FileNotFoundError):
        found: Draft = opened(path.read_bytes(), Draft)
        return found
    return None


def _holds(path: Path, words: list[bytes]) -> bool:
    data = path.read_bytes()
    return any(b'"' + word + b'"' in data for word in words)


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

    def names(self, record: CustomerId) -> list[BlobId]:
        """Return what is kept for a record."""
        with suppress(FileNotFoundError):
            return [BlobId(path.name) for path in sorted((self._folder / shard(record) / record).iterdir())]
        return []

    def forget(self, record: CustomerId, blobs: Iterable[BlobId]) -> int:
        """Remove some files of a record and return how many there were."""
        folder = self._folder / shard(record) / record
        doomed = [folder / blob for blob in blobs if (folder / blob).exists()]
        doomed += folder.glob("*.tmp")
        if not doomed:
            return 0
        with self._steps.durable(Step.BLOB_FORGET):
            return files.remove_files(doomed)

    def forget_all(self, record: CustomerId) -> int:
        """Remove all files of a record, with their folder, and return how many there were."""
        folder = self._folder / shard(record) / record
        if not folder.exists():
            return 0
        with self._steps.durable(Step.BLOB_FORGET):
            count = files.remove_files(sorted(folder.iterdir()))
            folder.rmdir()
            files.sync_folder(folder.parent)
            return count


class Audit:
    """``audit/YYYY-MM.jsonl``: one JSON object a line, appended, and rewritten only to forget who was erased."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder = folder
        self._steps = steps

    def add(self, line: AuditLine) -> None:
        path = self._folder / f"{line.at.astimezone(UTC):%Y-%m}.jsonl"
        with self._steps.durable(Step.AUDIT_WRITE):
            files.append_line(path, seal(msgspec.json.encode(codec.whole(line))))

    def forget(self, lost: Gone) -> None:
        """Take out what the lines say of who is erased. One that cannot be read goes if it holds a word of theirs."""
        words = [word.encode() for word in audit_words(lost)]
        for path in sorted(self._folder.glob("*.jsonl")):
            before = path.read_bytes().split(b"\n")
            after = [line for raw in before if (line := _without(raw, lost, words)) is not None]
            if after != before:
                with self._steps.durable(Step.AUDIT_WRITE):
                    files.replace_file(path, b"\n".join(after))

    def newest(self, limit: int) -> list[AuditLine]:
        found: list[AuditLine] = []
        for path in sorted(self._folder.glob("*.jsonl"), reverse=True):
            for raw in _lines_backwards(path):
                if len(found) >= limit:
                    return found
                with suppress(ValueError):
                    found.append(opened(raw, AuditLine))
        return found


def _without(raw: bytes, lost: Gone, words: list[bytes]) -> bytes | None:
    try:
        line: AuditLine = opened(raw, AuditLine)
    except ValueError:
        return None if any(word in raw for word in words) else raw
    after = audit_line(line, lost)
    return raw if after == line else seal(msgspec.json.encode(after))


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
