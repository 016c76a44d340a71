"""The actions that ask for words: search, the command palette, a colleague's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.widget import Widget

from agentconsole.domain.model import AgentName
from agentconsole.errors import AgentConsoleError
from agentconsole.ui import keys
from agentconsole.ui.actions_base import ActingPart, Target
from agentconsole.ui.asking import Asker
from agentconsole.ui.draw import our, row
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
        self._assigning: Target | None = None
        self._asker: Asker | None = None

    async def do_assign_to(self) -> None:
        self._assigning = self.target()
        if self._assigning is not None:
            await self.open_prompt("assign")

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
            await app.boxes_ready.wait()
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
        elif asking == "assign" and words and self._assigning is not None:
            self.run(partial(self.assign, self._assigning, AgentName(words)))
        elif asking == "schedule":
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
        """Return the actions and extra entries whose titles hold all the letters, in words' order."""
        wanted = words.lower().split()
        found: list[Item] = []
        for number, (title, _) in enumerate(self.app.settings.extra):
            if all(word in title.lower() for word in wanted):
                found.append(Item(row(our(" "), our(title)), number))
        for action in keys.ACTIONS:
            title = self.app.say(action.title)
            if action.palette and all(word in title.lower() for word in wanted):
                shown = " ".join(dict.fromkeys(keys.shown_key(key) for key in action.keys))
                found.append(Item(row(our(" "), our(title), (our("   " + shown), "dim")), action))
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
