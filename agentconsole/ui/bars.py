"""What the fixed lines say: header, view, customer, suggestion, strip, coach, footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from agentconsole.domain.model import Heard
from agentconsole.ui import care_pages, greeting, health_page, keys, pages, people
from agentconsole.ui.draw import Row, Safe, clip, our, row, row_width, safe, sides, width_of, wrap

if TYPE_CHECKING:
    from agentconsole.ui.app import Console

ROOMY: Final = 100
"""From this width on the header has room for less urgent counts."""

STRIP_LINES: Final = 3
PLACE: Final = 12
"""Cells that the view's bar keeps for where the cursor is."""

SAVED: Final = 9
"""Views of a profile's own that have a key."""


class Bars:
    """Args:
    app: the console whose state they tell; every method draws one bar for a width.
    """

    def __init__(self, app: Console) -> None:
        self.app = app
        self.banner_code = ""

    def banner(self, width: int) -> list[Row]:
        if not self.banner_code:
            return []
        lines = list(wrap(self.app.say.banner(self.banner_code), width - 2, STRIP_LINES))
        self.app.banner.set_lines(len(lines))
        return [row(our(" "), (line, "bad")) for line in lines]

    def damage(self, width: int) -> list[Row]:
        found, status = self.app.reading.damage, self.app.reading.status
        if found is None:
            return []
        waiting = status.spool.set_aside if status is not None and len(self.app.reading.damaged) == 1 else 0
        lines = list(wrap(care_pages.damage_line(found, waiting, self.app.say), width - 2, STRIP_LINES))
        self.app.damage.set_lines(len(lines))
        return [row(our(" "), (line, "bad")) for line in lines]

    def header(self, width: int) -> list[Row]:
        say, counts, status = self.app.say, self.app.reading.counts, self.app.reading.status
        left = row(
            (our(" agentconsole  "), "bold"),
            our(f"{safe(self.app.who.name, 20)}@{safe(self.app.settings.profile, 20)} | "),
        )
        words: list[tuple[Safe, str]] = [(say("header.waiting", n=str(counts.waiting)), "bold")]
        if counts.late:
            words.append((say("header.late", n=str(counts.late)), "bold"))
        if counts.mine and width >= ROOMY:
            words.append((say("header.mine", n=str(counts.mine)), ""))
        if counts.failed:
            words.append((say("header.failed", n=str(counts.failed)), "bold"))
        if counts.uncertain:
            words.append((say("header.uncertain", n=str(counts.uncertain)), "bold"))
        if status is not None and status.outbox.queued + status.outbox.sending and width >= ROOMY:
            words.append((say("header.queued", n=str(status.outbox.queued + status.outbox.sending)), ""))
        left = (*left, *_joined(words, ", "), (our(" | "), ""))
        if self.app.hub_gone_since is not None:
            left = (*left, (say("header.hub"), "bold"))
        else:
            left = (*left, *self._channels(width - row_width(left) - 1))
        return [left]

    def clock(self, width: int) -> list[Row]:
        return [row(our(f" {self.app.say.clock(self.app.settings.clock())} "))]

    def _channels(self, room: int) -> Row:
        """Word every medium's health; where room is short those that work give way."""
        status = self.app.reading.status
        if status is None:
            return ()
        now, say = self.app.settings.clock(), self.app.say
        down, up = [], []
        seen: set[str] = set()
        for account in sorted(status.accounts, key=lambda a: not health_page.is_down(a)):
            if account.medium in seen:
                continue
            seen.add(account.medium)
            medium = say.medium(account.medium)
            if health_page.is_down(account):
                age = say.age(now - (account.since or account.last_ok or now))
                down.append((say("header.off", medium=medium, age=age), "bold"))
            else:
                up.append((our(medium + ("+" if account.state == "ok" else "..")), ""))
        for count in range(len(up), -1, -1):
            line = _joined([*down, *up[:count]], " ")
            if row_width(line) <= room:
                return line
        return _joined(down, " ")

    def view(self, width: int) -> list[Row]:
        reading = self.app.reading
        own = reading.view in reading.counts.saved
        title = our(safe(reading.view, 30).upper()) if own else self.app.say(f"view.{reading.view}")
        if self.app.queue.total:
            self.app.view_bar.set_lines(1)
        if not reading.loaded:
            return [row((title, "title"), our(" "), (self.app.say("queue.loading"), "dim"))]
        if reading.words:
            title = our(f"{title} \\ {safe(reading.words, 60)}")
        elif not self.app.queue.total and reading.view == reading.FIRST_VIEW:
            return self._nobody(width)
        marked = len(self.app.queue.marks)
        if marked:
            title = our(f"{title}  {self.app.say('queue.marked', n=str(marked))}")
        at = str(self.app.queue.cursor + 1) if self.app.queue.cursor >= 0 else "-"
        return [
            sides(
                row((title, "title"), (self._saved(width - width_of(title) - PLACE), "dim")),
                row((our(f"{at}/{self.app.queue.total}"), "dim"), (self.app.say.glyph("edge"), "dim")),
                width,
            )
        ]

    def _nobody(self, width: int) -> list[Row]:
        """Say that nobody waits; where the list stands alone, with what to do."""
        if self.app.mode == "narrow" and greeting.is_wanted(self.app):
            lines = greeting.rows(self.app, width)
            self.app.view_bar.set_lines(len(lines))
            return lines
        return [row((clip(self.app.say("first.done"), width - 1), "title"))]

    def _saved(self, room: int) -> Safe:
        """Return the profile's own views with the keys' numbers and their counts, as many as fit."""
        told = ""
        for number, (name, count) in enumerate(self.app.reading.counts.saved.items(), 1):
            more = f"{told}  {number} {safe(name, 20)} {count}"
            if number > SAVED or width_of(more) > room:
                break
            told = more
        return our(told)

    def head(self, width: int) -> list[Row]:
        opened = self.app.reading.opened
        if greeting.is_wanted(self.app):
            lines = greeting.rows(self.app, width)
            self.app.head.set_lines(max(len(lines), 2))
            return lines
        self.app.head.set_lines(2)
        if opened is None:
            return [row(our(" "), (self.app.say("timeline.nobody"), "dim"))]
        lines = people.folded(opened.customer, opened.conversation, self.app.who.name, self.app.say, width - 2)
        return [row(our(" "), *line) for line in lines]

    def suggestion(self, width: int) -> list[Row]:
        """Return what is asked about the opened customer: whether to open what is closed, or a suggestion."""
        found = self.app.reading.suggestion
        opened = self.app.reading.opened
        if opened is not None and opened.closed and opened.doubtful is not None:
            lines = list(wrap(self._closed(opened.doubtful), width - 2, 3))
            self.app.suggest.set_lines(len(lines))
            return [row(our(" "), (line, "warn")) for line in lines]
        wish = self.app.reading.wish
        if wish is not None:
            lines = list(wrap(self.app.say.wish(wish), width - 2, 3))
            self.app.suggest.set_lines(len(lines))
            return [row(our(" "), (line, "note")) for line in lines]
        if found is None:
            return []
        more = len(self.app.reading.suggestions) - 1
        text = self.app.say(
            "suggestion.line",
            address=self.app.say.address(found.address),
            medium=self.app.say.medium(found.other_media[0])
            if found.other_media
            else self.app.say.medium(found.evidence_medium),
            name=found.customer_name,
            why=self.app.say.suggestion(found, self.app.settings.clock()),
        )
        if more > 0:
            text = our(f"{text} {self.app.say('suggestion.more', n=str(more))}")
        lines = list(wrap(text, width - 2, 3))
        self.app.suggest.set_lines(len(lines))
        return [row(our(" "), (line, "note")) for line in lines]

    def _closed(self, doubtful: Heard) -> Safe:
        say = self.app.say
        signer = safe(doubtful.signer, 60)
        return say(
            "gate.line",
            address=say.address(doubtful.sender),
            signed=say("gate.signed", signer=signer) if doubtful.signer else say("gate.by_nobody"),
            open=say.keymap.reading.key("open_history"),
            trust=say.keymap.reading.key("trust_sender"),
        )

    def below(self, width: int) -> list[Row]:
        count, company = self.app.reading.below, self.app.company.line(width)
        more = row((self.app.say("timeline.below", n=str(count)), "warn")) if count else ()
        return [sides(company, more, width)] if company else [more] if more else []

    def strip(self, width: int) -> list[Row]:
        if not self.app.message:
            return []
        text, style = self.app.message[0]
        lines = list(wrap(text, width - 2, STRIP_LINES))
        self.app.strip.set_lines(max(len(lines), 1))
        return [row(our(" "), (line, style)) for line in lines]

    def coach_text(self) -> Safe:
        coach = self.app.settings.coach
        if coach is None or self.app.coach_hidden:
            return our("")
        return safe(coach.text(self.app.say.language), 400)

    def coach(self, width: int) -> list[Row]:
        text = self.coach_text()
        if not text:
            return []
        lines = list(wrap(text, width - 2, 2))
        self.app.coach.set_lines(len(lines))
        return [row((our(" " + line + " " * max(width - len(line), 0)), "note")) for line in lines]

    def footer(self, width: int) -> list[Row]:
        page = self.app.page_kind if self.app.where == "paper" else ""
        where = self.app.where
        hangul = self.app.keyboard.hangul and where in keys.READING
        return [pages.footer(where, self.app.say, width, page, hangul=hangul)]


def _joined(words: Sequence[tuple[Safe, str]], between: str) -> Row:
    found: list[tuple[Safe, str]] = []
    for number, word in enumerate(words):
        if number:
            found.append((our(between), ""))
        found.append(word)
    return tuple(found)
