"""A profile's templates: which there are, which count, and mistakes with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentconsole import config
from agentconsole.config import templates
from agentconsole.domain import templates as rules
from agentconsole.errors import ConfigError


def read(text: str, folder: Path) -> config.Profile:
    return config.parse(f"[profiles.shop]\n{text}", folder / "config.toml").profile("shop")


def test_the_shipped_ones_are_right_in_both_languages(tmp_path: Path):
    found = templates.of(read("", tmp_path))
    assert {"delay", "outage", "refund", "appointment_moved", "ask_preference", "ask_consent"} <= {
        t.name for t in found
    }
    for one in found:
        assert rules.faults(one) == []
        assert set(one.texts) == set(one.subjects) == {"en", "ko"}


def test_own_tables_stand_before_the_folder_and_that_before_what_ships(tmp_path: Path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "delay.en.txt").write_text("Subject: Late\n\nfrom the folder\n", encoding="utf-8")
    (tmp_path / "t" / "parcel.ko.txt").write_text("소포", encoding="utf-8")
    found = {t.name: t for t in templates.of(read('template_folder = "t"', tmp_path))}
    assert (found["delay"].texts, found["delay"].subjects) == ({"en": "from the folder"}, {"en": "Late"})
    assert found["parcel"].texts == {"ko": "소포"}
    own = 'template_folder = "t"\nstarter_templates = false\n[profiles.shop.templates.delay]\ntext = { en = "mine" }'
    found = {t.name: t for t in templates.of(read(own, tmp_path))}
    assert found["delay"].texts == {"en": "mine"}
    assert set(found) == {"delay", "parcel"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('text = { en = "Hi {customer.nam}" }', "config.toml:3: profiles.shop.templates.delay.text.en"),
        ('text = { english = "Hi" }', "two small letters"),
        ("words = []", "needs a text"),
        ('text = { en = "Hi" }\nmediums = []', "nearest: media"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, table: str, said: str):
    with pytest.raises(ConfigError) as caught:
        read(f"[profiles.shop.templates.delay]\n{table}", tmp_path)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Delay.en.txt", b"x", "must read NAME.LANGUAGE.txt"),
        ("delay.en.txt", b"{customer.nam}", "there is no {customer.nam}"),
        ("delay.en.txt", b"\xff\xfe", "not UTF-8"),
        ("delay.en.txt", b"x" * 40_000, "too long"),
    ],
)
def test_a_folder_with_a_mistake_says_which_file(tmp_path: Path, name: str, text: bytes, said: str):
    (tmp_path / name).write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        templates.of(read(f'template_folder = "{tmp_path}"', tmp_path))
    assert said in caught.value.message


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        templates.of(read('template_folder = "nowhere"', tmp_path))
