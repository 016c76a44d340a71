"""The command line. Only the named command's module is imported, so that none pays for another."""

from __future__ import annotations

import argparse
import difflib
import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from agentconsole import __version__
from agentconsole.cli.context import Run
from agentconsole.errors import UsageError


@dataclass(frozen=True)
class Command:
    """One command: ``fill`` adds its arguments, ``run`` does it and returns the exit code.

    With ``actions`` (``outbox list``), each is a command of its own and the outer ``run`` is never called.
    """

    run: Run | None
    fill: Callable[[argparse.ArgumentParser], None] | None = None
    actions: dict[str, tuple[str, Command]] | None = None


TABLE: dict[str, tuple[str, str]] = {
    "console": ("start", "the console (also without any command)"),
    "demo": ("start", "a sandbox world on this computer, to try everything"),
    "init": ("init", "set up the first account, step by step"),
    "config": ("setup", "check or show the configuration"),
    "doctor": ("setup", "try every account, TLS, file rights and disk"),
    "channels": ("setup", "list the installed channel kinds and their keys"),
    "serve": ("operating", "run the hub in the foreground"),
    "stop": ("operating", "end the hub"),
    "restart": ("operating", "end the hub and start it again"),
    "status": ("operating", "how the accounts, the outbox and the store are"),
    "sync": ("operating", "fetch from all accounts now"),
    "inbox": ("reading", "who is waiting"),
    "show": ("reading", "a customer and the timeline"),
    "search": ("reading", "find words in everything"),
    "why": ("reading", "which channel a reply would take, and why"),
    "send": ("replying", "reply to a customer"),
    "template": ("composing", "texts that are sent often"),
    "attachment": ("composing", "the files of messages: list, save, read as text"),
    "outbox": ("replying", "replies that did not arrive yet"),
    "note": ("working", "write a note"),
    "assign": ("working", "give a conversation to somebody"),
    "close": ("working", "close a conversation"),
    "reopen": ("working", "open a closed conversation again"),
    "snooze": ("working", "put a conversation off; it comes back by itself"),
    "tag": ("working", "put tags on, or take them off"),
    "priority": ("working", "how urgent a conversation is"),
    "task": ("working", "what is to be done until when"),
    "log": ("working", "write down a call, a visit or a letter"),
    "spam": ("working", "keep spam out of the queue"),
    "mute": ("working", "keep a conversation out of the queue and quiet"),
    "split": ("working", "make a part of a conversation one of its own"),
    "join": ("working", "make one conversation of two"),
    "undo": ("working", "take back what you did"),
    "view": ("reading", "the views of the queue, with their counts"),
    "keys": ("keymap", "what every key of the console does, and what is wrong with your own"),
    "lock": ("lock", "the PIN that opens a console that blanked itself"),
    "customer": ("people", "add, link, merge, preferences, consent, export, erase"),
    "redact": ("erasing", "take out what one entry says"),
    "import": ("importing", "past mail, and lists of customers, from elsewhere"),
    "suggestion": ("people", "who may be the same person, or want another channel"),
    "store": ("care", "back up, restore, check and mend the store"),
}
"""Every command: its module here and what the help says of it."""

EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused by a rule, 4 try again later, "
    "5 not found or ambiguous, 6 outcome uncertain."
)


class Parser(argparse.ArgumentParser):
    """Raises ``UsageError`` with the nearest word instead of leaving the process."""

    options: list[str] = []

    def __init__(self, **named: object) -> None:
        super().__init__(allow_abbrev=False, **named)  # type: ignore[arg-type]

    def grant(self, action: argparse.Action, value: object) -> None:
        """Take an argument for granted: it is no longer typed and has this value."""
        self._remove_action(action)
        self.set_defaults(**{action.dest: value})

    def error(self, message: str) -> NoReturn:
        hint = f"See: {self.prog} --help"
        if match := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            known = re.findall(r"'([^']*)'|([A-Za-z-]+)", match[2])
            near = difflib.get_close_matches(match[1], [a or b for a, b in known], n=1, cutoff=0.5)
            message = f"There is no {match[1]!r} here"
            hint = f"Did you mean {near[0]}? {hint}" if near else hint
        elif match := re.search(r"unrecognized arguments: (\S+)", message):
            near = difflib.get_close_matches(match[1].split("=")[0], Parser.options, n=1, cutoff=0.6)
            message = f"{match[1]} is not known here"
            hint = f"Did you mean {near[0]}? {hint}" if near else hint
        raise UsageError(message[:1].upper() + message[1:].rstrip(".") + ". Nothing was done.", hint)


def module(name: str) -> dict[str, Command]:
    """Return the commands of one module of this package."""
    found: dict[str, Command] = importlib.import_module(f"agentconsole.cli.{name}").COMMANDS
    return found


def understand(argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; no command means the console.

    Raises:
        UsageError: it means nothing.
    """
    if not {"-h", "--help"} & set(argv):
        # A parser of every command takes as long as half a first screen, and most of them are not meant.
        named = [*argv] if any(word in TABLE for word in argv) else [*argv, "console"]
        try:
            args = build(named, every=False).parse_args(named)
        except UsageError:
            pass  # said again by the one that knows every command
        else:
            if args.command is not None:
                return args
    args = build(argv).parse_args(argv)
    return args if args.command is not None else build(["console"]).parse_args([*argv, "console"])


def build(argv: Sequence[str], *, every: bool = True) -> Parser:
    """Return a parser that knows those commands in full that ``argv`` may mean, and all by name where ``every``."""
    Parser.options = []
    parser = Parser(
        prog="agentconsole",
        description="One terminal for every customer, whatever channel they write on.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"agentconsole {__version__}")
    _globals(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser, title="commands")
    for name, (where, summary) in TABLE.items():
        if not every and name not in argv:
            continue
        child = commands.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:] + ".")
        if name in argv:
            _fill(child, module(where)[name])
    return parser


def _fill(parser: argparse.ArgumentParser, command: Command) -> None:
    if command.actions is None:
        _globals(parser)
        if command.fill is not None:
            command.fill(parser)
        parser.set_defaults(run=command.run)
        Parser.options += [option for action in parser._actions for option in action.option_strings]
        return
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    for name, (summary, inner) in command.actions.items():
        child = actions.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:] + ".")
        _fill(child, inner)


def _globals(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes; it may stand before and after the command."""
    group = parser.add_argument_group("everywhere")
    add = group.add_argument
    quiet = argparse.SUPPRESS
    add("--config", metavar="FILE", default=quiet, help="the configuration (else $AGENTCONSOLE_CONFIG, else XDG)")
    add("--profile", metavar="NAME", default=quiet, help="the profile (else default_profile)")
    add("--hub", metavar="SOCKET", default=quiet, help="the hub's socket (else $AGENTCONSOLE_HUB, else the profile's)")
    add("--as", dest="as_name", metavar="NAME", default=quiet, help="act as NAME where the profile allows it")
    add("--no-start", action="store_true", default=quiet, help="do not start a hub where none runs")
    add("--json", action="store_true", default=quiet, help="print one JSON object")


def key(parser: argparse.ArgumentParser) -> None:
    """Add ``--key`` to a command that changes something."""
    parser.add_argument("--key", metavar="ID", help="request id: a repeat with the same one changes nothing more")
