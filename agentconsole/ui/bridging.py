"""When a reply does not go the way the question came: the line that names the question, and who will not see it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from agentconsole.domain.entries import Received
from agentconsole.domain.model import CustomerId, EntryId, Medium, Participant, Ranked
from agentconsole.text import language
from agentconsole.text.bridge import bridge
from agentconsole.ui import people
from agentconsole.ui.drafting import KEPT, NO_ENTRY, Writing, instead

if TYPE_CHECKING:
    from agentconsole.ui.app import Console
    from agentconsole.ui.reading import Opened

_GET_IT = ("to", "cc")
_LOOKED_AT = 5
"""Messages whose language is guessed on the screen's own time."""


def line_of(writing: Writing, opened: Opened | None) -> str:
    """Return the line that a draft should begin with now; empty where its medium is that of the question, or where it
    named that question already."""
    if writing.note or opened is None or not isinstance(writing.at, Ranked):
        return ""
    answered = next((entry for entry in opened.entries if entry.id == writing.answers), None)
    if not isinstance(answered, Received) or answered.medium == writing.medium:
        return ""
    if writing.bridged in (KEPT, writing.answers):
        return ""
    return bridge(answered.medium, opened.about.local(answered.at), spoken(opened))


def spoken(opened: Opened) -> str:
    """Return the customer's language; where none is recorded (messages from before it was) that of the newest ones."""
    if opened.about.spoken.language:
        return opened.about.spoken.language
    texts = [entry.text for entry in reversed(opened.entries) if isinstance(entry, Received)]
    found = language.of_many(texts[:_LOOKED_AT])
    return found.language if found is not None else ""


def others(writing: Writing, opened: Opened | None) -> Sequence[Participant]:
    """Return the other people on the conversation, whom a reply does not reach."""
    if writing.note or opened is None:
        return ()
    whole = opened.customer.joined.get(writing.conversation, writing.conversation)
    found = next((c for c in opened.customer.conversations if c.id == whole), None)
    return [p for p in found.participants if p.role in _GET_IT] if found is not None else ()


class Bridging:
    """Args:
    app: the console whose draft goes another way than the question came, or than an earlier reply went.
    """

    def __init__(self, app: Console) -> None:
        self.app = app

    def adjust(self, writing: Writing) -> None:
        """Begin the draft with the line that names the question, once; take it away while nothing else is written and
        the draft is back on the question's medium."""
        writer, opened = self.app.writer, self.app.reading.opened
        if writer.now is not writing or writer.pane is None or not writer.is_open:
            return
        line = line_of(writing, opened)
        if line:
            writer.take()
            if not writing.text.startswith(line):
                writing.begin_with(line)
                writer.pane.box.put(writing.text, writing.caret)
            writing.bridged = writing.answers
        elif writing.bridge and writing.answers_medium == writing.medium:
            writer.take()
            if writing.empty:
                writing.text, writing.caret, writing.bridge, writing.bridged = "", (0, 0), "", NO_ENTRY
                writer.pane.box.put("", (0, 0))

    async def begin_instead(self, reply: EntryId) -> None:
        """Open the draft of a failed reply on the next allowed route, its text made to fit; nothing is sent."""
        app = self.app
        found = await app.desk.fallback(app.who, reply)
        if found is None:
            app.tell("fallback.none", "warn")
            return
        app.close_page()
        await app.reading.open(found.customer, found.conversation)
        opened = app.reading.opened
        name = people.customer_name(opened.customer) if opened is not None else found.customer
        if await app.writer.take_over(instead(found, app.who.name, name, app.settings.request_ids())):
            app.tell("fallback.ready", "note", what=app.say.fallback(found))
        else:
            app.tell("fallback.draft", "warn")

    def remember(self) -> None:
        """Record the medium that was chosen by hand as what the customer prefers."""
        app, writing = self.app, self.app.writer.now
        opened = app.reading.opened
        if writing is None or opened is None or writing.pinned is None or not isinstance(writing.at, Ranked):
            app.tell("choice.not_chosen", "dim")
            return
        known = (p.medium for p in opened.customer.preferences if p.purpose == writing.purpose)
        before = next(known, Medium(""))
        app.acting.run(partial(self._prefer, writing.customer, writing.medium, writing.purpose, before))

    async def _prefer(self, customer: CustomerId, medium: Medium, purpose: str, before: Medium) -> None:
        app = self.app
        await app.desk.prefer(app.who, app.settings.request_ids(), customer, medium, purpose, NO_ENTRY)
        app.acting.undo_later(partial(self._forget, customer, purpose, before))
        app.tell("choice.remembered", "good", medium=app.say.medium(medium))
        await app.reading.renew()

    async def _forget(self, customer: CustomerId, purpose: str, before: Medium) -> None:
        app = self.app
        await app.desk.prefer(app.who, app.settings.request_ids(), customer, before, purpose, NO_ENTRY)
        app.tell("choice.forgotten", "good")
        await app.reading.renew()
