"""What an agent looks at before a reply leaves: a quotation to put in, how it will look, who gets it, what is risky."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentconsole.domain import guards
from agentconsole.domain.entries import Received
from agentconsole.files import names
from agentconsole.text import answering
from agentconsole.text.sanitise import sanitise
from agentconsole.ui.bridging import others
from agentconsole.ui.drafting import Writing
from agentconsole.ui.draw import Safe, block, our, row, safe, wrap
from agentconsole.ui.widgets.paper import Item

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

PREVIEW: Final = "preview"
RECIPIENTS: Final = "recipients"

ALWAYS: Final = "always"
NEVER: Final = "never"
CC_LOST: Final = "cc_lost"


def reasons(app: Console, writing: Writing) -> tuple[str, ...]:
    """Return why a draft as it stands is looked at once more before it leaves; none where it just goes."""
    setting = app.settings.confirm_send
    found = [warned.guard for warned in writing.warned if warned.guard in guards.RISKY]
    if setting != NEVER and writing.medium != writing.answers_medium and others(writing, app.reading.opened):
        found.append(CC_LOST)
    if setting == ALWAYS and not found:
        found.append(ALWAYS)
    return tuple(found)


def sentence(app: Console, writing: Writing, found: tuple[str, ...]) -> Safe:
    """Return the weightiest reason, and how many more there are."""
    say = app.say
    warned = next((one for one in writing.warned if one.guard == found[0]), None)
    if warned is not None:
        told = say.guard(warned, app.settings.clock())
    elif found[0] == CC_LOST:
        told = say("choice.lost", n=str(len(others(writing, app.reading.opened))))
    else:
        at = writing.at
        address = say.address(at.route.address) if at is not None else our("")
        told = say("review.to", name=writing.name, medium=say.medium(writing.medium), address=address)
    return our(f"{told} (+{len(found) - 1})") if len(found) > 1 else told


class Reviewing:
    """Args:
    app: the console whose draft is looked at.
    """

    def __init__(self, app: Console) -> None:
        self.app = app

    def quote(self) -> None:
        """Put the message that is answered into the text: folded as mail has it, in a chat one short line."""
        app, writing, pane = self.app, self.app.writer.now, self.app.writer.pane
        answered = self._answered()
        if writing is None or pane is None or answered is None:
            app.tell("quote.nothing", "dim")
            return
        text = sanitise(answered.text)
        if writing.medium == "email" or writing.note:
            when = app.say.when(answered.at, app.settings.clock())
            attribution = app.say("quote.wrote", name=writing.name, when=when)
            found = answering.quoted(text, attribution) + "\n"
        else:
            found = answering.short_quoted(text) + "\n"
        box = pane.box
        _, column = box.cursor_location
        box.insert(f"\n{found}" if column else found)
        app.writer.changed()
        app.tell("quote.put_in", "good")

    def _answered(self) -> Received | None:
        opened, writing = self.app.reading.opened, self.app.writer.now
        if opened is None or writing is None:
            return None
        found = next((entry for entry in opened.entries if entry.id == writing.answers), None)
        return found if isinstance(found, Received) and found.id not in opened.removed else None

    async def preview(self) -> None:
        """Show the reply as it would leave."""
        app, writer = self.app, self.app.writer
        writer.take()
        writing = writer.now
        if writing is None:
            return
        say = app.say
        text = writing.text if writing.note else await app.desk.preview(app.who, writing.compose())
        above = [Item(row((say("preview.title"), "title"))), *self._to(writing), Item(())]
        below = [] if text.strip() else [Item(row(our(" "), (say("preview.empty"), "dim")))]

        def items(width: int) -> list[Item]:
            return [*above, *(Item(row(our(" "), line)) for line in wrap(block(text), width - 2, 2_000)), *below]

        app.show_page(PREVIEW, items)

    def _to(self, writing: Writing) -> list[Item]:
        say, at = self.app.say, writing.at
        if writing.note:
            return [Item(row(our(" "), (say("preview.note"), "note")))]
        if at is None:
            return [Item(row(our(" "), (say("reply.no_route"), "bad")))]
        address = say.address(at.route.address)
        lines = [say("review.to", name=writing.name, medium=say.medium(at.route.medium), address=address)]
        lines.append(say("preview.from", account=at.route.account))
        subject = writing.own_subject or writing.subject
        if at.route.medium == "email" and subject:
            lines.append(say("preview.subject", subject=subject))
        lines += [say("preview.file", name=names.safe(f.name), size=names.size(f.size)) for f in writing.attachments]
        found = [Item(row(our(" "), line)) for line in lines]
        lost = others(writing, self.app.reading.opened)
        if lost:
            found.append(Item(row(our(" "), (say("choice.lost", n=str(len(lost))), "warn"))))
        return found

    def recipients(self) -> None:
        """Show who gets the reply, and who was on the message and does not."""
        app, writing = self.app, self.app.writer.now
        if writing is None:
            return
        say = app.say
        above = [Item(row((say("recipients.title"), "title"))), *self._to(writing)[:1]]
        below = [Item(()), Item(row(our(" "), (say("recipients.hint"), "dim")))]
        texts = []
        for person in others(writing, app.reading.opened):
            role, name = person.role.capitalize(), person.name or person.address.value
            texts.append(safe(say("recipients.not", role=role, name=name, address=person.address.value), 400))

        def items(width: int) -> list[Item]:
            lines = (line for text in texts for line in wrap(text, width - 2, 4))
            return [*above, *(Item(row(our(" "), (line, "warn"))) for line in lines), *below]

        app.show_page(RECIPIENTS, items)
