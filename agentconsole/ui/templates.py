"""Picking a template while a reply is written: a list under the text, found by typing, with what it would put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentconsole.domain import templates
from agentconsole.domain.templates import Filled
from agentconsole.text.sanitise import sanitise
from agentconsole.ui.asking import Asker
from agentconsole.ui.drafting import Writing
from agentconsole.ui.draw import Row, Safe, block, clip, our, row, safe, sides, wrap
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.widgets.reply import ReplyPane

GLIMPSED: Final = 4
"""Lines of a template that are shown before it is picked."""

TALL: Final = 8


class TemplatePicker(Asker):
    name = "template"

    found: tuple[Filled, ...] = ()
    shown: list[Filled] = []

    async def begin(self) -> None:
        writing = self._writing
        if writing is None:
            return
        app = self.app
        self.found, self.shown = await app.desk.templates(app.who, writing.customer, writing.conversation, {}), []
        if not self.found:
            app.tell("template.none", "warn")
        self.changed("")

    @property
    def _writing(self) -> Writing | None:
        return self.app.writer.now

    @property
    def _pane(self) -> ReplyPane | None:
        return self.app.writer.pane

    def changed(self, words: str) -> None:
        writing = self._writing
        fitting = templates.matching(self.found, words)
        if writing is not None:
            medium = writing.medium
            # Written for another medium: still to be had, at the end.
            fitting.sort(key=lambda one: bool(one.media) and medium not in one.media)
        self.shown = fitting
        self._draw(first=True)

    def move(self, by: int) -> None:
        if self._pane is not None:
            self._pane.choices.move(by)
            self._draw()

    @property
    def _chosen(self) -> Filled | None:
        pane = self._pane
        if pane is None or not self.shown:
            return None
        return next((one for one in self.shown if one.name == pane.choices.chosen), self.shown[0])

    def _draw(self, *, first: bool = False) -> None:
        pane = self._pane
        if pane is None:
            return
        say, width = self.app.say, max(pane.size.width - 2, 20)
        if self.shown:
            items = [Item(_line(one, width), one.name) for one in self.shown]
        else:
            items = [Item(row(our(" "), (say("template.no_match"), "dim")))]
        if first and self.shown:
            pane.choices.cursor = 0
            pane.choices.items = items
        chosen = self._chosen
        lines: list[Item] = []
        if chosen is not None:
            text = f"{chosen.subject}\n{chosen.text}" if chosen.subject else chosen.text
            wrapped = list(wrap(block(text), width - 2, GLIMPSED + 1))
            if len(wrapped) > GLIMPSED:
                wrapped = [*wrapped[: GLIMPSED - 1], our(wrapped[GLIMPSED - 1] + " ..")]
            lines = [Item(row(our("  "), (clip(line, width - 2), "dim"))) for line in wrapped]
        tall = self.app.size.height >= 36
        if pane.show_choices(items, lines, most=TALL if tall else 4):
            self.app.arrange(self.app.size)

    async def submit(self, words: str) -> bool:
        chosen, writing, pane = self._chosen, self._writing, self._pane
        if chosen is None or writing is None or pane is None:
            self.app.tell("template.none_picked", "dim")
            return True
        pane.box.insert(sanitise(chosen.text))
        if chosen.subject and not writing.subject and not writing.own_subject:
            writing.own_subject = sanitise(chosen.subject, multiline=False)
        writing.purpose = writing.purpose or chosen.purpose
        self.app.writer.changed()
        if chosen.unfilled:
            self.app.tell("template.unfilled", "warn", names=", ".join(chosen.unfilled))
        else:
            self.app.tell("template.put_in", "good", name=chosen.name)
        return True

    def end(self) -> None:
        pane = self._pane
        if pane is not None and pane.show_choices(()):
            self.app.arrange(self.app.size)


def _line(one: Filled, width: int) -> Row:
    first = next((line for line in (one.subject or one.text).splitlines() if line.strip()), "")
    left: list[Safe | tuple[Safe, str]] = [our(" "), (safe(one.name, 40), "bold")]
    left += [(our(f"  {one.language}"), "dim"), our("  "), safe(first, 200)]
    right = row((our(" ".join(safe(word, 20) for word in one.words) + " "), "key")) if one.words else ()
    return sides(row(*left), right, width)
