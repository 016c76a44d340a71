"""Codes, states and times as sentences, in English and Korean, for the console and the commands alike.

Values that come from outside are made safe for a terminal here; the result of every method is one line of display text.
"""

from __future__ import annotations

import re
import string
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agentconsole.domain import delivery, guards
from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressTrusted,
    AddressUnlinked,
    AnyEntry,
    Assigned,
    Blocked,
    ConsentChanged,
    Described,
    JoinedTo,
    Manual,
    Merged,
    Named,
    Parted,
    PreferenceStated,
    Prioritised,
    Redacted,
    SetAside,
    SplitOff,
    StatusChanged,
    Suggested,
    SuggestionAnswered,
    Tagged,
    TaskDone,
    TaskDue,
    TaskSet,
    Undone,
    Unmerged,
    Unparted,
    Unreadable,
    WishRefused,
    WishSeen,
)
from agentconsole.domain.facts import masked
from agentconsole.domain.guards import Warned
from agentconsole.domain.model import (
    ConversationStatus,
    Delivery,
    DeliveryRecord,
    Fact,
    Facts,
    Ranked,
    RefusedRoute,
)
from agentconsole.text.sanitise import one_line
from agentconsole.text.words_table import CODES, WORDS

_LINE_DOWN = frozenset({"unreachable", "unknown_host"})
_TIMES_OF_DAY = frozenset({"last_in", "wrote", "at"})
_MEDIA = frozenset({"medium_evidence", "stated", "medium", "now", "instead"})


