"""``store.toml``: which store this is, of which format, and whether it lies where it lay.

A store that was copied or restored is older than what really happened: replies that went out since are unfinished in
it. So the file bears a mark of its place, and a folder that is opened elsewhere says ``copied`` until somebody adopted
it. The mark is the machine's id (hashed) and the inodes of the folder and of its customers' folder: ``mv`` on one file
system and a restart keep them; ``cp``, ``rsync``, ``tar``, another machine and another file system do not. Where a
machine has no id, only the inodes count. Files that were copied into the store's own folder (``rsync -a OLD/ STORE/``)
are told by the index that came with them: it knows other inodes. What no file can tell is a disk or a machine that was
itself set back to an earlier state, and files that were copied into the folder without their index.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from agentconsole.errors import StoreFault
from agentconsole.seams import Randomness, Step, Steps
from agentconsole.store.embedded import files
from agentconsole.store.embedded.care_lock import CARE_LOCK
from agentconsole.store.embedded.lock import LOCK_NAME

FORMAT: Final = 2
"""The version of the folder's layout. 2: ledgers, the mark of the place, volumes with numbers of their own."""

NAME: Final = "store.toml"
RESTORED: Final = "restored"
COPIED: Final = "copied"
_MACHINE_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_MAY_LIE_THERE: Final = frozenset((LOCK_NAME, CARE_LOCK, f"{NAME}.tmp", "customers"))


class Card(msgspec.Struct, frozen=True):
    """What ``store.toml`` says.

    ``origin`` is ``restored`` where a backup was put back, ``copied`` where only the index could tell that files were
    copied, until somebody adopts it.
    """

    format: int
    uuid: str
    machine: str = ""
    inodes: tuple[int, ...] = ()
    origin: str = ""

    def encoded(self) -> bytes:
        lines = [f"format = {self.format}", f'uuid = "{self.uuid}"']
        if self.inodes:
            lines += [
                "",
                "# Where this store lies. One that is opened elsewhere holds its unfinished replies first.",
                f'machine = "{self.machine}"',
                f"inodes = [{', '.join(map(str, self.inodes))}]",
                f'origin = "{self.origin}"',
            ]
        return ("\n".join(lines) + "\n").encode()


def read(root: Path) -> Card:
    """Read a store's card, of any format.

    Raises:
        FileNotFoundError: there is none.
        StoreFault: it cannot be read, or a newer program wrote it.
    """
    path = root / NAME
    try:
        found = tomllib.loads(path.read_text("utf-8"))
        if int(found["format"]) > FORMAT:
            raise unknown(root, Card(int(found["format"]), ""))
        return msgspec.convert(found, Card)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreFault(
            f"{path} cannot be read ({error}). Nothing was changed.", "Put it back from a backup."
        ) from error


def unknown(root: Path, card: Card) -> StoreFault:
    return StoreFault(
        f"The store {root} has format {card.format}; this program knows {FORMAT}. Nothing was changed.",
        "Install the version that wrote it, or a newer one.",
    )


def mark(root: Path, uuid: str) -> tuple[str, tuple[int, ...]]:
    """Return the mark of the place where a store lies now: the machine, hashed with the store's own id, and inodes."""
    machine = ""
    for path in _MACHINE_IDS:
        try:
            machine = path.read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if machine:
            break
    hashed = hashlib.sha256(f"{uuid} {machine}".encode()).hexdigest()[:32] if machine else ""
    return hashed, (os.stat(root).st_ino, os.stat(root / "customers").st_ino)


def here(root: Path, card: Card, *, origin: str = "") -> Card:
    """Return a card of today's format for the place where the store lies now."""
    machine, inodes = mark(root, card.uuid)
    return Card(FORMAT, card.uuid, machine, inodes, origin)


def origin(root: Path, card: Card) -> str:
    """Return why a store may be older than what really happened: ``restored``, ``copied``, or nothing."""
    if card.origin:
        return card.origin
    machine, inodes = mark(root, card.uuid)
    moved = bool(machine and card.machine and machine != card.machine)
    return COPIED if moved or inodes != card.inodes else ""


def write(root: Path, card: Card) -> None:
    """Write a card durably. The caller marks the step."""
    files.replace_file(root / NAME, card.encoded())


def mark_restored(root: Path) -> None:
    """Say that a store was put back from a backup: for whoever restores, as the last thing that is written.

    Raises:
        StoreFault: there is no card that can be read.
        OSError: the disk refused.
    """
    card = read(root)
    files.make_folder(root / "customers")
    write(root, msgspec.structs.replace(here(root, card, origin=RESTORED), format=card.format))


def create(root: Path, random: Randomness, steps: Steps) -> Card:
    """Make a store of an empty folder.

    Raises:
        StoreFault: something else lies there.
    """
    strangers = [item.name for item in root.iterdir() if item.name not in _MAY_LIE_THERE]
    if not strangers and (root / "customers").is_dir():
        strangers = [f"customers/{item.name}" for item in (root / "customers").iterdir()]
    if strangers:
        raise StoreFault(
            f"{root} is no store: it holds {sorted(strangers)[0]!r} but no {NAME}. Nothing was changed.",
            "Name an empty folder, or put store.toml back.",
        )
    os.chmod(root, 0o700)
    with steps.durable(Step.STORE_CREATE):
        files.make_folder(root / "customers")
        card = here(root, Card(FORMAT, random.token()))
        write(root, card)
    return card
