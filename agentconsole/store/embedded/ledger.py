"""Two ledgers that know what no customer's file may forget: who was erased, and every word about consent.

``ledger/erased.jsonl`` holds keyed hashes of the ids of erased records and entries, so that nothing of them is filed
again, fetched again or restored. Every line bears its key, so that a copy of the file says the same, and a line that is
damaged takes no other one's sense away. ``ledger/consents.jsonl`` holds every opt-out and opt-in,
written before the customer's file, so that no older generation and no restored backup forgets one.

A line that cannot be read (torn by a crash, or damaged) is passed over; every line carries its checksum.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry, ConsentChanged
from agentconsole.domain.model import (
    Address,
    CustomerId,
    EntryId,
    Value,
)
from agentconsole.seams import Randomness, Step, Steps
from agentconsole.store.embedded import files
from agentconsole.store.embedded.sealed import opened, seal
from agentconsole.store.erasure import Gone, keyed

log = logging.getLogger(__name__)

LEDGERS: Final = "ledger"
ERASED: Final = "erased.jsonl"
CONSENTS: Final = "consents.jsonl"


class ErasedLine(Value, frozen=True):
    """A line of the erasure ledger: what one erasure took away, hashed with its key, or with the key above it where it
    has none. A line may hold a key alone."""

    key: str = ""
    at: datetime | None = None
    records: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()


class ConsentLine(Value, frozen=True):
    """A line of the consent ledger: the record, its entry in plain form, and whose it was: a restore that does not know
    the record must not take the person for somebody new."""

    record: CustomerId
    entry: ConsentChanged
    addresses: tuple[Address, ...] = ()


def _lines(path: Path, kind: Any) -> Iterator[Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for number, raw in enumerate(data.split(b"\n"), 1):
        if raw:
            try:
                yield opened(raw, kind)
            except ValueError as why:
                log.warning("line %d of the ledger %s is passed over: %s", number, path.name, why)


def _written(lines: Iterable[Value]) -> bytes:
    return b"".join(seal(msgspec.json.encode(line)) + b"\n" for line in lines)


class ErasureLedger:
    """What was erased, read from one file. ``records`` and ``entries`` are hashes by key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: dict[str, set[str]] = {}
        self._entries: dict[str, set[str]] = {}
        self.last_key = ""
        for line in _lines(path, ErasedLine):
            self._take(line)

    def _take(self, line: ErasedLine) -> None:
        self.last_key = line.key or self.last_key
        if not self.last_key:
            log.error("the erasure ledger %s has lost its key: what it lists cannot be recognised", self.path)
        if self.last_key:
            self._records.setdefault(self.last_key, set()).update(line.records)
            self._entries.setdefault(self.last_key, set()).update(line.entries)

    def __bool__(self) -> bool:
        return any(self._records.values())

    def has_entry(self, entry: EntryId) -> bool:
        return any(keyed(key.encode(), entry) in found for key, found in self._entries.items() if found)

    def has_record(self, record: CustomerId) -> bool:
        """Say whether a record of this id was erased. One that was made anew under the same id is one too: its entries
        say which it is."""
        return any(keyed(key.encode(), record) in found for key, found in self._records.items() if found)

    def add(self, lost: Gone, at: datetime, random: Randomness, steps: Steps) -> None:
        """Write down an erasure, unless it is there already."""
        if all(map(self.has_record, lost.records)) and all(map(self.has_entry, lost.entries)):
            return
        fresh = not self.last_key
        key = self.last_key or random.token()
        line = ErasedLine(
            key=key,
            at=at,
            records=tuple(keyed(key.encode(), record) for record in lost.records),
            entries=tuple(keyed(key.encode(), entry) for entry in lost.entries),
        )
        with steps.durable(Step.LEDGER_WRITE):
            if fresh:
                files.make_folder(self.path.parent)
                if self.path.exists():
                    files.move(self.path, self.path.with_name(f"{self.path.name}.damaged"))
                files.replace_file(self.path, _written((line,)))
            else:
                files.append_line(self.path, seal(msgspec.json.encode(line)))
        self._take(line)


