"""``docs/keys.md``, made of the registry: ``python -m agentconsole.ui.keys_page > docs/keys.md``."""

from __future__ import annotations

import sys
from typing import Final

from agentconsole.ui import keys
from agentconsole.ui.keymap import Keymap
from agentconsole.ui.strings import CATALOGUE

_TITLES: Final = {
    "list": "In the list of conversations",
    "conversation": "In a conversation",
    "paper": "On a page: outbox, what may have gone out, damaged customers, found entries, accounts, help",
    "box": "While a text is typed",
    "prompt": "Where words are asked for",
}


def page() -> str:
    """Return the page: one table for every place that the keyboard can be in."""
    texts, keymap = CATALOGUE["en"], Keymap()
    lines = [
        "# Keys of the console",
        "",
        "Made from `agentconsole/ui/keys.py` by `python -m agentconsole.ui.keys_page > docs/keys.md`; a test keeps it",
        "so.",
        "",
        "A key means the same verb wherever it means anything. While a text is typed, only control and function keys",
        "command, and what follows `ctrl+x`, which cuts nothing here: mark a text and delete it instead. Two keys are",
        "pressed one after the other; after the first one a line shows what may follow. What cannot be taken back is",
        "asked once: `y` does it, any other key leaves it. Most of this, and what has no key, is also found by its",
        "words in the palette (`ctrl+p`).",
    ]
    for where, title in _TITLES.items():
        lines += ["", f"## {title}", "", "| key | what it does |", "|---|---|"]
        for name, shown in keymap.in_context(where).items():
            cells = " ".join(f"`{key}`" for key in shown).replace("|", "\\|")
            lines.append(f"| {cells} | {texts[name]} |")
    bare = [texts[action.title] for action in keys.ACTIONS if action.palette and not action.keys]
    lines += ["", f"Only in the palette: {', '.join(bare)}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
