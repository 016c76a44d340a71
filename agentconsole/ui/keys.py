"""Every key and what it does: the one registry behind dispatch, footer, help, palette, ``:`` and documentation.

What an agent's own keys change of it is ``keymap``'s; what may stand here and there, ``key_check``'s.

A context is where the keyboard is: ``list`` (the queue), ``conversation`` (timeline), ``paper`` (help, health,
outbox, found entries), ``box`` (a text is being typed), ``prompt`` (one line is asked for). A key means the same verb
wherever it means anything, apart from ``MOVING``; inside ``box`` only control and function keys command, and what
follows ``ctrl+x``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agentconsole.ui.look import THEMES

LEVELS: Final = ("none", "mine", "queue", "all")
"""Of whose messages a notice is for."""

READING: Final = ("list", "conversation", "paper")
TYPING: Final = ("box", "prompt")
EVERYWHERE: Final = (*READING, *TYPING)
PERSON: Final = ("list", "conversation")
DECIDED: Final = ("conversation", "paper")
"""Where the keyboard can be on a reply that may have gone out or failed."""

MOVING: Final = frozenset({"enter", "escape", "tab", "shift+tab", "up", "down", "left", "right"})
"""The only keys that may mean another action in another context: each moves within, into or out of what is there."""


@dataclass(frozen=True)
class Action:
    """Args:
    id: names the verb; ``Console`` has a method ``do_<id>``, the catalogue a title ``action.<id>``.
    keys: names as Textual's parser gives them; two in one word separated by a space are a chord.
    where: the contexts in which the keys work.
    changes: it changes state that others see: never fired by a key that a Korean input method passed through.
    argument: handed to the method.
    palette: offered in the command palette.
    repeats: ``.`` may do it again, to what the keyboard is on then.
    """

    id: str
    keys: tuple[str, ...]
    where: tuple[str, ...]
    changes: bool = False
    argument: str = ""
    palette: bool = False
    repeats: bool = False

    @property
    def title(self) -> str:
        return f"action.{self.name}"

    @property
    def name(self) -> str:
        return self.id + (f".{self.argument}" if self.argument else "")


VIEWS: Final = {
    "i": "waiting",
    "m": "mine",
    "u": "unassigned",
    "a": "open",
    "f": "failed",
    "c": "resolved",
    "s": "snoozed",
    "t": "tasks",
    "x": "spam",
}

ACTIONS: Final[tuple[Action, ...]] = (
    Action("open", ("enter", "l", "right"), ("list",)),
    Action("choose", ("enter",), ("paper",)),
    Action("reply", ("r",), PERSON, palette=True),
    Action("write_first", ("m",), PERSON, palette=True),
    Action("note", ("i",), PERSON, palette=True),
    Action("assign", ("a",), PERSON, changes=True, palette=True, repeats=True),
    Action("assign_to", ("A",), PERSON, changes=True, palette=True),
    Action("close", ("c",), PERSON, changes=True, palette=True, repeats=True),
    Action("reopen", ("o",), PERSON, changes=True, palette=True, repeats=True),
    Action("snooze", ("s",), PERSON, changes=True, palette=True),
    Action("tag", ("t",), PERSON, changes=True, palette=True),
    Action("priority", ("p",), PERSON, changes=True, palette=True),
    Action("task", ("b b",), PERSON, changes=True, palette=True),
    Action("task_done", ("b d",), PERSON, changes=True, palette=True),
    Action("log", ("L",), PERSON, changes=True, palette=True),
    Action("spam", ("B s",), PERSON, changes=True, palette=True),
    Action("block", ("B b",), PERSON, changes=True, palette=True),
    Action("mute", ("B m",), PERSON, changes=True, palette=True),
    Action("split_conversation", ("C s",), ("conversation",), changes=True, palette=True),
    Action("join_conversation", ("C j",), PERSON, changes=True, palette=True),
    Action("mark", ("v",), ("list",), palette=True),
    Action("link", ("I",), PERSON, changes=True, palette=True),
    Action("refuse_link", ("X",), PERSON, changes=True, palette=True),
    Action("postpone_link", ("P",), PERSON, changes=True, palette=True),
    Action("open_history", ("O",), PERSON, changes=True, palette=True),
    Action("trust_sender", ("T",), PERSON, changes=True, palette=True),
    Action("undo", ("u",), READING, changes=True, palette=True),
    Action("next_waiting", ("]",), READING, palette=True),
    Action("previous_waiting", ("[",), READING, palette=True),
    Action("next_row", ("J",), READING),
    Action("previous_row", ("K",), READING),
    Action("why", ("w", "f2"), PERSON, palette=True),
    Action("why", ("f2", "ctrl+underscore", "ctrl+slash"), ("box",)),
    Action("reveal", ("V",), ("conversation",), changes=True, palette=True),
    Action("unfold", ("z a",), ("conversation",)),
    Action("zoom", ("z z",), READING, palette=True),
    Action("card", ("3",), READING, palette=True),
    Action("pane", ("1",), READING, argument="queue"),
    Action("pane", ("2",), READING, argument="timeline"),
    Action("pane", ("4",), READING, argument="reply"),
    Action("next_pane", ("tab",), (*READING, "box")),
    Action("previous_pane", ("shift+tab",), (*READING, "box")),
    Action("search", ("/",), READING, palette=True),
    Action("next_hit", ("n",), READING),
    Action("previous_hit", ("N",), READING),
    Action("filter", ("\\",), ("list",), palette=True),
    Action("switch", ("f", "ctrl+k"), READING, palette=True),
    Action("evidence", ("E",), READING, palette=True),
    Action("health", ("!",), READING, palette=True),
    Action("init", ("+",), READING, palette=True),
    Action("outbox", ("g o",), READING, palette=True),
    Action("uncertain", ("U", "g ?"), READING, palette=True),
    Action("check", ("d c",), DECIDED, changes=True),
    Action("resend", ("d s",), DECIDED, changes=True),
    Action("fallback", ("d f",), DECIDED, changes=True, palette=True),
    Action("mark_sent", ("d m",), DECIDED, changes=True),
    Action("cancel", ("d x",), DECIDED, changes=True),
    Action("damaged", ("D",), READING, palette=True),
    Action("redact", ("R",), ("conversation",), changes=True, palette=True),
    Action("erase", (), PERSON, changes=True, palette=True),
    Action("split_customer", (), PERSON, changes=True, palette=True),
    Action("unsplit_customer", (), PERSON, changes=True, palette=True),
    *(Action("view", (f"g {key}",), READING, argument=view, palette=True) for key, view in VIEWS.items()),
    *(Action("saved", (f"g {number}",), READING, argument=str(number)) for number in range(1, 10)),
    Action("drafts", ("g d",), READING, palette=True),
    Action("send", ("ctrl+s",), ("box",)),
    Action("next_route", ("ctrl+t",), ("box",)),
    Action("next_conversation", ("ctrl+o",), ("box",)),
    Action("send_anyway", ("f8", "ctrl+right_square_bracket"), ("box",)),
    Action("set_aside", ("ctrl+n",), ("box",)),
    Action("recover", ("ctrl+x z",), ("box",)),
    Action("stop_send", ("f9", "ctrl+x u"), ("box",)),
    Action("stop_send", ("f9", "ctrl+x u"), READING, changes=True, palette=True),
    Action("send_now", ("ctrl+x n",), (*READING, "box"), changes=True, palette=True),
    Action("schedule", ("f10", "ctrl+x s"), ("conversation", "box"), changes=True, palette=True),
    Action("take_over", ("f3", "ctrl+x k"), (*PERSON, "box"), changes=True),
    Action("templates", ("ctrl+r",), ("box",)),
    Action("edit", ("f4", "ctrl+x e"), ("box",)),
    Action("edit", ("e",), ("conversation",), palette=True),
    Action("attach", ("f5", "ctrl+x a"), ("box",)),
    Action("quote", ("ctrl+x q",), ("box",)),
    Action("preview", ("ctrl+x p",), ("box",)),
    Action("recipients", ("ctrl+x d",), ("box",)),
    Action("files", ("x",), ("conversation",), palette=True),
    Action("put_known", ("ctrl+g",), ("box",)),
    Action("remember", ("ctrl+backslash", "ctrl+x r"), ("box",), changes=True),
    Action("down", ("j", "down"), READING),
    Action("up", ("k", "up"), READING),
    Action("page_down", ("pagedown", "ctrl+d", "space"), READING),
    Action("page_up", ("pageup", "ctrl+u"), READING),
    Action("home", ("home", "g g"), READING),
    Action("end", ("end", "G"), READING),
    Action("back", ("escape",), EVERYWHERE),
    Action("left", ("h", "left"), ("conversation",)),
    Action("help", ("?", "f1"), READING, palette=True),
    Action("help", ("f1", "ctrl+x h"), ("box",)),
    Action("palette", ("ctrl+p",), READING),
    Action("palette", ("ctrl+p",), ("box",)),
    Action("copy", ("y",), READING, palette=True),
    *(Action("theme", (), READING, argument=name, palette=True) for name in THEMES),
    *(Action("notify", (), READING, argument=level, palette=True) for level in LEVELS),
    Action("lock", (), READING, palette=True),
    Action("command", (":",), READING),
    Action("repeat", (".",), PERSON, changes=True, palette=True),
    Action("redraw", ("ctrl+l",), EVERYWHERE, palette=True),
    Action("suspend", ("ctrl+z",), READING),
    Action("submit", ("enter",), ("prompt",)),
    Action("complete", ("tab",), ("prompt",)),
    Action("prompt_down", ("down",), ("prompt",)),
    Action("prompt_up", ("up", "shift+tab"), ("prompt",)),
    Action("quit", ("q", "ctrl+q"), READING, palette=True),
    Action("quit", ("ctrl+q",), TYPING),
)

FOOTER: Final[dict[str, tuple[str, ...]]] = {
    "list": ("open", "reply", "search", "next_waiting", "palette", "help"),
    "conversation": ("reply", "note", "assign", "close", "back", "help"),
    "paper": ("back", "help"),
    "search": ("choose", "next_hit", "search", "back", "help"),
    "outbox": ("check", "resend", "fallback", "mark_sent", "cancel", "back"),
    "uncertain": ("check", "resend", "mark_sent", "cancel", "choose", "back"),
    "damaged": ("choose", "back", "help"),
    "health": ("choose", "init", "uncertain", "outbox", "back", "help"),
    "box": ("send", "back", "next_route", "why", "palette"),
    "prompt": ("submit", "back"),
}
"""At most six hints: the rest is one key away."""

SHOWN: Final = {
    "ctrl+right_square_bracket": "ctrl+]",
    "ctrl+underscore": "ctrl+/",
    "ctrl+slash": "ctrl+/",
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "ctrl+backslash": "ctrl+\\",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
}


MOVES: Final = frozenset(
    {
        *(
            "saved",
            "drafts",
            "down",
            "up",
            "page_down",
            "page_up",
            "home",
            "end",
            "next_row",
            "previous_row",
            "next_waiting",
        ),
        *("previous_waiting", "back", "left", "pane", "next_pane", "previous_pane", "view", "outbox", "uncertain"),
        *("damaged", "health", "card", "why", "unfold", "zoom", "help", "next_hit", "previous_hit"),
    }
)
"""Actions that only move or show: done even where a composed syllable is all that came of their keys."""


def index(actions: Iterable[Action] = ACTIONS) -> dict[tuple[str, str], Action]:
    """Return context and key → action.

    Raises:
        ValueError: two actions want the same key in the same context, a key means another verb in another context,
            or a key is both an action and the beginning of a chord.
    """
    found: dict[tuple[str, str], Action] = {}
    verbs: dict[str, Action] = {}
    actions = tuple(actions)
    first = {key.split(" ")[0] for action in actions for key in action.keys if " " in key}
    for action in actions:
        for key in action.keys:
            verb = verbs.setdefault(key, action)
            if verb.title != action.title and key not in MOVING and not set(verb.where) & set(action.where):
                raise ValueError(f"key {key} means {verb.id} in {verb.where[0]} and {action.id} in {action.where[0]}")
            if key in first:
                raise ValueError(f"key {key} means {action.id} and begins a chord")
        for where in action.where:
            for key in action.keys:
                other = found.setdefault((where, key), action)
                if other is not action:
                    raise ValueError(f"key {key} means both {other.id} and {action.id} in {where}")
    return found


def shown_key(key: str) -> str:
    """Return a key as the footer and the help write it."""
    return " ".join(SHOWN.get(part, part) for part in key.split(" "))


index(ACTIONS)
