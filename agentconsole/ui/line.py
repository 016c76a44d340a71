"""The words of a ``:`` line, and what the console needs of the shell's commands to do them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agentconsole.domain.model import EntryId


@dataclass(frozen=True)
class Word:
    """A word that may stand at a place of a line.

    Args:
        kind: not empty: any word of this kind may, named as in the commands' help (``AGENT``, ``WHEN`` …).
    """

    text: str
    help: str
    kind: str = ""


@dataclass(frozen=True)
class Changed:
    """What a command changed.

    Args:
        made: what the hub keeps of it (``Desk.undo``).
        undone: what it took back.
    """

    made: tuple[EntryId, ...] = ()
    undone: tuple[EntryId, ...] = ()


class Commands(Protocol):
    """The shell's commands, done in this console."""

    def verbs(self) -> Sequence[Word]:
        """Return the commands that make sense here, with their summaries."""
        ...

    async def words(self, before: Sequence[str]) -> Sequence[Word]:
        """Return what may follow these words."""
        ...

    async def run(self, words: Sequence[str], customer: str, conversation: str) -> str:
        """Do a command on a conversation, which need not be named in it, and return what it says.

        Raises:
            AgentConsoleError: it was refused or failed.
        """
        ...

    def changed(self) -> Changed:
        """Return what the command that was run last changed, also where it failed half-way."""
        ...


def split_line(line: str) -> list[str]:
    """Return the words of a line; only double quotes hold words together, for people write don't."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.quotes, lexer.escape, lexer.commenters = True, '"', "", ""
    try:
        return list(lexer)
    except ValueError:  # a quote without its end
        return line.replace('"', " ").split()
