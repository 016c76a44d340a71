"""What the law asks of messages that we begin: data, checked against the file that ships."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentconsole.config import facts
from agentconsole.domain import laws, regions
from agentconsole.domain.model import Medium
from agentconsole.errors import ConfigError

KR = facts.laws().laws["KR"]
US = facts.laws().laws["US"]
SMS, MAIL = Medium("sms"), Medium("email")


def test_every_law_names_its_source_and_its_times_can_be_read() -> None:
    shipped = facts.laws()
    assert shipped.as_of >= "2026"
    for country, law in shipped.laws.items():
        assert len(country) == 2
        assert law.source
        for medium in (SMS, MAIL):
            laws.quiet_hours(law, medium)


def test_korean_night_binds_sms_and_not_mail() -> None:
    night = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
    refused = laws.begin_refused(KR, SMS, night, ("Asia/Seoul",))
    assert refused is not None
    assert refused[0] == laws.QUIET_HOURS
    assert refused[2] == datetime(2026, 3, 3, 23, 0, tzinfo=UTC)
    assert laws.begin_refused(KR, MAIL, night, ("Asia/Seoul",)) is None
    assert laws.begin_refused(KR, SMS, datetime(2026, 3, 3, 3, 0, tzinfo=UTC), ("Asia/Seoul",)) is None
    assert laws.begin_refused(laws.NO_LAW, SMS, night, ("Asia/Seoul",)) is None


def test_label_and_footer_each_once() -> None:
    values = {"free_opt_out": "080-123-4567"}
    once = laws.dressed("봄 할인", KR, SMS, values)
    assert once == "(광고) 봄 할인\n무료수신거부 080-123-4567"
    assert laws.dressed(once, KR, SMS, values) == once
    assert laws.dressed("Spring sale", US, MAIL, {}) == "Spring sale"
    assert laws.dressed("Spring sale", US, SMS, {}) == "Spring sale\nReply STOP to opt out"


def test_a_footer_without_its_number_does_not_go_out() -> None:
    with pytest.raises(KeyError):
        laws.dressed("봄 할인", KR, SMS, {})


@pytest.mark.parametrize(
    ("given", "asked", "due"), [("2024-02-29", "2026-02-27", False), ("2024-02-29", "2026-02-28", True)]
)
def test_consent_is_asked_about_again(given: str, asked: str, due: bool) -> None:
    def day(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert laws.consent_due(KR, day(given), day(asked)) == due
    assert not laws.consent_due(US, day(given), day("2036-01-01"))


def test_shares_are_dated_and_sourced_and_decide_only_what_is_reachable() -> None:
    shares = facts.regions()
    assert all(0 < share.share <= 1 and share.source and share.as_of and share.of for share in shares)
    whatsapp = Medium("whatsapp")
    found = regions.expected(shares, "BR", [SMS, whatsapp])
    assert found is not None
    assert found.medium == whatsapp
    assert regions.expected(shares, "BR", [SMS]) is None
    assert regions.expected(shares, "", [whatsapp]) is None
    assert regions.expected(shares, "AE", [Medium("push")]) is None
    assert regions.expected(shares, "AE", [Medium("push")], "status") is not None


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "laws.toml"
    broken.write_text("as_of = 3")
    with pytest.raises(ConfigError):
        facts.laws(broken)
