"""What a profile says of messages that it begins itself, as the domain needs it: laws, holidays, cap, cooling-off."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from agentconsole.config import facts
from agentconsole.config.options import Profile
from agentconsole.domain import laws
from agentconsole.domain.beginning import Rules
from agentconsole.domain.guards import Cap
from agentconsole.domain.laws import Law
from agentconsole.domain.model import Medium
from agentconsole.errors import ConfigError

YEARS_AHEAD: Final = 2
"""A hub runs over New Year's Eve; the package's days are read once."""

_MEDIA: Final = (Medium("sms"), Medium("email"), Medium("whatsapp"))


def of(profile: Profile, zone: str, today: date | None = None) -> Rules:
    """Return a profile's rules.

    Args:
        zone: the time zone of customers of whom nothing is known.
        today: from whose year on holidays are read; the present one where left out.

    Raises:
        ConfigError: the file of laws cannot be used.
    """
    said = profile.laws
    found = checked(Path(said.file) if said.file else None) if said.use else {}
    days = holidays(found, (today or datetime.now(UTC).date()).year)
    for country, more in said.holidays.items():
        days[country] = tuple(sorted({*days.get(country, ()), *more}))
    return Rules(
        laws=found,
        values=dict(said.values),
        holidays=days,
        zone=zone,
        country=profile.region,
        consent=said.marketing_needs_consent,
        cap=Cap(said.cap_messages, said.cap_days, said.cooling_hours),
    )


def checked(instead: Path | None = None) -> dict[str, Law]:
    """Read the laws and try what is only read when a message is judged: times and the names in footers.

    Raises:
        ConfigError: a country's code, a time or a footer is not right.
    """
    found = facts.laws(instead).laws
    for country, law in found.items():
        try:
            if len(country) != 2 or not country.isalpha() or not country.isupper():
                raise ValueError("a country has two capital letters (ISO 3166)")
            laws.names_in(law.marketing_footer)
            for medium in _MEDIA:
                laws.quiet_hours(law, medium)
        except ValueError as error:
            raise ConfigError(
                f"The law of {country} in {instead or 'laws.toml'} cannot be used: {error}. Nothing was changed.",
                "Correct it, or leave it out of the file.",
            ) from error
    return found


def holidays(countries: Collection[str], year: int) -> dict[str, tuple[date, ...]]:
    """Return the holidays that the package of this name knows, where it is installed (the extra ``calendar``)."""
    if not countries or importlib.util.find_spec("holidays") is None:
        return {}
    package = importlib.import_module("holidays")
    known = package.list_supported_countries()
    years = range(year, year + YEARS_AHEAD + 1)
    return {
        country: tuple(sorted(package.country_holidays(country, years=years)))
        for country in countries
        if country in known
    }
