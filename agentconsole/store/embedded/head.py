"""One customer's document: the head with the newest entries, and sealed volumes with the older ones.

The head is the customer's transaction: entries, snapshot and what agents have seen go to disk in one rename. When
it holds too much, its older entries move to a volume that never changes again, so that an append costs the same at
10 and at 50,000 entries. The head's ``volumes`` table says which volumes count; one that it does not list is the
rest of a crash and is overwritten.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import CustomerId, Snapshot
from agentconsole.seams import Step, Steps
from agentconsole.store import codec
from agentconsole.store.embedded import files
from agentconsole.store.embedded.files import Damaged, Document, Documents, Filed

REWRITING: Final = "rewriting"
"""The ending of the journal that lies beside a record while it is written anew."""

SEAL_ENTRIES: Final = 400
SEAL_BYTES: Final = 256 * 1024


class Volume(msgspec.Struct, frozen=True):
    """A sealed volume as the head lists it: the place of its first entry, how many, what its bytes are, and the number
    in its name. Numbers only grow: a record that was written anew begins after those that it had."""

    first: int
    count: int
    size: int
    crc32: int
    number: int = 0


def shard(record: CustomerId) -> str:
    return hashlib.blake2b(record.encode(), digest_size=1).hexdigest()


def head_path(customers: Path, record: CustomerId) -> Path:
    return customers / shard(record) / f"{record}.json"


def volume_path(head: Path, number: int) -> Path:
    return head.with_name(f"{head.stem}.m{number:05}.json")


def journal_path(head: Path) -> Path:
    return head.with_name(f"{head.stem}.{REWRITING}")


def previous_path(head: Path) -> Path:
    return head.with_name(head.name + ".prev")


def volumes(documents: Documents) -> list[Volume]:
    """Return the volumes that a head lists, oldest first.

    Raises:
        Damaged: the table is none of this version.
    """
    try:
        rows = [{**row, "number": int(row.doc_id)} for row in documents.named("volumes").all()]
        found = msgspec.convert(rows, list[Volume])
    except ValueError as error:
        raise Damaged(str(error)) from error
    return sorted(found, key=lambda volume: volume.first)


def read_volume(head: Path, number: int, volume: Volume) -> Documents:
    """Read a sealed volume.

    Raises:
        Damaged: it is gone, or not the one that the head lists.
    """
    try:
        data = volume_path(head, number).read_bytes()
    except FileNotFoundError as error:
        raise Damaged(f"volume {number} is gone") from error
    if len(data) != volume.size or zlib.crc32(data) != volume.crc32:
        raise Damaged(f"volume {number} is not the one that was sealed")
    return Documents(files.decoded(data)[0])


def entries_of(documents: Documents) -> list[AnyEntry]:
    """Return all entries of a head or volume, oldest first.

    Raises:
        Damaged: an entry is none of this version.
    """
    try:
        return codec.entries([dict(row) for row in documents.named("entries").all()])
    except ValueError as error:
        raise Damaged(str(error)) from error


class Head:
    """A customer's newest document, opened for changes. After any exception it must be thrown away."""

    def __init__(self, path: Path, record: CustomerId, documents: Documents, found: Filed | None) -> None:
        self.path = path
        self.record = record
        self.documents = documents
        self.filed = found
        self.volumes = volumes(documents)
        self.next_number = max((volume.number for volume in self.volumes), default=0) + 1
        self._gen = found.gen + 1 if found else 1
        last = self.volumes[-1] if self.volumes else Volume(0, 0, 0, 0)
        self.count = last.first + last.count + len(documents.named("entries"))
        self.snapshot = self._snapshot()

    @classmethod
    def load(cls, path: Path, record: CustomerId) -> Head:
        """Read a customer's head.

        Raises:
            Damaged: it cannot be trusted.
            FileNotFoundError: there is none.
        """
        tables, found = files.read(path)
        return cls(path, record, Documents(tables), found)

    @classmethod
    def fresh(cls, path: Path, record: CustomerId) -> Head:
        return cls(path, record, Documents({}), None)

    @classmethod
    def following(cls, path: Path, record: CustomerId, gen: int, number: int, seen: Mapping[str, int]) -> Head:
        """Return an empty head for a record whose own cannot be trusted: the next generation after ``gen``, with
        volumes from ``number`` on."""
        head = cls.fresh(path, record)
        head._gen, head.next_number = gen + 1, number
        for agent, at in seen.items():
            head.mark_seen(agent, at)
        return head

    def anew(self, entries: Sequence[AnyEntry], snapshot: Snapshot, rewriting: str) -> Head:
        """Return a head that takes the place of this one and shares no volume with it.

        Args:
            rewriting: the name of this rewriting, by which ``rewriting`` of the new head tells that it took place.
        """
        head = Head(self.path, self.record, Documents({}), None)
        head.next_number, head._gen = self.next_number, self._gen
        head.append(entries, snapshot)
        for agent, at in self.seen().items():
            head.mark_seen(agent, at)
        head.documents.put("card", REWRITING, {"id": rewriting})
        return head

    @property
    def rewriting(self) -> str:
        """The name of the last rewriting; empty where there was none."""
        row = self.documents.named("card").get(doc_id=REWRITING)  # type: ignore[call-overload]
        return str(row["id"]) if row is not None else ""

    def _snapshot(self) -> Snapshot:
        row = self.documents.named("card").get(doc_id="snapshot")  # type: ignore[call-overload]
        if row is None:
            if self.count:
                return history.fold(self.record, (entry for _, entry in self.entries()))
            return history.empty(self.record)
        form = row["snapshot"]
        if form.get("version") != history.FOLD_VERSION:
            return history.fold(self.record, (entry for _, entry in self.entries()))
        try:
            snapshot = codec.snapshot(form)
        except ValueError as error:
            raise Damaged(str(error)) from error
        if snapshot.id != self.record:
            raise Damaged(f"it belongs to customer {snapshot.id}")
        return snapshot

    def entries(self) -> Iterator[tuple[int, AnyEntry]]:
        """Yield all entries with their places, oldest first.

        Raises:
            Damaged: a volume cannot be trusted.
        """
        for volume in self.volumes:
            yield from enumerate(entries_of(read_volume(self.path, volume.number, volume)), volume.first)
        rest = entries_of(self.documents)
        yield from enumerate(rest, self.count - len(rest))

    def seen(self) -> dict[str, int]:
        """Return up to when agents have read, in microseconds since 1970."""
        return {str(row.doc_id): int(row["at"]) for row in self.documents.named("seen").all()}

    def append(self, entries: Sequence[AnyEntry], snapshot: Snapshot) -> None:
        self.documents.named("entries").insert_multiple(
            Document(codec.plain(entry), entry.id)  # type: ignore[arg-type]
            for entry in entries
        )
        self.snapshot = snapshot
        self.count += len(entries)

    def mark_seen(self, agent: str, at: int) -> None:
        self.documents.put("seen", agent, {"at": at})

    def commit(self, steps: Steps) -> Filed:
        """Put the document on disk, after sealing what is too much.

        Raises:
            OSError: the disk refused; what was there before still is.
        """
        self.documents.put("card", "snapshot", {"snapshot": codec.plain_snapshot(self.snapshot)})
        if "seen" not in self.documents.tree:
            self.documents.tree["seen"] = {}
        gen = self._gen
        data = files.encoded(self.documents.tree, gen)
        if self._seal(len(data), steps):
            data = files.encoded(self.documents.tree, gen)
        with steps.durable(Step.HEAD_WRITE):
            if self.filed is None:
                files.make_folder(self.path.parent)
            try:
                found = files.replace_file(self.path, data, keep=self.filed is not None)
            except OSError:
                if self._gen == 1:
                    with suppress(OSError):
                        files.unlink(self.path)
                raise
        self.filed = files.filed(gen, found)
        self._gen = gen + 1
        return self.filed

    def _seal(self, size: int, steps: Steps) -> bool:
        rows = self.documents.tree.get("entries", {})
        if len(rows) < SEAL_ENTRIES and size < SEAL_BYTES:
            return False
        sizes = {key: len(msgspec.json.encode(row)) for key, row in rows.items()}
        if len(rows) < SEAL_ENTRIES and sum(sizes.values()) < SEAL_BYTES:
            return False
        keep, weight = 0, 0
        for key in reversed(rows):
            weight += sizes[key]
            if keep and (keep >= SEAL_ENTRIES // 2 or weight > SEAL_BYTES // 2):
                break
            keep += 1
        leaving = list(rows)[: len(rows) - keep]
        if not leaving:
            return False
        first = self.count - len(rows)
        for chunk in _chunks(leaving, sizes):
            self._write_volume(first, chunk, steps)
            first += len(chunk)
        self.documents.named("entries").remove(doc_ids=leaving)  # type: ignore[arg-type]
        return True

    def _write_volume(self, first: int, keys: Sequence[str], steps: Steps) -> None:
        number = self.next_number
        rows = self.documents.tree["entries"]
        data = files.encoded({"entries": {key: rows[key] for key in keys}}, 1)
        with steps.durable(Step.VOLUME_SEAL):
            files.make_folder(self.path.parent)
            files.replace_file(volume_path(self.path, number), data)
        self.next_number += 1
        volume = Volume(first, len(keys), len(data), zlib.crc32(data), number)
        row = {"first": volume.first, "count": volume.count, "size": volume.size, "crc32": volume.crc32}
        self.documents.put("volumes", f"{number:05}", row)
        self.volumes.append(volume)


def _chunks(keys: Sequence[str], sizes: dict[str, int]) -> Iterator[list[str]]:
    chunk: list[str] = []
    weight = 0
    for key in keys:
        if chunk and (len(chunk) >= SEAL_ENTRIES or weight + sizes[key] > SEAL_BYTES):
            yield chunk
            chunk, weight = [], 0
        chunk.append(key)
        weight += sizes[key]
    if chunk:
        yield chunk
