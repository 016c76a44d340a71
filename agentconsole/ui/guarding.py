"""What an agent is warned of while writing, and what one key does about it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from agentconsole.desk import Compose
from agentconsole.domain import guards, numbers
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import EntryId, Fact, Medium
from agentconsole.ui import reviewing
from agentconsole.ui.drafting import Writing
from agentconsole.ui.draw import Row, our, row, sides

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

_KEY: Final = {guards.ASKED_AGAIN: "guard.put_known", guards.NUMBER_IN_TEXT: "guard.mask"}
_LOOK_AGAIN: Final = "strip.look_again"
_SEE_ABOVE: Final = "strip.see_above"
WIDE_ENOUGH: Final = 70


class Guarding:
    """Args:
    app: the console whose reply pane shows the weightiest warning.
    """

    def __init__(self, app: Console) -> None:
        self.app = app

    @property
    def shown(self) -> Warned | None:
        """The weightiest warning about the draft on the screen."""
        writing = self.app.writer.now
        if writing is None or writing.note or not writing.text or not writing.warned:
            return None
        return writing.warned[0]

    async def ask(self, writing: Writing, compose: Compose | None = None) -> None:
        """Ask what there is to warn of in a draft as it stands, or as it is about to be sent."""
        compose = compose or writing.compose()
        if self.app.told_key in (_LOOK_AGAIN, _SEE_ABOVE) and writing.reviewed[0] != compose.text:
            self.app.tell_text(our(""))  # it was said of another text
        if writing.note or not compose.text.strip():
            writing.warned, writing.warned_text = (), ""
            return
        before = {warned.guard for warned in writing.warned}
        found = await self.app.desk.warnings(self.app.who, compose, writing.begun)
        writing.warned, writing.warned_text = found, compose.text
        if guards.ASKED_AGAIN in {warned.guard for warned in found} - before:
            known = next(warned for warned in found if warned.guard == guards.ASKED_AGAIN)
            self.app.note("known_seen", kind=known.facts.get("kind", ""))

    async def may_leave(self, writing: Writing, compose: Compose) -> bool:
        """Say whether a draft may be sent now. What is risky is told, and sent only by a key of its own: a key that was
        pressed twice over a slow line confirms nothing."""
        await self.ask(writing, compose)
        found = reviewing.reasons(self.app, writing)
        seen = (compose.text, found)
        if not found or writing.confirmed == seen:
            return True
        writing.reviewed = seen
        if len(found) == 1 and self._told_below(found[0]):
            self.app.tell(_SEE_ABOVE, "warn")
        else:
            self.app.tell(_LOOK_AGAIN, "warn", why=reviewing.sentence(self.app, writing, found).rstrip("."))
        self.app.writer.update()
        return False

    def _told_below(self, guard: str) -> bool:
        """Say whether the line under the text says all of a warning: nothing has to be said twice."""
        pane, warned = self.app.writer.pane, self.shown
        if pane is None or warned is None or warned.guard != guard:
            return False
        width = pane.foot_bar.size.width
        told = self.app.say.guard(warned, self.app.settings.clock())
        return told in "".join(text for text, _ in self.line(warned, width))

    def confirm(self, writing: Writing) -> bool:
        """Take what was told to be risky as confirmed, as long as it is the same text and the same risks; say whether
        there was anything to confirm."""
        told = writing.reviewed != ("", ()) and writing.reviewed[0] == writing.text
        if told:
            writing.confirmed = writing.reviewed
        return told

    def act(self) -> None:
        """Do what the key offers: put in what is known, mask the number, or go to the place in the text."""
        warned, writer = self.shown, self.app.writer
        if warned is None or writer.now is None or writer.pane is None:
            return
        box, writing = writer.pane.box, writer.now
        if warned.guard == guards.ASKED_AGAIN:
            opened = self.app.reading.opened
            theirs = opened.about.spoken.language if opened is not None else ""
            box.put(self.app.say.confirm(_fact(warned), box.text, theirs))
        elif writing.warned_text != box.typed or warned.end <= warned.start:
            return
        elif warned.guard == guards.NUMBER_IN_TEXT:
            text = writing.warned_text
            masked = numbers.tail(text[warned.start : warned.end])
            box.put(f"{text[: warned.start]}{masked}{text[warned.end :]}", box.cursor_location)
        else:
            before = writing.warned_text[: warned.start].split("\n")
            box.move_cursor((len(before) - 1, len(before[-1])))
            return
        writing.warned = ()
        writer.changed()

    def line(self, warned: Warned, width: int) -> Row:
        """Return the strip under the text: the weightiest warning, how many more there are, the key."""
        say, writing = self.app.say, self.app.writer.now
        text = say.guard(warned, self.app.settings.clock())
        more = len(writing.warned) - 1 if writing is not None else 0
        if more:
            text = our(f"{text} (+{more})")
        style = "bad" if warned.guard in guards.RISKY else "warn"
        key = _KEY.get(warned.guard) or ("guard.go_there" if warned.end > warned.start else "")
        right: Row = ()
        if key:
            right = row((say(key) if width >= WIDE_ENOUGH else our("ctrl+g"), "key"))
        return sides(row(our(" "), (text, style)), right, width - 1)


def _fact(warned: Warned) -> Fact:
    told = warned.facts
    return Fact(
        told["kind"],
        told["ending"],
        EntryId(told["entry"]),
        datetime.fromisoformat(told["at"]),
        Medium(told["medium"]),
    )
