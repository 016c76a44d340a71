"""The actions that ask for words: search, the command palette, a colleague's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.widget import Widget

from agentconsole.errors import AgentConsoleError
from agentconsole.ui import fuzzy, keys
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.asking import Asker
from agentconsole.ui.commanding import CommandLine
from agentconsole.ui.draw import our, row, width_of
from agentconsole.ui.strings import CATALOGUE
from agentconsole.ui.widgets.bar import Bar
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.widgets.boxes import Prompt


class PromptActions(ActingPart):
    def __init__(self, app: Console) -> None:
        super().__init__(app)
        self.prompt: Prompt | None = None
        self._ask: Widget | None = None
        self._label: Bar | None = None
        self._asking = ""
        self._asker: Asker | None = None
        self.line = CommandLine(app)

    async def do_command(self) -> None:
        await self.ask_words(self.line)

    async def do_palette(self) -> None:
        await self.open_prompt("palette")

    async def ask_words(self, asker: Asker) -> None:
        """Open the prompt for something that is picked or completed while it is typed."""
        await self.open_prompt(asker.name)
        self._asker = asker
        await asker.begin()

    async def open_prompt(self, what: str) -> None:
        app = self.app
        self._end_asker()
        if self.prompt is None:
            await app.boxes()
            from agentconsole.ui.widgets.boxes import Prompt

            self.prompt = Prompt(id="prompt")
            self._label = Bar(lambda _width: [row((our(" " + app.say(f"prompt.{self._asking}")), "bold"))])
            self._ask = Horizontal(self._label, self.prompt, id="ask")
            await app.screen.mount(self._ask, before=app.footer)
        assert self._ask is not None
        assert self._label is not None
        self._asking = what
        if app.focused is not self.prompt:
            self.asked_from = app.focused
        app.writer.prompting = True
        self._ask.display = True
        self._label.styles.width = width_of(app.say(f"prompt.{what}")) + 2
        self._label.update()
        self.prompt.put("", (0, 0))
        app.focus_on(self.prompt)
        if what == "palette":
            app.show_page("palette", self._commands(""))
            app.focus_on(self.prompt)

    def _end_asker(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            asker.end()

    def close_prompt(self) -> None:
        app = self.app
        self._end_asker()
        app.writer.prompting = False
        if self._ask is not None:
            self._ask.display = False
        back = self.asked_from
        app.focus_on(back if back is not None and back.is_mounted and back.display else app.queue)

    def prompt_changed(self) -> None:
        if self._asker is not None and self.prompt is not None:
            self._asker.changed(self.prompt.typed.strip())
        elif self._asking == "palette" and self.prompt is not None and self.app.writer.prompting:
            self.app.page.show(self._commands(self.prompt.typed))

    def do_prompt_down(self) -> None:
        self._move(1)

    def do_prompt_up(self) -> None:
        self._move(-1)

    def do_complete(self) -> None:
        if self._asker is not None:
            self._asker.complete()
        else:
            self.app.page.move(1)

    def _move(self, by: int) -> None:
        if self._asker is not None:
            self._asker.move(by)
        else:
            self.app.page.move(by)

    async def do_submit(self) -> None:
        app = self.app
        assert self.prompt is not None
        words = self.prompt.typed.strip()
        if self._asker is not None:
            if await self._asker.submit(words):
                self.close_prompt()
            return
        asking, chosen = self._asking, app.page.chosen
        self.close_prompt()
        if asking == "palette":
            app.close_page()
            await self._command(chosen)
        else:
            await self.answer(asking, words)

    async def answer(self, asking: str, words: str) -> None:
        """Take the words that something asked for."""
        app = self.app
        if asking == "schedule":
            self.schedule_typed(words)
        elif asking == "redact":
            if words:
                self.run(partial(self.redact, words))
            else:
                app.tell("redact.no_reason", "warn")
        elif asking == "erase":
            self.erase_typed(words)
        elif asking == "split":
            self.split_typed(words)

    def _commands(self, words: str) -> list[Item]:
        """Return the actions and extra entries that fit, best first: by a title in any language, or by name."""
        say = self.app.say
        known: list[tuple[Sequence[str], Item]] = [
            ((title,), Item(row(our(" "), our(title)), number))
            for number, (title, _) in enumerate(self.app.settings.extra)
        ]
        seen: set[str] = set()
        for action in say.keymap.actions:
            if not action.palette or action.title in seen:
                continue
            seen.add(action.title)
            shown = our("   " + " ".join(say.keymap.keys_anywhere(action.name)))
            titles = dict.fromkeys((say(action.title), *(texts[action.title] for texts in CATALOGUE.values())))
            item = Item(row(our(" "), say(action.title), (shown, "dim")), action)
            known.append(((*titles, action.name.replace("_", " ")), item))
        found = fuzzy.ranked(words, known)
        return found or [Item(row(our(" "), (self.app.say("palette.none"), "dim")))]

    async def _command(self, chosen: object) -> None:
        app = self.app
        if isinstance(chosen, keys.Action):
            await app.act(chosen)
        elif isinstance(chosen, int):
            app.start(partial(self._extra, app.settings.extra[chosen][1]), "extra", exclusive=False)

    async def _extra(self, call: Callable[[], Awaitable[object]]) -> None:
        try:
            said = await call()
        except AgentConsoleError as error:
            self.app.tell_error(error)
            return
        if isinstance(said, str) and said:
            self.app.tell("strip.failed", message=said, hint="")