class Words:
    """Words in one language and one time zone.

    Args:
        language: ``en`` or ``ko``; another is answered in English.
        timezone: a name of the tz database; an unknown one means UTC.
    """

    def __init__(self, language: str, timezone: str) -> None:
        self.language = "ko" if language.lower().startswith("ko") else "en"
        self._texts = WORDS[self.language]
        self._codes = dict(CODES)
        try:
            self.zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            self.zone = ZoneInfo("UTC")

    def say(self, key: str, **values: str) -> str:
        """Return a sentence of the table with values put in."""
        return self._texts[key].format(**{name: one_line(value, 120) for name, value in values.items()})

    def _word(self, prefix: str, code: str) -> str:
        """Return a word of the table; a code that it lacks (a third party's) is shown as words."""
        return self._texts.get(f"{prefix}.{code}") or one_line(code.replace("_", " "), 60)

    # -- time ----------------------------------------------------------------------------------------------

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def clock(self, at: datetime) -> str:
        return self.local(at).strftime("%H:%M")

    def day(self, at: datetime) -> str:
        local = self.local(at)
        if self.language == "ko":
            return f"{local.year}년 {local.month}월 {local.day}일 ({'월화수목금토일'[local.weekday()]})"
        return f"{local:%a} {local.day} {local:%b %Y}"

    def short_day(self, at: datetime) -> str:
        local = self.local(at)
        return f"{local.month}월 {local.day}일" if self.language == "ko" else f"{local.day} {local:%b}"

    def moment(self, at: datetime) -> str:
        """Return date and time in full, in a form that sorts: ``2026-03-04 14:02``."""
        return self.local(at).strftime("%Y-%m-%d %H:%M")

    def time_of(self, at: datetime) -> str:
        """Return day and time as one says them: ``4 Mar 14:02``."""
        return f"{self.short_day(at)} {self.clock(at)}"

    def when(self, at: datetime, now: datetime) -> str:
        """Return the time for today, else the day."""
        return self.clock(at) if self.local(at).date() == self.local(now).date() else self.short_day(at)

    def age(self, span: timedelta) -> str:
        """Return how long ago in one unit: 9m, 3h, 2d."""
        minutes = max(int(span.total_seconds() // 60), 0)
        if minutes < 60:
            return self.say("age.minutes", n=str(minutes))
        if minutes < 48 * 60:
            return self.say("age.hours", n=str(minutes // 60))
        return self.say("age.days", n=str(minutes // (24 * 60)))

    def span(self, span: timedelta) -> str:
        """Return a length of time in two units: 5 h 12 m."""
        minutes = max(int(span.total_seconds() // 60), 0)
        days, rest = divmod(minutes, 24 * 60)
        if days:
            return self.say("span.days", days=str(days), hours=str(rest // 60))
        if rest >= 60:
            return self.say("span.hours", hours=str(rest // 60), minutes=str(rest % 60))
        return self.say("span.minutes", minutes=str(rest))

    # -- words ---------------------------------------------------------------------------------------------

    def medium(self, medium: str) -> str:
        return self._word("medium", medium)

    def medium_code(self, medium: str) -> str:
        """Return the two letters of a medium. One that is not listed gets its first letter and the next of its letters,
        else of the alphabet, with which no other medium is meant, listed or met before.
        """
        if medium not in self._codes:
            name = re.sub("[^a-z]", "", medium.lower()) or "q"
            codes = (name[0] + second for second in (*name[1:], *string.ascii_lowercase))
            taken = set(self._codes.values())
            self._codes[medium] = next((code for code in codes if code not in taken), "??")
        return self._codes[medium]

    def state(self, state: str) -> str:
        return self._word("state", state)

    def status(self, status: str) -> str:
        return self._word("status", status)

    def priority(self, priority: str) -> str:
        return self._word("priority", priority)

    def aside(self, how: str) -> str:
        """Return why a conversation is kept out of the queue."""
        return self._word("aside", how)

    def trust(self, trust: str) -> str:
        return self._word("trust", trust)

    def account_state(self, state: str) -> str:
        return self._word("account", state)

    def scope(self, scope: str) -> str:
        return self._word("scope", scope)

    def banner(self, code: str) -> str:
        return self._word("banner", code) if code else ""

    def reason(self, code: str) -> str:
        return self._word("reason", code) if code else ""

    def evidence(self, why: str, medium: str, at: datetime | None, now: datetime, *, doubtful: bool = False) -> str:
        """Return what suggests that two records are one person.

        Args:
            doubtful: nothing vouches for the sender of the message that says so.
        """
        told = self._filled("reason", why, {"medium": medium, "at": at.isoformat() if at is not None else ""}, now)
        return self.say("evidence_doubtful", told=told) if doubtful else told

    def known(self, fact: Fact, now: datetime) -> str:
        """Return what is known already and where it was told."""
        return self.say(
            f"known.{fact.kind}", end=masked(fact), medium=self.medium(fact.medium), at=self.when(fact.at, now)
        )

    def fact(self, fact: Fact, now: datetime) -> tuple[str, str]:
        """Return what was told, and where and when."""
        what = fact.label or self._word("fact", fact.kind)
        source = f"{self.medium(fact.medium)} {self.when(fact.at, now)}"
        return f"{one_line(what, 40)} {one_line(fact.value, 80)}", source

    def guard(self, warned: Warned, now: datetime) -> str:
        """Return what a guard warns of, without a full stop."""
        told = dict(warned.facts)
        if warned.guard == guards.ASKED_AGAIN:
            told["known"] = self._filled("known", told.get("kind", ""), told | {"end": told.get("ending", "")}, now)
        elif warned.guard == guards.NUMBER_IN_TEXT:
            told["number"] = self._word("number", told.get("kind", ""))
        return self._filled("guard", warned.guard, told, now)

    def confirm(self, fact: Fact, draft: str, spoken: str = "") -> str:
        """Return the question that takes the place of asking again: the customer only has to say yes.

        It is the customer who reads it, so its language is theirs (``spoken``), else the draft's, never the agent's.
        """
        language = spoken if spoken in WORDS else "ko" if any("가" <= char <= "힣" for char in draft) else "en"
        return WORDS[language][f"confirm.{fact.kind}"].format(end=one_line(masked(fact), 120))

    # -- why this channel ----------------------------------------------------------------------------------

    def why(self, ranked: Ranked, now: datetime) -> str:
        """Return the sentence that says why a route stands where it does, and what ends when."""
        facts = ranked.facts
        parts = [f"{self.title(ranked.route.medium)}: {self._filled('rule', ranked.rule, facts, now)}"]
        if facts.get("than"):
            parts.append(self._than(facts))
        until = _time(facts.get("until", ""))
        if until is not None and until > now:
            parts.append(self.say("why.until", span=self.span(until - now)))
        if facts.get("parts", "1") != "1" or facts.get("cost"):
            parts.append(self._billed(facts))
        if facts.get("opted_out"):
            parts.append(self._filled("why", "one_answer", facts, now))
        leaves = _time(facts.get("leaves", ""))
        if leaves is not None:
            parts.append(self._filled("why", "leaves", {"until": facts["leaves"]}, now))
        if facts.get("stated"):
            at = _time(facts.get("stated_at", ""))
            day = self.short_day(at) if at is not None else "?"
            parts.append(self.say("why.stated_other", medium=self.medium(facts["stated"]), day=day))
        return " ".join(parts)

    def _billed(self, facts: Facts) -> str:
        count, cost = facts.get("parts", ""), facts.get("cost", "")
        said = self.say("why.parts", n=count) if count else ""
        return f"{said}, {one_line(cost, 40)}." if said and cost else f"{said or one_line(cost, 40)}."

    def _than(self, facts: Facts) -> str:
        counts = {"answered": facts.get("than_answered", "0"), "sent": facts.get("than_sent", "0")}
        return self.say("why.than", medium=self.medium(facts["than"]), **counts)

    def proposal(self, ranked: Ranked) -> str:
        """Return the sentence that proposes the medium on which answers come."""
        counts = {"answered": ranked.facts.get("answered", ""), "sent": ranked.facts.get("sent", "")}
        said = self.say("why.proposal", medium=self.title(ranked.route.medium), **counts)
        return f"{said} {self._than(ranked.facts)}" if ranked.facts.get("than") else said

    def set_aside(self, refused: RefusedRoute, now: datetime) -> str:
        """Return why what the customer asked for was not followed, without the medium."""
        why = self._filled("refused", refused.reason, refused.facts, now)
        return why[:1].upper() + why[1:]

    def language_name(self, code: str) -> str:
        """Return a language's name; of one that is not listed its code."""
        return self._word("language", code)

    def refusal(self, refused: RefusedRoute, now: datetime) -> str:
        """Return why a route must not be used now."""
        return f"{self.title(refused.route.medium)}: {self._filled('refused', refused.reason, refused.facts, now)}"

    def _wanted(self, wish: PreferenceStated | WishSeen) -> str:
        medium = self.medium(wish.medium)
        return self.say("event.wanted_for", medium=medium, purpose=wish.purpose) if wish.purpose else medium

    def no_route(self) -> str:
        return self._texts["refused.no_route"]

    def not_that_way(self) -> str:
        return self._texts["refused.not_that_way"]

    def title(self, medium: str) -> str:
        """Return a medium's name as the first word of a sentence."""
        name = self.medium(medium)
        return name[:1].upper() + name[1:] if name[:1].islower() else name

    def _filled(self, prefix: str, code: str, facts: Facts, now: datetime) -> str:
        template = self._texts.get(f"{prefix}.{code}")
        if template is None:
            return one_line(code.replace("_", " "), 60)
        values = _Blank({name: self._fact(name, value, now) for name, value in facts.items()})
        said = " ".join(template.format_map(values).replace("()", "").split())
        return said.replace(" .", ".").replace(" ;", ";")

    def _fact(self, name: str, value: str, now: datetime) -> str:
        at = _time(value)
        if at is not None:
            if name == "until":
                same = self.local(at).date() == self.local(now).date()
                return self.clock(at) if same else f"{self.short_day(at)} {self.clock(at)}"
            return self.when(at, now) if name in _TIMES_OF_DAY else self.short_day(at)
        if name in _MEDIA:
            return self.medium(value) if value else ""
        if name == "why":
            return self.reason(value)
        if name == "unit":
            return self._word("unit", value)
        return one_line(value, 60)

    # -- what happened -------------------------------------------------------------------------------------

    def delivery(self, record: DeliveryRecord) -> str:
        """Return what became of a reply and why; empty where there is nothing to tell beyond its state."""
        why = self.reason(record.reason) if record.reason != "cancelled" else ""
        if record.detail:
            detail = one_line(record.detail, 120)
            why = f"{why} ({detail})" if why else detail
        if record.state == Delivery.UNCERTAIN:
            return self.say("delivery.uncertain", at=self.clock(record.at), why=why or self.reason("line_cut"))
        if record.state == Delivery.FAILED:
            return self.say("delivery.failed", why=why or self.say("delivery.unknown"))
        if record.state == Delivery.CANCELLED:
            return self.say("delivery.cancelled", why=why).strip()
        if delivery.scheduled(record) and record.not_before is not None:
            return self.say("delivery.scheduled", at=self.time_of(record.not_before))
        if record.not_before is not None and record.state == Delivery.QUEUED:
            if record.held:
                return self.say("delivery.held", at=self.local(record.not_before).strftime("%H:%M:%S"))
            # The account's fetching notices first that the line is back, and then nothing waits any more.
            key = "delivery.waits_line" if record.attempt and record.reason in _LINE_DOWN else "delivery.waits"
            return self.say(key, at=self.clock(record.not_before), why=why).strip()
        return why

    def event(self, entry: AnyEntry) -> str:
        """Return what an entry says that is no message; empty for messages, notes and receipts."""
        match entry:
            case Unreadable():
                return self.say("event.unreadable", why=entry.detail or entry.reason)
            case Named():
                return self.say("event.named", name=entry.name)
            case AddressLinked():
                return self.say("event.address_linked", address=entry.address.value)
            case AddressUnlinked():
                return self.say("event.address_unlinked", address=entry.address.value)
            case AddressState():
                key = "event.address_dead" if entry.dead else "event.address_alive"
                return self._texts[key].format_map(
                    _Blank(address=one_line(entry.address.value, 80), why=self.reason(entry.dead))
                )
            case ConsentChanged():
                medium = self.medium(entry.medium) if entry.medium else self.scope("every_medium")
                key = "event.opted_in" if entry.allowed else "event.opted_out"
                return self.say(key, medium=medium, scope=self.scope(entry.scope))
            case PreferenceStated():
                if not entry.medium:
                    return self.say("event.prefers_none")
                key = "event.prefers_said" if entry.words and not entry.by else "event.prefers"
                return self.say(key, medium=self._wanted(entry), words=one_line(entry.words, 80))
            case WishSeen():
                return self.say("event.wish", medium=self._wanted(entry), words=one_line(entry.words, 80))
            case WishRefused():
                return self.say("event.wish_refused", agent=entry.by)
            case Described():
                value = self.language_name(entry.value) if entry.what == "language" else one_line(entry.value, 60)
                key = f"event.{'described' if entry.value else 'undescribed'}.{entry.what}"
                return self._texts.get(key, "").format_map(_Blank(value=value, agent=one_line(entry.by, 40)))
            case AddressTrusted():
                key = "event.trusted" if entry.by else "event.trusted_no_more"
                return self.say(key, address=entry.address.value, signer=entry.signer, agent=entry.by)
            case Assigned():
                return (
                    self.say("event.assigned", agent=entry.assignee) if entry.assignee else self.say("event.unassigned")
                )
            case StatusChanged():
                if entry.status == ConversationStatus.SNOOZED and entry.until is not None:
                    return self.say("event.snoozed", at=self.time_of(entry.until))
                if not entry.by and entry.status == ConversationStatus.OPEN:
                    return self.say("event.woken")
                return self.say("event.status", status=self.status(entry.status))
            case Prioritised():
                return self.say("event.priority", priority=self.priority(entry.priority))
            case SetAside():
                return self.say(f"event.{entry.how or 'not_aside'}", agent=entry.by)
            case Blocked():
                key = "event.blocked" if entry.blocked else "event.unblocked"
                return self.say(key, address=entry.address.value, agent=entry.by)
            case TaskSet():
                text = one_line(entry.text, 120)
                return self.say("event.task", agent=entry.owner, at=self.time_of(entry.due), text=text)
            case TaskDue():
                return self.say("event.task_due")
            case TaskDone():
                return self.say("event.task_done" if entry.done else "event.task_open", agent=entry.by)
            case Manual():
                minutes = self.say("event.minutes", n=str(entry.minutes)) if entry.minutes else ""
                told = {"agent": entry.agent, "minutes": minutes, "text": one_line(entry.text, 400)}
                key = "event.manual_in" if entry.inbound else "event.manual_out"
                return self.say(key, medium=self.medium(entry.medium), **told).rstrip(": ")
            case SplitOff():
                return self.say("event.split_off", n=str(len(entry.entries)), agent=entry.by)
            case JoinedTo():
                return self.say("event.joined_to", agent=entry.by)
            case Undone():
                return self.say("event.undone", agent=entry.by)
            case Tagged():
                tags = " ".join([*(f"+{tag}" for tag in entry.add), *(f"-{tag}" for tag in entry.remove)])
                return self.say("event.tagged", tags=tags)
            case Suggested():
                return self.say("event.suggested", address=entry.address.value)
            case SuggestionAnswered():
                if entry.until is not None:
                    return self.say("event.suggestion_postponed", agent=entry.by, day=self.short_day(entry.until))
                key = "event.suggestion_accepted" if entry.accepted else "event.suggestion_refused"
                return self.say(key, agent=entry.by)
            case Merged() if entry.why or entry.edge:
                return ""  # the link or the undone split that it belongs to says it
            case Merged():
                return self.say("event.merged", agent=entry.by) if entry.by else self.say("event.tied")
            case Parted():
                what = entry.one if entry.of else ", ".join(address.value for address in entry.addresses)
                return self.say("event.parted_from" if entry.of else "event.parted", agent=entry.by, what=what)
            case Unparted():
                return self.say("event.unparted", agent=entry.by)
            case Unmerged() if entry.parting:
                return ""
            case Redacted():
                key = "event.redacted" if entry.why else "event.redacted_no_reason"
                return self.say(key, at=self.short_day(entry.at), agent=entry.by, why=entry.why)
            case Unmerged():
                return self.say("event.unmerged", agent=entry.by)
            case _:
                return ""


class _Blank(dict[str, str]):
    """Facts that are not there leave nothing behind."""

    def __missing__(self, key: str) -> str:
        return ""


def _time(value: str) -> datetime | None:
    if len(value) < 16 or value[4:5] != "-":
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
