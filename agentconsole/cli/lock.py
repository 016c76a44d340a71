"""``lock``: the PIN that opens the agent's own blanked console."""

from __future__ import annotations

import getpass

from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command
from agentconsole.config import pin
from agentconsole.errors import UsageError


def set_pin(context: Context) -> int:
    """Ask for a PIN twice and keep it hashed."""
    world, words = context.world, context.words
    if world.stdin.isatty():
        first = getpass.getpass(words.say("pin.type"), stream=world.stderr)
        again = getpass.getpass(words.say("pin.again"), stream=world.stderr)
    else:
        first = again = world.stdin.readline().rstrip("\n")
    if first != again:
        raise UsageError("The two are not the same. No PIN was set.", "Run the command again.")
    path = pin.place(world.environ)
    try:
        pin.keep(path, first)
    except ValueError as error:
        raise UsageError(f"{error} No PIN was set.", "Run the command again.") from error
    context.out.result({"pin": True, "file": str(path)}, words.say("pin.set", path=str(path)))
    return 0


def remove_pin(context: Context) -> int:
    """Take the PIN away; a blanked screen opens at any key then."""
    path = pin.place(context.world.environ)
    removed = pin.forget(path)
    context.out.result({"pin": False, "removed": removed}, context.words.say("pin.removed" if removed else "pin.none"))
    return 0


COMMANDS = {
    "lock": Command(
        None,
        actions={
            "set-pin": ("set the PIN that opens the blanked console", Command(set_pin)),
            "remove-pin": ("let any key open it again", Command(remove_pin)),
        },
    )
}
