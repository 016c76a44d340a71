"""The ``:`` line: the console's actions and the shell's commands by name, with what follows them; and ``.``.

``:close`` is the action of that name, ``:view mine`` the one of name and argument; everything else is a command of the
shell, done in this console for the conversation that the keyboard is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from agentconsole.domain.model import CustomerId
from agentconsole.ui import fuzzy, keys
from agentconsole.ui.asking import Asker
from agentconsole.ui.draw import our, row, safe, wrap
from agentconsole.ui.keys import Action
from agentconsole.ui.line import Word, split_line
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

_SHELL: Final = re.compile(r"\bagentconsole ([a-z]+)")

HISTORY: Final = 200
_NAME_CELLS = 18
_STRIP_LINES = 2


@dataclass(frozen=True)
class Completion:
    """What the tab key puts at the end of the line."""

    line: str


class CommandLine(Asker):
    """Args:
    app: the console whose actions it names.
    """

    name = "command"

    def __init__(self, app: Console) -> None:
        super().__init__(app)
        self._lines: list[str] = []
        self._back = 0
        """How many lines back in what was typed before."""

    async def begin(self) -> None:
        self._back = 0
        self.app.show_page("command", ())
        if self.app.acting.prompt is not None:
            self.app.focus_on(self.app.acting.prompt)
        self.changed("")

    def end(self) -> None:
        if self.app.page_kind == "command":
            self.app.close_page()

    @property
    def typed(self) -> str:
        prompt = self.app.acting.prompt
        return prompt.typed if prompt is not None else ""

    def put(self, line: str) -> None:
        if self.app.acting.prompt is not None:
            self.app.acting.prompt.put(line)

    # -- what may be typed ----------------------------------------------------------------------------------

    def changed(self, words: str) -> None:
        self.app.start(partial(self._show_completions, self.typed), "complete")

    async def _show_completions(self, typed: str) -> None:
        words = await self._words(typed)
        say = self.app.say
        items = [
            Item(
                row(
                    our(" "),
                    (our(safe(word.text, _NAME_CELLS).ljust(_NAME_CELLS)), "key"),
                    our(" "),
                    (safe(word.help, 200), "dim"),
                ),
                Completion(f"{_before(typed)}{word.text} ") if not word.kind else None,
            )
            for word in words
        ]
        if self.app.page_kind == "command" and self.typed == typed:
            self.app.page.show(items or [Item(row(our(" "), (say("command.none"), "dim")))])

    async def _words(self, typed: str) -> list[Word]:
        """Return what may stand where the caret is, best first."""
        before = split_line(_before(typed))
        last = typed[len(_before(typed)) :]
        commands = self.app.settings.commands
        found: dict[str, Word] = {}
        if not before:
            own = [Word(_verb(action), self._help(action)) for action in self._named() if not action.argument]
            shell = commands.verbs() if commands is not None else ()
            groups = dict.fromkeys(_verb(action) for action in self._named() if action.argument)
            own += [Word(verb, self.app.say(f"command.{verb}")) for verb in groups]
            found = {word.text: word for word in own}
            for word in shell:
                both = found.get(word.text)
                found[word.text] = Word(word.text, f"{both.help}; {word.help}" if both is not None else word.help)
        else:
            for action in self._named():
                if action.argument and _verb(action) == before[0] and len(before) == 1:
                    found[action.argument] = Word(action.argument, self._help(action))
            if commands is not None:
                for word in await commands.words(before):
                    found.setdefault(word.text, word)
                    found |= {name: Word(name, "") for name in self._values(word.kind)}
        if not last:
            return list(found.values())
        starts = [word for word in found.values() if word.text.startswith(last)]
        rest = fuzzy.ranked(last, (((w.text, w.help), w) for w in found.values() if w not in starts and not w.kind))
        return [*starts, *rest]

    def _help(self, action: Action) -> str:
        names = " ".join(self.app.say.keymap.keys_anywhere(action.name))
        return f"{self.app.say(action.title)}  {names}".rstrip()

    def _values(self, kind: str) -> Iterator[str]:
        """Yield what is known of a kind of value, as the commands of the shell call it."""
        lines = [line for _, line in self.app.queue.lines()]
        if kind == "AGENT":
            yield from dict.fromkeys(name for name in (self.app.who.name, *(line.assignee for line in lines)) if name)
        elif kind == "TAG":
            yield from dict.fromkeys(tag for line in lines for tag in getattr(line, "tags", ()))
        elif kind in ("CUSTOMER", "OTHER"):
            yield from dict.fromkeys(line.customer for line in lines)

    def on_line(self, hint: str) -> str:
        """Return a hint with the shell's commands as they are typed on the line, where it takes them."""
        commands = self.app.settings.commands
        known = {word.text for word in commands.verbs()} if commands is not None else set()
        return _SHELL.sub(lambda found: f":{found[1]}" if found[1] in known else found[0], hint)

    def _named(self) -> Iterator[Action]:
        """Yield the actions that have a name on the line."""
        seen: set[str] = set()
        for action in self.app.say.keymap.actions:
            if action.palette and action.name not in seen and set(action.where) & {*keys.READING, "box"}:
                seen.add(action.name)
                yield action

    # -- keys of the line -----------------------------------------------------------------------------------

    def complete(self) -> None:
        """Put in what all that fits begins with, else the marked one."""
        typed = self.typed
        fits = [item.value.line for item in self.app.page.items if isinstance(item.value, Completion)]
        same = [line for line in fits if line.startswith(typed)]
        common = "".join(signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*same, strict=False)))
        chosen = self.app.page.chosen
        line = common if len(common) > len(typed) else chosen.line if isinstance(chosen, Completion) else ""
        if line:
            self.put(line)

    def move(self, by: int) -> None:
        """Show an earlier line, or a later one."""
        self._back = max(min(self._back - by, len(self._lines)), 0)
        self.put(self._lines[-self._back] if self._back else "")

    # -- doing it -------------------------------------------------------------------------------------------

    async def submit(self, words: str) -> bool:
        self.app.acting.close_prompt()
        await self.run_line(words)
        return False

    async def run_line(self, line: str) -> None:
        """Do what a line says."""
        words = split_line(line)
        if not words:
            return
        if line not in self._lines[-1:]:
            self._lines = [*self._lines, line][-HISTORY:]
        action = self._action(words)
        commands = self.app.settings.commands
        if action is not None:
            await self.app.act(action)
        elif words[0] == "search":
            self.app.acting.search_for(line.split(None, 1)[1], CustomerId(""))
        elif words[0] == "init":
            self.app.acting.add_account(words[1:])
        elif commands is not None and any(word.text == words[0] for word in commands.verbs()):
            await self._again(words)
            self.app.acting.repeats(partial(self._again, words))
        else:
            near = fuzzy.ranked(words[0], (((word.text,), word.text) for word in await self._words("")))
            known = f"{self.app.say('command.near', name=near[0])}" if near else ""
            self.app.tell_text(our(f"{self.app.say('command.unknown', name=words[0])} {known}".rstrip()), "warn")

    def _action(self, words: Sequence[str]) -> Action | None:
        wanted = _name(words[0]), "_".join(words[1:]).replace("-", "_")
        for action in (*self._named(), *self.app.say.keymap.actions):
            if (action.id, action.argument.replace("-", "_")) == wanted and set(action.where) & {*keys.READING, "box"}:
                return action
        return None

    async def _shell(self, words: Sequence[str]) -> None:
        app, commands = self.app, self.app.settings.commands
        assert commands is not None
        line, opened = app.queue.chosen, app.reading.opened
        if app.where == "list" and line is not None:
            customer, conversation = line.customer, line.conversation
        elif opened is not None:
            customer, conversation = opened.customer.id, opened.conversation
        else:
            customer = conversation = None  # type: ignore[assignment]
        try:
            told = await commands.run(words, customer or "", conversation or "")
        finally:
            changed = commands.changed()
            app.acting.forget_undo(changed.undone)
            app.acting.worked(changed.made)
        lines = told.rstrip().split("\n")
        if len(lines) <= _STRIP_LINES and sum(map(len, lines)) < _STRIP_LINES * app.size.width:
            app.tell_text(safe(" ".join(part.strip() for part in lines), 400) or app.say("command.done"), "good")
        else:
            width = app.acting.page_width()
            items = [Item(row(our(" :"), (safe(" ".join(words), 100), "title")))]
            items += [
                Item(row(our("  "), part))
                for text in lines
                for part in (list(wrap(safe(text, 2000), width - 3, 20)) or [our("")])
            ]
            app.show_page("told", items)
        await app.reading.renew()

    async def _again(self, words: Sequence[str]) -> None:
        self.app.acting.run(partial(self._shell, words))


def _before(typed: str) -> str:
    """Return the line up to the word that the caret is in."""
    return typed[: typed.rfind(" ") + 1]


def _verb(action: Action) -> str:
    return action.id.replace("_", "-")


def _name(word: str) -> str:
    return word.replace("-", "_")
