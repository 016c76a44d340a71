"""The spool: raw batches with the cursor that follows them, in one file each, on disk before a provider is told.

A batch's file is a line of JSON (what it is, and its checksum) and the batch itself as MessagePack. Its number in
the name gives the order of arrival. The cursor of a batch moves to the account's cursor file before the batch goes,
so that at any instant the newest cursor is found.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain.model import AccountName
from agentconsole.errors import NotFound, SpoolDamaged
from agentconsole.ports import Cursor, SpoolRecord
from agentconsole.seams import Step, Steps
from agentconsole.store import codec
from agentconsole.store.embedded import files
from agentconsole.store.embedded.sealed import opened, seal

log = logging.getLogger(__name__)

_HEADER_LIMIT: Final = 64 * 1024


class Header(msgspec.Struct, frozen=True):
    id: str
    account: AccountName
    cursor: Cursor | None
    crc32: int
    form: int = codec.SCHEMA


class Saved(msgspec.Struct, frozen=True):
    account: AccountName
    cursor: Cursor
    number: int


class _Waiting(msgspec.Struct, frozen=True):
    number: int
    path: Path
    account: AccountName
    cursor: Cursor | None


class Spool:
    """Used in the store's worker thread only."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder = folder
        self._aside = folder / "aside"
        self._cursors = folder / "cursors"
        self._steps = steps
        self._waiting: dict[str, _Waiting] = {}
        self._saved: dict[AccountName, Saved] = {}
        self._set_aside: dict[str, Path] = {}
        self._illegible = 0
        self._next = 1

    def open(self) -> None:
        """See what waits from before."""
        lacking = [folder for folder in (self._folder, self._aside, self._cursors) if not folder.is_dir()]
        if lacking:
            with self._steps.durable(Step.STORE_CREATE):
                for folder in lacking:
                    files.make_folder(folder)
        for path in sorted(self._cursors.glob("*.json")):
            with suppress(ValueError):
                saved: Saved = opened(path.read_bytes(), Saved)
                self._saved[saved.account] = saved
                self._next = max(self._next, saved.number + 1)
        for path, header in self._batches(self._aside):
            if header is not None:
                self._set_aside[header.id] = path
            else:
                self._illegible += 1
        for path, header in self._batches(self._folder):
            if header is None:
                log.warning("a batch in the spool cannot be read and was set aside: %s", path.name)
                with self._steps.durable(Step.SPOOL_SET_ASIDE):
                    files.move(path, self._aside / path.name)
                    files.sync_folder(self._aside)
                    files.sync_folder(self._folder)
                self._illegible += 1
                continue
            number = int(path.name.partition("-")[0])
            self._waiting[header.id] = _Waiting(number, path, header.account, header.cursor)

    def _batches(self, folder: Path) -> Iterator[tuple[Path, Header | None]]:
        for path in sorted(folder.glob("*.batch")):
            header = None
            with suppress(ValueError):
                self._next = max(self._next, int(path.name.partition("-")[0]) + 1)
                with open(path, "rb") as file:
                    header = opened(file.readline(_HEADER_LIMIT).rstrip(b"\n"), Header)
                if not path.name.endswith(f"-{files.file_name(header.id)}.batch"):
                    header = None  # another's content: it must neither hide that batch nor stand for it
            yield path, header

    def add(self, record: SpoolRecord) -> None:
        if record.id in self._waiting or record.id in self._set_aside:
            return
        record = codec.whole(record)
        body = msgspec.msgpack.encode(record)
        header = Header(record.id, record.account, record.cursor, zlib.crc32(body))
        path = self._folder / f"{self._next:012}-{files.file_name(record.id)}.batch"
        with self._steps.durable(Step.SPOOL_WRITE):
            files.replace_file(path, b"\n".join((seal(msgspec.json.encode(header)), body)))
        self._waiting[record.id] = _Waiting(self._next, path, record.account, record.cursor)
        self._next += 1

    def ids(self) -> list[str]:
        return list(self._waiting)

    def aside(self) -> list[str]:
        return sorted(self._set_aside, key=lambda name: self._set_aside[name].name)

    @property
    def set_aside_count(self) -> int:
        """How many batches were set aside, with those whose first line cannot be read."""
        return len(self._set_aside) + self._illegible

    def record(self, record_id: str) -> SpoolRecord:
        """Read a batch, also one that was set aside.

        Raises:
            NotFound: there is none of this id.
            SpoolDamaged: its bytes are not those that were written.
        """
        waiting = self._waiting.get(record_id)
        path = waiting.path if waiting is not None else self._set_aside.get(record_id)
        if path is None:
            raise NotFound(f"No batch {record_id} waits in the spool.")
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise self._damaged(record_id, "its file is gone") from None
        line, _, body = data.partition(b"\n")
        try:
            header: Header = opened(line, Header)
            if header.id != record_id:
                why = "it holds another batch"
            elif zlib.crc32(body) != header.crc32:
                why = "its checksum differs"
            else:
                return msgspec.msgpack.decode(body, type=SpoolRecord)
        except ValueError as error:
            why = str(error)
        raise self._damaged(record_id, why)

    def _damaged(self, record_id: str, why: str) -> SpoolDamaged:
        return SpoolDamaged(
            f"The batch {record_id} in the spool cannot be read ({why}). The other batches are not affected.",
            "It stays as it is; fetch its messages from the provider again.",
        )

    def done(self, record_id: str) -> None:
        """Forget a batch that was filed; that it is gone already is fine."""
        waiting = self._waiting.get(record_id)
        if waiting is not None:
            self._save_cursor(waiting)
            with self._steps.durable(Step.SPOOL_DONE):
                files.remove_file(waiting.path)
            del self._waiting[record_id]
        elif record_id in self._set_aside:
            path = self._set_aside[record_id]
            with self._steps.durable(Step.SPOOL_DONE):
                files.remove_file(path)
                files.remove_file(path.with_suffix(".why"))
            del self._set_aside[record_id]

    def set_aside(self, record_id: str, why: str) -> None:
        """Move a batch to where it blocks nothing, with the reason beside it.

        Raises:
            NotFound: there is none of this id.
        """
        waiting = self._waiting.get(record_id)
        if waiting is None:
            if record_id in self._set_aside:
                return
            raise NotFound(f"No batch {record_id} waits in the spool.")
        self._save_cursor(waiting)
        target = self._aside / waiting.path.name
        with self._steps.durable(Step.SPOOL_SET_ASIDE):
            reason = {"id": record_id, "account": waiting.account, "why": why}
            files.replace_file(target.with_suffix(".why"), seal(msgspec.json.encode(codec.whole(reason))))
            with suppress(FileNotFoundError):
                files.move(waiting.path, target)
            files.sync_folder(self._aside)
            files.sync_folder(self._folder)
        del self._waiting[record_id]
        self._set_aside[record_id] = target

    def _save_cursor(self, waiting: _Waiting) -> None:
        before = self._saved.get(waiting.account)
        if waiting.cursor is None or (before is not None and before.number >= waiting.number):
            return
        saved = Saved(waiting.account, waiting.cursor, waiting.number)
        path = self._cursors / f"{files.file_name(waiting.account)}.json"
        with self._steps.durable(Step.CURSOR_SAVE):
            files.replace_file(path, seal(msgspec.json.encode(saved)))
        self._saved[waiting.account] = saved

    def cursor(self, account: AccountName) -> Cursor | None:
        waiting = [w for w in self._waiting.values() if w.account == account and w.cursor is not None]
        if waiting:
            return max(waiting, key=lambda w: w.number).cursor
        saved = self._saved.get(account)
        return saved.cursor if saved is not None else None
