"""How a proof says what it found: one table, and an exit code that fails where a figure does."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime

import agentconsole


@dataclass
class Report:
    """The figures of one proof.

    Args:
        title: what was proven.
        command: what runs it again, with seed and numbers.
    """

    title: str
    command: str
    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def add(self, what: str, figure: object, wanted: str, ok: bool) -> None:
        """Add a figure.

        Args:
            wanted: the figure that was promised, in words.
            ok: whether it was reached.
        """
        self.rows.append((what, str(figure), wanted, ok))

    @property
    def ok(self) -> bool:
        return bool(self.rows) and all(row[3] for row in self.rows)

    def __str__(self) -> str:
        now = datetime.now(UTC)
        head = (
            f"{self.title} ({now:%Y-%m-%d %H:%M} UTC, CPython {platform.python_version()}, {agentconsole.__version__})"
        )
        lines = [head, f"$ {self.command}", "", "| what | figure | wanted | |", "|---|---|---|---|"]
        lines += [
            f"| {what} | {figure} | {wanted} | {'ok' if ok else '**FAILED**'} |"
            for what, figure, wanted, ok in self.rows
        ]
        return "\n".join(lines)

    def finish(self) -> int:
        """Print the table and return the exit code."""
        print(self, flush=True)
        return 0 if self.ok else 1
