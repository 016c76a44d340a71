"""Everything the console says, in the agent's language: one object that knows language, time zone and clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agentconsole.desk import SuggestionView
from agentconsole.domain.addresses import shown
from agentconsole.domain.model import (
    Address,
    ConversationStatus,
    Delivery,
    DeliveryRecord,
    Facts,
    Medium,
    Ranked,
    RefusedRoute,
    Trust,
)
from agentconsole.ui.draw import Safe, our, safe
from agentconsole.ui.strings import CATALOGUE, CODES
from agentconsole.ui.trade import WORDS


class Say:
    """Args:
    language: ``en`` or ``ko``; another is answered in English.
    timezone: an IANA name; an unknown one means UTC.
    """

    def __init__(self, language: str, timezone: str) -> None:
        self.language = "ko" if language.lower().startswith("ko") else "en"
        self._texts = {**CATALOGUE[self.language], **WORDS[self.language]}
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            self._zone = ZoneInfo("UTC")
        self.numbers_ready = False
        """Phone numbers are grouped once their metadata was loaded, which start-up does not wait for."""

    def __call__(self, key: str, /, **values: str) -> Safe:
        """Return a sentence of the catalogue with values put in; the values may come from outside."""
        text = self._texts[key]
        return our(text.format(**{name: safe(value) for name, value in values.items()}) if values else text)

    def has(self, key: str) -> bool:
        return key in self._texts

    # -- time -----------------------------------------------------------------------------------------------

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)

    def clock(self, at: datetime) -> Safe:
        return our(self.local(at).strftime("%H:%M"))

    def day(self, at: datetime) -> Safe:
        local = self.local(at)
        if self.language == "ko":
            return our(f"{local.year}년 {local.month}월 {local.day}일 ({'월화수목금토일'[local.weekday()]})")
        return our(f"{local:%a} {local.day} {local:%b %Y}")

    def short_day(self, at: datetime) -> Safe:
        local = self.local(at)
        return our(f"{local.month}월 {local.day}일" if self.language == "ko" else f"{local.day} {local:%b}")

    def when(self, at: datetime, now: datetime) -> Safe:
        """Return the time for today, else the day."""
        return self.clock(at) if self.local(at).date() == self.local(now).date() else self.short_day(at)

    def age(self, span: timedelta) -> Safe:
        """Return how long ago in one unit: 9m, 3h, 2d."""
        minutes = max(int(span.total_seconds() // 60), 0)
        if minutes < 60:
            return self("age.minutes", n=str(minutes))
        if minutes < 48 * 60:
            return self("age.hours", n=str(minutes // 60))
        return self("age.days", n=str(minutes // (24 * 60)))

    def span(self, span: timedelta) -> Safe:
        """Return a length of time in two units: 5 h 12 m."""
        minutes = max(int(span.total_seconds() // 60), 0)
        days, rest = divmod(minutes, 24 * 60)
        if days:
            return self("span.days", days=str(days), hours=str(rest // 60))
        if rest >= 60:
            return self("span.hours", hours=str(rest // 60), minutes=str(rest % 60))
        return self("span.minutes", minutes=str(rest))

    # -- words of the trade ---------------------------------------------------------------------------------

    def _word(self, prefix: str, code: str) -> Safe:
        key = f"{prefix}.{code}"
        return our(self._texts[key]) if key in self._texts else safe(code.replace("_", " "), 60)

    def medium(self, medium: Medium) -> Safe:
        return self._word("medium", medium)

    def code(self, medium: Medium) -> Safe:
        """Return the two letters of a medium."""
        return our(CODES.get(medium, "")) or our((safe(medium, 2) + "??")[:2])

    def state(self, state: Delivery) -> Safe:
        return self._word("state", state)

    def status(self, status: ConversationStatus) -> Safe:
        return self._word("status", status)

    def trust(self, trust: Trust) -> Safe:
        return self._word("trust", trust)

    def reason(self, code: str) -> Safe:
        return self._word("reason", code) if code else our("")

    def suggestion(self, view: SuggestionView, now: datetime) -> Safe:
        """Return the evidence of a suggestion."""
        facts = {"medium": view.evidence_medium, "at": view.evidence_at.isoformat() if view.evidence_at else ""}
        return self._filled("reason", view.why, facts, now)

    def account_state(self, state: str) -> Safe:
        return self._word("account", state)

    def address(self, address: Address) -> Safe:
        return safe(shown(address) if self.numbers_ready else address.value, 80)

    def size(self, octets: int) -> Safe:
        return our(
            f"{octets} B" if octets < 1000 else f"{octets / 1000:.0f} kB" if octets < 1e6 else f"{octets / 1e6:.1f} MB"
        )

    # -- why ------------------------------------------------------------------------------------------------

    def why(self, ranked: Ranked, now: datetime) -> Safe:
        """Return the sentence that says why a route stands where it does, with what ends when."""
        facts = ranked.facts
        parts = [our(f"{self.medium(ranked.route.medium)}: {self._filled('rule', ranked.rule, facts, now)}")]
        until = _time(facts.get("until", ""))
        if until is not None and until > now:
            parts.append(self("why.until", span=self.span(until - now)))
        if facts.get("stated"):
            at = _time(facts.get("stated_at", ""))
            day = self.short_day(at) if at is not None else our("?")
            parts.append(self("why.stated_other", medium=self.medium(Medium(facts["stated"])), day=day))
        return our(" ".join(parts))

    def refusal(self, refused: RefusedRoute, now: datetime) -> Safe:
        """Return why a route must not be used now."""
        facts = self._filled("refused", refused.reason, refused.facts, now)
        return our(f"{self.medium(refused.route.medium)}: {facts}")

    def _filled(self, prefix: str, code: str, facts: Facts, now: datetime) -> Safe:
        key = f"{prefix}.{code}"
        if key not in self._texts:
            return safe(code.replace("_", " "), 60)
        values = _Facts({name: self._fact(name, value, now) for name, value in facts.items()})
        text = our(self._texts[key].format_map(values))
        return our(" ".join(text.replace("()", "").split()))

    def _fact(self, name: str, value: str, now: datetime) -> str:
        at = _time(value)
        if at is not None:
            return self.when(at, now) if name in ("last_in", "wrote", "at") else self.short_day(at)
        if name in ("medium_evidence", "stated", "medium"):
            return self.medium(Medium(value)) if value else ""
        if name == "why":
            return self.reason(value)
        if name == "unit":
            return self._word("unit", value)
        return safe(value, 60)

    def delivery_reason(self, record: DeliveryRecord) -> Safe:
        """Return what became of a reply and why, in a sentence."""
        why = self.reason(record.reason)
        if record.detail:
            why = our(f"{why} ({safe(record.detail, 120)})" if why else safe(record.detail, 120))
        if record.state == Delivery.UNCERTAIN:
            return self("delivery.uncertain", at=self.clock(record.at), why=why or self("delivery.cut"))
        if record.state == Delivery.FAILED:
            return self("delivery.failed", why=why or self("delivery.unknown"))
        if record.state == Delivery.CANCELLED:
            return self("delivery.cancelled", why=why)
        if record.not_before is not None:
            return self("delivery.waits", at=self.clock(record.not_before), why=why)
        return why


class _Facts(dict[str, str]):
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
