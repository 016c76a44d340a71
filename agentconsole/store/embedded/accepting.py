"""A damaged record taken back into use: what is readable of it as it is, or the generation before.

Nothing is chosen silently: somebody looked and said which. The files that could not be trusted stay beside the record
as ``NAME.damaged-N``; the record itself is written anew, so that its next change finds nothing but whole files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from agentconsole.domain import history
from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import CustomerId, EntryId, Snapshot
from agentconsole.errors import NotFound, ReadOnly
from agentconsole.ports import Damage, Decide
from agentconsole.seams import Step
from agentconsole.store import codec, erasure, rules
from agentconsole.store.embedded import files
from agentconsole.store.embedded.care_lock import removing
from agentconsole.store.embedded.engine import DecisionFailed, Engine
from agentconsole.store.embedded.files import Damaged, faults, lost
from agentconsole.store.embedded.head import (
    Head,
    Volume,
    entries_of,
    head_path,
    previous_path,
    read_volume,
    volume_path,
)
from agentconsole.store.embedded.rewriting import ASIDE, Journal, Rewriter


class Found(msgspec.Struct, frozen=True):
    """What could be read of a record, and which files of it are not what they were."""

    entries: tuple[AnyEntry, ...]
    seen: dict[str, int] = {}
    gen: int = 1
    spoiled: tuple[Path, ...] = ()


def as_it_is(path: Path, record: CustomerId) -> Found | None:
    """Read a head and its volumes whatever their checksums say; None where the head is no document of this record.

    An entry that cannot be understood is left out, and so is a volume that is gone.
    """
    tables = _tables(path)
    if tables is None or not _belongs(tables, record):
        return None
    gen = _number(tables, "_meta", "1", "gen")
    found: dict[EntryId, AnyEntry] = {}
    spoiled = [path]
    for number, row in sorted(tables.get("volumes", {}).items()):
        if not number.isdigit():
            continue
        source = volume_path(path, int(number))
        try:
            volume = msgspec.convert({**row, "number": int(number)}, Volume)
            entries = entries_of(read_volume(path, volume.number, volume))
        except (Damaged, OSError, ValueError, TypeError) as why:
            if isinstance(why, OSError):
                lost(why)
            if source.exists():
                spoiled.append(source)
            entries = list(_entries(_tables(source) or {}))
        found.update((entry.id, entry) for entry in entries)
    found.update((entry.id, entry) for entry in _entries(tables))
    seen = {agent: at for agent in tables.get("seen", {}) if (at := _number(tables, "seen", agent, "at"))}
    return Found(tuple(found.values()), seen, gen, tuple(spoiled))


def generation_before(path: Path, record: CustomerId) -> Found | None:
    """Read the generation before of a head, with its volumes; None where not all of it can be trusted."""
    try:
        tables, found = files.read(previous_path(path))
        head = Head(path, record, files.Documents(tables), found)
        entries = tuple(entry for _, entry in head.entries())
    except (Damaged, OSError) as why:
        lost(why)
        return None
    return Found(entries, head.seen(), found.gen)


def _tables(path: Path) -> dict[str, dict[str, Any]] | None:
    try:
        tables = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Any]])
    except OSError as why:
        lost(why)
        return None
    except ValueError:
        return None
    return tables if _number(tables, "_meta", "1", "schema") <= codec.SCHEMA else None


def _belongs(tables: dict[str, dict[str, Any]], record: CustomerId) -> bool:
    try:
        return bool(tables["card"]["snapshot"]["snapshot"]["id"] == record)
    except (KeyError, TypeError):
        return False


def _number(tables: dict[str, dict[str, Any]], table: str, key: str, field: str) -> int:
    with suppress(KeyError, TypeError, ValueError):
        return int(tables[table][key][field])
    return 0


def _entries(tables: dict[str, dict[str, Any]]) -> Iterator[AnyEntry]:
    for key, row in tables.get("entries", {}).items():
        with suppress(ValueError):
            [entry] = codec.entries([row])
            rules.check(entry)
            if entry.id == key:
                yield entry


class Accepter:
    """Used in the store's worker thread only."""

    def __init__(self, root: Path, engine: Engine, rewriter: Rewriter) -> None:
        self._root = root
        self._engine = engine
        self._rewriter = rewriter

    def damaged(self) -> list[Damage]:
        found = []
        self._engine.repair()
        for record, why in sorted(self._engine.damaged.items()):
            path = head_path(self._engine.customers, record)
            readable, before = as_it_is(path, record), generation_before(path, record)
            found.append(
                Damage(
                    record=record,
                    name=self._engine.index.shown(record),
                    why=why,
                    entries=len(readable.entries) if readable is not None else -1,
                    previous=len(before.entries) if before is not None else -1,
                )
            )
        return found

    def accept(self, record: CustomerId, previous: bool, decide: Decide) -> Snapshot:
        """See ``Store.accept``.

        Raises:
            TryLater: a backup is under way.
        """
        with faults(f"take customer {record} back into use"), removing(self._root):
            self._check(record)
            path = head_path(self._engine.customers, record)
            readable, before = as_it_is(path, record), generation_before(path, record)
            chosen = before if previous else readable
            if chosen is None:
                raise NotFound(
                    f"Customer {record} has no {'whole generation before' if previous else 'file that can be read'}. "
                    "Nothing was changed.",
                    f"Take {'what can be read of the file' if previous else 'the generation before'}, or a backup.",
                )
            after = self._accept(record, path, chosen, [one for one in (readable, before) if one is not None], decide)
        self._engine.news()
        return after

    def _check(self, record: CustomerId) -> None:
        self._engine.repair()
        with suppress(ReadOnly):
            if record in self._engine.damaged:
                self._engine.head(record)
        if record not in self._engine.damaged:
            raise NotFound(f"The file of customer {record} is not damaged. Nothing was changed.")

    def _accept(self, record: CustomerId, path: Path, chosen: Found, known: list[Found], decide: Decide) -> Snapshot:
        engine = self._engine
        elsewhere = engine.index.elsewhere(record, [entry.id for entry in chosen.entries])
        kept = [e for e in chosen.entries if e.id not in elsewhere and not engine.erasures.has_entry(e.id)]
        kept += erasure.missing_consents(kept, engine.consents.of(record))
        snapshot = history.fold(record, kept)
        written = [entry for found in known for entry in found.entries]
        own = {*engine.index.entry_ids(record), *(entry.id for entry in written)}
        try:
            fresh = self._rewriter.fresh(decide(snapshot), own, kept)
            after = history.advance(snapshot, fresh)
        except Exception as error:
            raise DecisionFailed(error) from error
        filed = engine.index.filed_record(record)
        gen = max(filed.gen if filed is not None else 0, *(found.gen for found in known))
        head = Head.following(path, record, max(gen, 1), _next_number(path), chosen.seen)
        new = head.anew([*kept, *fresh], after, engine.random.token())
        self._set_aside(path, [source for found in known for source in found.spoiled])
        self._rewriter.journal(record, Journal(new.rewriting, copies=False))
        engine.unfiled_records.add(record)
        engine.consents.note(record, fresh, engine.steps, engine.whose(record, after, fresh))
        engine.search.forget(record, written, kept)
        new.commit(engine.steps)
        self._rewriter.clean(record)
        if engine.search.stale:
            self._rewriter.compact_text()
        self._rewriter.end(record)
        return after

    def _set_aside(self, path: Path, spoiled: Iterable[Path]) -> None:
        """Keep the files of a record that go now under names of their own."""
        sources = [one for one in dict.fromkeys((path, previous_path(path), *spoiled)) if one.exists()]
        pairs = [(source, target) for source in sources if (target := _free_name(source)) is not None]
        if pairs:
            with self._engine.steps.durable(Step.ACCEPT):
                for source, target in pairs:
                    files.link(source, target)
                files.sync_folder(path.parent)


def _free_name(source: Path) -> Path | None:
    """Return the name under which a file is set aside, or None where it is already."""
    number = 1
    while (target := source.with_name(f"{source.name}{ASIDE}{number}")).exists():
        if os.path.samefile(source, target):
            return None
        number += 1
    return target


def _next_number(path: Path) -> int:
    numbers = [0]
    for volume in path.parent.glob(f"{path.stem}.m*.json*"):
        digits = volume.name[len(path.stem) + 2 :].partition(".")[0]
        if digits.isdigit():
            numbers.append(int(digits))
    return max(numbers) + 1
