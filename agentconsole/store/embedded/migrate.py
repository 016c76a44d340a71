"""From one format of the folder to the next, one step of each version after the other.

A migration may be cut short anywhere and is begun again from its start at the next opening: what it writes beside the
old files is written over, and ``store.toml`` with the new format comes last. Files of customers change their own form
when they are next written (``codec.UPGRADES``), so that no migration has to touch them all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from agentconsole.domain.entries import AnyEntry
from agentconsole.domain.model import CustomerId
from agentconsole.seams import Step, Steps
from agentconsole.store import rules
from agentconsole.store.embedded import files, place
from agentconsole.store.embedded.accepting import as_it_is, generation_before
from agentconsole.store.embedded.head import head_path
from agentconsole.store.embedded.ledger import CONSENTS, LEDGERS, written_consents

log = logging.getLogger(__name__)


def _to_2(root: Path, card: place.Card, steps: Steps) -> place.Card:
    """The consent ledger: every word about consent that the customers' files hold, also damaged ones; and the mark of
    the place."""
    with steps.durable(Step.MIGRATE):
        files.make_folder(root / LEDGERS)
        files.make_folder(root / "customers")
        files.replace_file(root / LEDGERS / CONSENTS, written_consents(_histories(root / "customers")))
    return place.here(root, card, origin=card.origin)


MIGRATIONS: Final[Mapping[int, Callable[[Path, place.Card, Steps], place.Card]]] = {1: _to_2}
"""From version N to N+1: prepares the files and returns the card that makes it so. Each may run again over what an
earlier run left."""


def migrate(root: Path, card: place.Card, steps: Steps) -> place.Card:
    """Bring a store's folder to today's format.

    Raises:
        StoreFault: a newer program wrote it.
        OSError: the disk refused; the store is as it was, and the next opening goes on.
    """
    if card.format != place.FORMAT and not min(MIGRATIONS) <= card.format <= place.FORMAT:
        raise place.unknown(root, card)
    while card.format < place.FORMAT:
        log.info("the store %s is brought from format %d to %d", root, card.format, card.format + 1)
        card = MIGRATIONS[card.format](root, card, steps)
        with steps.durable(Step.MIGRATE):
            place.write(root, card)
    return card


def _histories(customers: Path) -> Iterator[tuple[CustomerId, Sequence[AnyEntry]]]:
    """Yield what can be read of every record: of one that is damaged, whatever there is."""
    for folder in sorted(path for path in customers.iterdir() if path.is_dir()):
        stems = {path.name.partition(".")[0] for path in folder.iterdir()}
        for record in map(CustomerId, sorted(filter(rules.CUSTOMER_ID.fullmatch, stems))):
            path = head_path(customers, record)
            found = as_it_is(path, record) or generation_before(path, record)
            if found is not None:
                yield record, found.entries
