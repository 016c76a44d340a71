"""What the reply pane's lines say: to whom, why this way, how long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentconsole.domain.entries import Received
from agentconsole.domain.model import Ranked, RefusedRoute
from agentconsole.ui.bridging import others
from agentconsole.ui.drafting import Writing
from agentconsole.ui.draw import Row, Safe, clip, our, row, row_width, safe, sides, wrap

if TYPE_CHECKING:
    from agentconsole.ui.app import Console


class ReplyBars:
    """Args:
    app: the console whose draft they tell; every method draws one bar for a width.
    """

    def __init__(self, app: Console) -> None:
        self.app = app

    def title(self, width: int) -> list[Row]:
        writing, say = self.app.writer.now, self.app.say
        if writing is None:
            return []
        kept: Safe = our("")
        if not writing.empty:
            kept = say("reply.unsaved")
            if not writing.unsaved and writing.kept_at is not None:
                kept = say("reply.saved", time=say.clock(writing.kept_at))
        kind = "reply.note" if writing.note else "reply.first" if writing.proactive else "reply.title"
        title = say(kind, name=writing.name)
        if writing.proactive and writing.purpose:
            title = say("reply.first_about", name=writing.name, purpose=writing.purpose)
        left = row(our(" "), (title, "bold"))
        if not writing.note and writing.at is not None:
            route = writing.at.route
            to = say("reply.by", medium=say.medium(route.medium), address=say.address(route.address))
            left = row(*left, our(" " + to))
        about = self._about(writing)
        if about:
            left = row(*left, our("  " + about))
        return [sides(left, row((our(kept + " "), "")) if kept else (), width)]

    def _about(self, writing: Writing) -> Safe:
        """Name the conversation: an e-mail's subject with the day of the message that is answered."""
        say, opened = self.app.say, self.app.reading.opened
        if writing.proactive:
            return our("")
        answered = None
        if opened is not None:
            answered = next((e for e in opened.entries if e.id == writing.answers), None)
        if writing.medium == "email" and writing.subject:
            again = writing.subject[:3].lower() == "re:"
            text = safe(writing.subject) if again else say("reply.subject", subject=writing.subject)
            if isinstance(answered, Received):
                text = our(f"{text}, {say.when(answered.at, self.app.settings.clock())}")
            return text
        return safe(writing.subject, 60) if writing.note else our("")

    def why(self, width: int) -> list[Row]:
        writing, say, now = self.app.writer.now, self.app.say, self.app.settings.clock()
        if writing is None:
            return []
        if writing.note:
            return [row((clip(our(" " + say("reply.note_hint")), width), "note"))]
        if writing.choice is None:
            return [row((our(" " + say("reply.choosing")), "dim"))]
        at, steps = writing.at, writing.steps()
        if at is None:
            return [row((our(" " + say("reply.no_route")), "bad"))]
        style = "bad" if isinstance(at, RefusedRoute) else "out"
        text = say.refusal(at, now) if isinstance(at, RefusedRoute) else say.why(at, now)
        # Beside a proposal the reason keeps to one line: all of it is one key away, the proposal would be nowhere.
        said = [clip(text, width - 2)] if self._proposed(writing) else wrap(text, width - 2, 2)
        lines = [row(our(" "), (line, style)) for line in said]
        walk: Row = ()
        if len(steps) > 1:
            walk = row((say("reply.alternatives", at=str(steps.index(at) + 1), n=str(len(steps))), "dim"))
        if len(lines) == 1:
            other = self._also(writing)
            lines.append(sides(other, walk, width - 1))
        else:
            lines[1] = sides(lines[1], walk, width - 1)
        return lines

    def _also(self, writing: Writing) -> Row:
        """Return what stands under the reason: who will not see it, what answers speak for, else what is refused."""
        say, now, at = self.app.say, self.app.settings.clock(), writing.at
        more = others(writing, self.app.reading.opened)
        if more:
            return row(our(" "), (say("choice.lost", n=str(len(more))), "warn"))
        choice, proposed = writing.choice, self._proposed(writing)
        if proposed is not None:
            return row(our(" "), (say.proposal(proposed), "note"))
        refused = next((r for r in choice.refused if r is not at), None) if choice is not None else None
        return row(our(" "), (say.refusal(refused, now), "dim")) if refused is not None else ()

    def _proposed(self, writing: Writing) -> Ranked | None:
        """Return the route that answers speak for, where the draft stands on the best one."""
        choice = writing.choice
        return choice.proposal if choice is not None and writing.at is choice.best else None

    def foot(self, width: int) -> list[Row]:
        writing, say = self.app.writer.now, self.app.say
        if writing is None or (not writing.text and not writing.attachments):
            return []
        many = len(writing.attachments)
        warned = self.app.writer.guarding.shown
        if warned is not None:
            count: Row = row((our(" " + say("reply.file_count", n=str(many))), "note")) if many else ()
            return [(*self.app.writer.guarding.line(warned, width - row_width(count)), *count)]
        size, parts, left = writing.count()
        if writing.medium == "sms" and not writing.note:
            text = say("reply.sms", n=str(size), parts=str(parts), left=str(left))
        else:
            text = say("reply.characters", n=str(size))
        files: Row = ()
        if many:
            names = ", ".join(one.name for one in writing.attachments)
            key = "reply.files" if many == 1 else "reply.files.many"
            files = row((clip(say(key, n=str(many), names=names), width - 30), "note"), our(" "))
        return [sides(row((our(" " + text), "dim")), files, width)]
