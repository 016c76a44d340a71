"""``keys``: what every key of the console does for this agent, and what is wrong with the agent's own."""

from __future__ import annotations

import argparse

from agentconsole.cli import consoling
from agentconsole.cli.context import Context
from agentconsole.cli.parser import Command


def _fill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="only look for mistakes; exit 2 where there are any")


def keys(context: Context) -> int:
    """Print the keys that hold, or tell what is wrong with those of the configuration."""
    from agentconsole.ui.keys import EVERYWHERE, shown_key
    from agentconsole.ui.strings import CATALOGUE

    keymap, warnings = consoling.keymap(context.config, context.profile)
    out = context.out
    if context.args.check:
        changed = sum(len(table) for table in context.profile.keymap.values())
        told = f"The keys are right: {changed} of your own." if changed else "The keys are right: all as they come."
        out.result({"changed": changed, "warnings": warnings}, *warnings, told)
        return 0
    texts = CATALOGUE.get(context.language, CATALOGUE["en"])
    entries = [
        {
            "context": where,
            "action": action.name,
            "keys": list(dict.fromkeys(shown_key(key) for key in action.keys)),
            "title": texts[action.title],
        }
        for where in EVERYWHERE
        for action in keymap.actions
        if where in action.where
    ]
    if out.json:
        out.object({"keys": entries, "warnings": warnings})
        return 0
    for where in EVERYWHERE:
        out.line(f"[{where}]")
        for entry in entries:
            if entry["context"] == where:
                out.line(f"  {' '.join(entry['keys']) or '-':<22} {entry['action']:<22} {entry['title']}")
    for warning in warnings:
        out.talk(warning)
    return 0


COMMANDS = {"keys": Command(keys, _fill)}
