"""What the law of the customer's country asks of a message that we begin ourselves. Rules are data, never branches.

A profile chooses the laws, may change every field, and may switch them off. A reply to a customer is not touched by
any of this: only opt-outs and windows bind it (``domain.permission``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from string import Formatter
from typing import Final

from agentconsole.domain import consent, hours
from agentconsole.domain.hours import Quiet
from agentconsole.domain.model import Facts, Medium, Value

QUIET_HOURS: Final = "quiet_hours"
NO_CONSENT: Final = "no_marketing_consent"
OLD_CONSENT: Final = "consent_outdated"
UNFILLED_FOOTER: Final = "law_text_unfilled"

MARKETING: Final = "marketing"


class Law(Value, frozen=True):
    """The rules of one country.

    Args:
        source: the act and its articles.
        proactive_from: local time from which a message may be begun; with ``proactive_until``, else any time.
        any_hour: media that the hours do not bind.
        marketing_label: what a marketing message starts with.
        marketing_footer: what it ends with; ``{name}`` is filled from the profile.
        footer_media: media that take the footer; all where empty.
        help_words: single words that are answered with ``help_text``.
        help_text: what is offered as the answer to them; ``{name}`` is filled from the profile.
        consent_years: after so long a consent to marketing is asked about again; 0 for never.
        tell_result_days: within so many days the result of an opt-out or opt-in is told; 0 where not asked for.
        marketing_needs_consent: a marketing message goes only to whom consented to marketing.
        answer_after_opt_out: somebody who opted out and then wrote may be answered there once.
    """

    source: str
    proactive_from: str = ""
    proactive_until: str = ""
    any_hour: tuple[Medium, ...] = ()
    marketing_label: str = ""
    marketing_footer: str = ""
    footer_media: tuple[Medium, ...] = ()
    help_words: tuple[str, ...] = ()
    help_text: str = ""
    consent_years: int = 0
    tell_result_days: int = 0
    marketing_needs_consent: bool = True
    answer_after_opt_out: bool = True


NO_LAW: Final = Law("none known for this country")


def quiet_hours(law: Law, medium: Medium) -> Quiet | None:
    """Return the hours in which a message may be begun on a medium, or None for all.

    Raises:
        ValueError: the data names a time that is none.
    """
    if medium in law.any_hour or not (law.proactive_from and law.proactive_until):
        return None
    return Quiet(time.fromisoformat(law.proactive_from), time.fromisoformat(law.proactive_until))


_ANY_HOUR: Final = Quiet(time.min, time.max)
"""Where a country names no hours its holidays hold all the same."""


def begin_refused(
    law: Law, medium: Medium, now: datetime, zones: Sequence[str], holidays: Collection[date] = frozenset()
) -> tuple[str, Facts, datetime] | None:
    """Return why a message must not be begun now (reason, facts, until when), or None where it may."""
    quiet = quiet_hours(law, medium)
    if quiet is None:
        if not holidays or medium in law.any_hour:
            return None
        quiet = _ANY_HOUR
    until = hours.quiet_until(now, zones, quiet, holidays)
    if until is None:
        return None
    return QUIET_HOURS, {"until": until.isoformat(), "zone": zones[0] if zones else "UTC", "source": law.source}, until


def dressed(text: str, law: Law, medium: Medium, values: Mapping[str, str]) -> str:
    """Return a marketing text with the label and the footer that the law asks for, each once.

    Args:
        values: what the footer's names stand for, from the profile (``free_opt_out``, ``opt_out_link`` …).

    Raises:
        KeyError: the footer names something that the profile does not give: the message must not go out.
    """
    footer = _footer(law, medium).format_map(dict(values))
    if law.marketing_label and not text.lstrip().startswith(law.marketing_label):
        text = f"{law.marketing_label} {text.lstrip()}"
    if footer and footer not in text:
        text = f"{text.rstrip()}\n{footer}"
    return text


def asks_help(law: Law, text: str) -> bool:
    """Say whether a message is one of the single words that the law wants to be answered with its help text."""
    return bool(law.help_text) and consent.plain(text[: consent.LONGEST]) in law.help_words


def unfilled(law: Law, medium: Medium, values: Mapping[str, str]) -> str:
    """Return the first name in a medium's footer for which there is no value, or an empty text."""
    return next((name for name in names_in(_footer(law, medium)) if not values.get(name)), "")


def names_in(footer: str) -> tuple[str, ...]:
    """Return the names that a footer puts values in for.

    Raises:
        ValueError: its braces do not match.
    """
    return tuple(name for _, name, _, _ in Formatter().parse(footer) if name)


def _footer(law: Law, medium: Medium) -> str:
    return law.marketing_footer if not law.footer_media or medium in law.footer_media else ""


def consent_due(law: Law, consented: datetime, now: datetime) -> bool:
    """Say whether a consent to marketing is so old that it has to be asked about again."""
    if not law.consent_years:
        return False
    try:
        due = consented.replace(year=consented.year + law.consent_years)
    except ValueError:
        due = consented.replace(year=consented.year + law.consent_years, day=28)
    return now >= due