def united_erasures(*paths: Path) -> bytes:
    """Return one erasure ledger that knows what each of several knows; empty where none knows anything."""
    found: dict[ErasedLine, None] = {}
    for path in paths:
        key = ""
        for line in _lines(path, ErasedLine):
            key = line.key or key
            if key and (line.records or line.entries):
                found.setdefault(msgspec.structs.replace(line, key=key))
    return _written(found)


class ConsentLedger:
    """Every word about consent, by record, in the order of writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[CustomerId, dict[EntryId, ConsentChanged]] = {}
        self._addresses: dict[CustomerId, tuple[Address, ...]] = {}
        for line in _lines(path, ConsentLine):
            self._known.setdefault(line.record, {})[line.entry.id] = line.entry
            self._addresses[line.record] = line.addresses or self._addresses.get(line.record, ())

    def records(self) -> list[CustomerId]:
        return list(self._known)

    def of(self, record: CustomerId) -> list[ConsentChanged]:
        return list(self._known.get(record, {}).values())

    def addresses(self, record: CustomerId) -> tuple[Address, ...]:
        """Return the addresses that a record had when its last consent was written down."""
        return self._addresses.get(record, ())

    def note(
        self, record: CustomerId, entries: Sequence[AnyEntry], steps: Steps, addresses: Iterable[Address] = ()
    ) -> None:
        """Write down the consents among entries that are about to be appended.

        Args:
            addresses: those of the record, after the entries.

        Raises:
            OSError: the disk refused.
        """
        known = self._known.get(record, {})
        fresh = [one for one in entries if isinstance(one, ConsentChanged) and known.get(one.id) != one]
        if not fresh:
            return
        with steps.durable(Step.LEDGER_WRITE):
            theirs = tuple(addresses)
            files.append_line(self.path, _written(ConsentLine(record, one, theirs) for one in fresh)[:-1])
        self._known.setdefault(record, {}).update((one.id, one) for one in fresh)
        self._addresses[record] = theirs or self._addresses.get(record, ())

    def settle(self, record: CustomerId, entries: Iterable[AnyEntry], steps: Steps) -> None:
        """Let the ledger say of a record that was written anew what its entries say, and nothing else."""
        wanted = {one.id: one for one in entries if isinstance(one, ConsentChanged)}
        if wanted != self._known.get(record, {}):
            self._replace({**self._known, record: wanted}, steps)

    def forget(self, lost: Gone, steps: Steps) -> None:
        """Drop the words of who is erased, and their addresses from the words of whoever they were joined with."""
        if not self.path.exists():
            return
        for record, found in self._addresses.items():
            self._addresses[record] = tuple(address for address in found if str(address) not in lost.addresses)
        self._replace({record: found for record, found in self._known.items() if record not in lost.records}, steps)

    def _replace(self, known: dict[CustomerId, dict[EntryId, ConsentChanged]], steps: Steps) -> None:
        lines = (
            ConsentLine(record, entry, self.addresses(record))
            for record, found in known.items()
            for entry in found.values()
        )
        with steps.durable(Step.LEDGER_WRITE):
            files.make_folder(self.path.parent)
            files.replace_file(self.path, _written(lines))
        self._known = known


def united_consents(*paths: Path) -> bytes:
    """Return one consent ledger with the lines of several, each once; where they differ, the last path's words."""
    found: dict[tuple[CustomerId, EntryId], ConsentLine] = {}
    for path in paths:
        for line in _lines(path, ConsentLine):
            found[line.record, line.entry.id] = line
    return _written(found.values())


def without_erased(path: Path, erased: ErasureLedger) -> bytes:
    """Return a consent ledger without the words of who was erased."""
    return _written(line for line in _lines(path, ConsentLine) if not erased.has_entry(line.entry.id))


def written_consents(histories: Iterable[tuple[CustomerId, Sequence[AnyEntry]]]) -> bytes:
    """Return the consent ledger of what customers' files hold."""
    lines: list[ConsentLine] = []
    for record, entries in histories:
        consents = [entry for entry in entries if isinstance(entry, ConsentChanged)]
        if consents:
            addresses = tuple(linked.address for linked in history.fold(record, entries).addresses.values())
            lines += (ConsentLine(record, entry, addresses) for entry in consents)
    return _written(lines)
