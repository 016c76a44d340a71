"""The actions about the screen itself: copying from it, its colours, notices, blanking it."""

from __future__ import annotations

from typing import Final

from agentconsole.domain.entries import Note, Received, Reply
from agentconsole.text.sanitise import sanitise
from agentconsole.ui import look, outside
from agentconsole.ui.actions_base import ActingPart
from agentconsole.ui.draw import Safe

MOST_PREPARED: Final = 10_000_000
"""Characters of a text that is made safe to copy, so that its size can be said where it is too long."""


class LookActions(ActingPart):
    # -- copying --------------------------------------------------------------------------------------------

    def do_copy(self) -> None:
        """Copy the chosen message as it is shown; in the list the address of the open customer; on a page a line."""
        app = self.app
        if app.where == "conversation":
            self._copy(self._message(), "copy.text")
        elif app.where == "list":
            self._copy(self._address(), "copy.address")
        else:
            self._copy(app.page.chosen_text if app.focused is app.page else app.card.chosen_text, "copy.text")

    def _message(self) -> str:
        entry, opened = self.app.timeline.chosen_entry, self.app.reading.opened
        if opened is None or not isinstance(entry, Received | Reply | Note) or entry.id in opened.removed:
            return ""
        return opened.clear.get(entry.id, entry.text)

    def _address(self) -> str:
        opened, line = self.app.reading.opened, self.app.queue.chosen
        if opened is None or line is None or line.customer not in (opened.customer.id, *opened.customer.members):
            return ""
        return opened.customer.addresses[0].address.value if opened.customer.addresses else ""

    def _copy(self, text: str, said: str) -> None:
        app, say = self.app, self.app.say
        # What is pasted into a shell must hold no controls either, and half a surrogate pair has no octets.
        text = sanitise(text, limit=MOST_PREPARED)
        if not text.strip():
            app.tell("copy.nothing")
            return
        try:
            sequence = outside.copy(text, in_tmux=app.settings.in_tmux)
        except ValueError:
            size, most = say.size(len(text.encode())), say.size(outside.MOST_COPIED)
            app.tell("copy.long", "warn", size=size, most=most)
            return
        app.write(sequence)
        helped: Safe = say("copy.in_tmux" if app.settings.in_tmux else "copy.plain")
        app.tell(said, "good", n=str(len(text)), address=text, help=helped)

    # -- colours and notices --------------------------------------------------------------------------------

    def do_theme(self, name: str) -> None:
        app = self.app
        if app.no_color:
            app.tell("theme.no_color", "warn")
            return
        app.wear(look.theme(name))
        app.tell("theme.set", "good", name=name)

    def do_notify(self, level: str) -> None:
        self.app.notices.level = level
        self.app.tell("notice.level", "good", level=self.app.say(f"notify.{level}"))

    def do_lock(self) -> None:
        self.app.lock.lock()
