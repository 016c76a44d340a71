"""The profile's say in what it begins: laws of its own, switched off, holidays, prices, and every mistake told."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType

import pytest

from agentconsole import bootstrap, config
from agentconsole.config import rules
from agentconsole.config.options import LawOptions, Profile
from agentconsole.errors import ConfigError

OWN = """
as_of = "2026-11"
[laws.NL]
source = "an act"
proactive_from = "{start}"
proactive_until = "20:00"
marketing_footer = "{footer}"
"""


def law_file(folder: Path, start: str = "09:00", footer: str = "Stop: {opt_out_link}") -> Path:
    path = folder / "laws.toml"
    path.write_text(OWN.replace("{start}", start).replace("{footer}", footer))
    return path


def profile(**said: object) -> Profile:
    return Profile(region="KR", laws=LawOptions(**said))  # type: ignore[arg-type]


def test_the_shipped_laws_hold_unless_they_are_switched_off_or_replaced(tmp_path: Path) -> None:
    assert {"KR", "US", "JP", "DE", "BR"} <= set(rules.of(profile(), "Asia/Seoul").laws)
    assert rules.of(profile(use=False), "Asia/Seoul").laws == {}
    own = rules.of(profile(file=str(law_file(tmp_path)), cap_messages=5, cooling_hours=1), "Asia/Seoul")
    assert set(own.laws) == {"NL"}
    assert (own.cap.messages, own.cap.cooling_hours, own.country, own.zone) == (5, 1, "KR", "Asia/Seoul")


@pytest.mark.parametrize(
    ("start", "footer", "says"),
    [("25:00", "", "NL"), ("9", "", "NL"), ("09:00", "Stop: {opt_out_link", "NL")],
)
def test_a_law_that_could_only_fail_later_is_told_at_once(tmp_path: Path, start: str, footer: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"The law of {says} .* cannot be used"):
        rules.of(profile(file=str(law_file(tmp_path, start, footer))), "UTC")


def test_a_countrys_code_has_two_capital_letters(tmp_path: Path) -> None:
    path = tmp_path / "laws.toml"
    path.write_text(OWN.replace("laws.NL", "laws.nl").replace("{start}", "09:00"))
    with pytest.raises(ConfigError, match="two capital letters"):
        rules.checked(path)


def test_holidays_are_the_packages_where_there_is_one_and_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("holidays")
    package.list_supported_countries = lambda: {"KR": []}  # type: ignore[attr-defined]
    package.country_holidays = lambda country, years: {date(year, 3, 1): country for year in years}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "holidays", package)
    monkeypatch.setattr(rules.importlib.util, "find_spec", lambda _name: object())
    found = rules.of(profile(holidays={"KR": [date(2026, 9, 25)], "GB": [date(2026, 12, 26)]}), "UTC", date(2026, 1, 1))
    assert found.holidays["KR"] == (date(2026, 3, 1), date(2026, 9, 25), date(2027, 3, 1), date(2028, 3, 1))
    assert found.holidays["GB"] == (date(2026, 12, 26),)
    assert "US" not in found.holidays


SMS = """
[profiles.s]
store = "tinydb:store"
[profiles.s.laws]
file = "own/laws.toml"
values = {{ opt_out_link = "https://example.com/stop" }}
[profiles.s.channels.sms]
kind = "twilio"
account_sid = "AC00000000000000000000000000000000"
auth_token = {{ env = "T" }}
sender = "+15550001111"
price_per_part = "{price}"
"""


def test_a_price_and_a_file_beside_the_configuration(tmp_path: Path) -> None:
    found = config.parse(SMS.format(price="KRW 20"), tmp_path / "config.toml")
    (account,) = bootstrap.accounts(found, found.profile(), datetime(2026, 3, 4, tzinfo=UTC))
    assert account.price is not None
    assert account.price.of(2) == "KRW 40"
    assert found.profile().laws.file == str(tmp_path / "own" / "laws.toml")
    with pytest.raises(ConfigError, match=r"cannot be used.*No such file"):
        bootstrap.rules(found.profile())


@pytest.mark.parametrize("price", ["20", "20 KRW", "krw 20", "KRW 2,5"])
def test_a_price_that_is_none_is_told_with_its_line(tmp_path: Path, price: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml:12: .*price_per_part"):
        config.parse(SMS.format(price=price), tmp_path / "config.toml")


def test_a_holidays_country_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    text = SMS.format(price="KRW 20").replace(
        "[profiles.s.channels", "holidays = { kr = [2026-09-24] }\n[profiles.s.channels"
    )
    with pytest.raises(ConfigError, match=r"config\.toml:7: .*holidays.*kr: a country has two capital letters"):
        config.parse(text, tmp_path / "config.toml")
