"""The commands inside a running console: its ``:`` line is parsed by the same parsers and done by the same functions.

A command that is about a customer or a conversation need not name it there: the one that the keyboard is on is meant.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from agentconsole.cli.context import Context
from agentconsole.cli.parser import TABLE, Command, Parser, module
from agentconsole.errors import AgentConsoleError, UsageError
from agentconsole.ui.line import Changed, Word

if TYPE_CHECKING:
    from agentconsole.desk import Act, Agent, Desk, Done, Target
    from agentconsole.domain.model import EntryId

OUTSIDE: Final = frozenset(
    {
        *("console", "demo", "init", "config", "doctor", "channels", "serve", "stop", "restart", "import", "store"),
        *("lock", "keys", "send"),
    }
)
"""Commands that a console does not offer: they set up, run or end the hub, want a terminal, or send past the draft."""

TARGETS: Final = ("CONVERSATION", "CUSTOMER")


class _Watched:
    """A desk that remembers what was changed by ``work`` and ``undo``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.begin()

    def begin(self) -> None:
        self.made: list[EntryId] = []
        self.undone: list[EntryId] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def work(self, who: Agent, request: str, targets: Sequence[Target], act: Act) -> tuple[Done, ...]:
        done = await self._desk.work(who, request, targets, act)
        self.made += [entry for one in done for entry in one.entries]
        return done

    async def undo(self, who: Agent, request: str, entries: Sequence[EntryId]) -> tuple[Done, ...]:
        done = await self._desk.undo(who, request, entries)
        self.undone += [entry for one in done if not one.code for entry in one.entries]
        return done


class Inside:
    """Args:
    outer: the run that opened the console; commands share its configuration.
    """

    def __init__(self, outer: Context, desk: Desk, who: Agent) -> None:
        self._outer, self._desk, self._who = outer, _Watched(desk), who

    def changed(self) -> Changed:
        return Changed(tuple(self._desk.made), tuple(self._desk.undone))

    def verbs(self) -> list[Word]:
        return [Word(name, summary) for name, (_, summary) in TABLE.items() if name not in OUTSIDE]

    async def words(self, before: Sequence[str]) -> list[Word]:
        if before[0] not in TABLE or before[0] in OUTSIDE:
            return []
        return await asyncio.to_thread(self._words, before)

    def _words(self, before: Sequence[str]) -> list[Word]:
        command, _, rest = _find(before)
        if command.actions is not None:
            return [Word(name, summary) for name, (summary, _) in command.actions.items()]
        parser = _parser(before, command)
        place = sum(not word.startswith("-") for word in rest)
        found: list[Word] = []
        positional = [action for action in parser._actions if not action.option_strings and not _is_target(action)]
        for action in positional[place : place + 1] or positional[-1:]:
            found += _values(action)
        for action in parser._actions:
            if action.option_strings and not set(action.option_strings) & {"--key", *rest}:
                found.append(Word(action.option_strings[-1], action.help or ""))
            if rest and rest[-1] in action.option_strings and action.nargs != 0:
                return list(_values(action))
        return found

    async def run(self, words: Sequence[str], customer: str, conversation: str) -> str:
        args = await asyncio.to_thread(self._parse, words, customer, conversation)
        if not inspect.iscoroutinefunction(args.run):
            raise UsageError(f"{words[0]} works only in a shell. Nothing was done.", f"Type: agentconsole {words[0]}")
        out = io.StringIO()
        self._desk.begin()
        outer = self._outer

        @asynccontextmanager
        async def lent(_: Context) -> AsyncIterator[tuple[Desk, Agent]]:
            yield cast("Desk", self._desk), self._who

        inner = Context(args, replace(outer.world, stdin=io.StringIO(), stdout=out, stderr=out, connect=lent))
        inner.config, inner.profile, inner.words = outer.config, outer.profile, outer.words
        code = await args.run(inner)
        if code:
            raise AgentConsoleError(out.getvalue().strip() or f"{words[0]} did not work.", "")
        told = out.getvalue()
        for here in filter(None, (conversation, customer)):
            told = told.replace(f"; {here}\n", "\n")  # whom the keyboard is on stands on the screen
        return told

    def _parse(self, words: Sequence[str], customer: str, conversation: str) -> argparse.Namespace:
        """Parse a line with the target taken for granted; where that does not work out, as a shell would."""
        command, _, rest = _find(words)
        if command.actions is not None:
            raise UsageError(
                f"{' '.join(words)} needs a further word. Nothing was done.", f"One of: {', '.join(command.actions)}"
            )
        try:
            return _understand(words, command, rest, customer, conversation)
        except UsageError as error:
            try:
                return _understand(words, command, rest)
            except UsageError:
                raise error from None


def _find(words: Sequence[str]) -> tuple[Command, list[str], list[str]]:
    """Return the command that words name, those words, and the words after them."""
    command = module(TABLE[words[0]][0])[words[0]]
    named, rest = [words[0]], list(words[1:])
    while command.actions is not None and rest and rest[0] in command.actions:
        named.append(rest[0])
        command = command.actions[rest.pop(0)][1]
    if command.actions is not None and rest:
        Parser(prog=f":{' '.join(named)}", add_help=False).error(
            f"invalid choice: '{rest[0]}' (choose from {', '.join(map(repr, command.actions))})"
        )
    return command, named, rest


def _parser(words: Sequence[str], command: Command) -> Parser:
    parser = Parser(prog=f":{words[0]}", add_help=False)
    if command.fill is not None:
        command.fill(parser)
    return parser


def _understand(
    words: Sequence[str], command: Command, rest: Sequence[str], customer: str = "", conversation: str = ""
) -> argparse.Namespace:
    parser = _parser(words, command)
    target = next((action for action in parser._actions if _is_target(action)), None)
    if target is not None and customer:
        meant = conversation if "CONVERSATION" in str(target.metavar) and conversation else customer
        parser.grant(target, [meant] if target.nargs in ("+", "*") else meant)
    args, left = parser.parse_known_args(rest)
    if left and getattr(args, "text", "") is None and not any(word.startswith("--") for word in left):
        args.text, left = " ".join(left), []
    if left:
        parser.error(f"unrecognized arguments: {left[0]}")
    args.run = command.run
    return args


def _is_target(action: argparse.Action) -> bool:
    return not action.option_strings and any(name in str(action.metavar).split("|") for name in TARGETS)


def _values(action: argparse.Action) -> Iterator[Word]:
    if action.choices is not None:
        yield from (Word(str(choice), "") for choice in action.choices)
    elif action.metavar or not action.option_strings:
        kind = str(action.metavar or action.dest.upper())
        yield Word(kind, action.help or "", kind)
