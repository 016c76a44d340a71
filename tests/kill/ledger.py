"""What the store holds, read by nothing of ours: the customers' files are JSON, and that is all this module knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARRIVED = ("sent", "delivered", "read")


@dataclass
class Ledger:
    """The entries of all customers, by record, oldest first."""

    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [entry for rows in self.entries.values() for entry in rows if entry["type"] == kind]

    def texts(self) -> list[str]:
        """Return what customers wrote."""
        return [str(entry.get("text", "")).strip() for entry in self.all("received")]

    def state(self, reply: str) -> str:
        """Return where a reply stands by its receipts: the furthest that was reached, else the last one told."""
        told = [str(entry["state"]) for entry in self.all("receipt") if entry["reply"] == reply]
        arrived = [state for state in told if state in ARRIVED]
        return arrived[-1] if arrived else told[-1] if told else "queued"


def read(store: Path) -> Ledger:
    """Read every customer's head and its sealed volumes."""
    found = Ledger()
    for path in sorted(store.glob("customers/*/*.json")):
        if path.stem.count("."):
            continue
        head = json.loads(path.read_bytes())
        rows: dict[str, dict[str, Any]] = {}
        for number in sorted(head.get("volumes", {})):
            rows |= json.loads(path.with_name(f"{path.stem}.m{number}.json").read_bytes())["entries"]
        rows |= head.get("entries", {})
        found.entries[path.stem] = [{"id": key, **row} for key, row in rows.items()]
    return found


def drafts(store: Path) -> list[str]:
    return sorted(json.loads(path.read_bytes())["text"] for path in store.glob("drafts/*/*.json"))


def holding(folder: Path, text: str) -> list[Path]:
    """Return every file of a folder that holds a text, as UTF-8 or as JSON writes it."""
    forms = {text.encode(), json.dumps(text)[1:-1].encode()}
    return [path for path in files(folder) if any(form in path.read_bytes() for form in forms)]


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
