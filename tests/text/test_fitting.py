"""A reply that has to go another way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.text import fitting

LONG = "Your parcel left our warehouse this morning and the carrier says that it arrives tomorrow before noon. " * 3


def test_shortened_between_words_with_a_mark() -> None:
    found = fitting.fitted(LONG, limit=1, unit="sms", takes_subject=False, subject="Parcel")
    assert found is not None
    assert fitting.size(found.text, "sms") == 1
    assert found.text.endswith("...")
    assert LONG.startswith(found.text[:-3])
    assert LONG[len(found.text) - 3] == " "
    assert len(found.text) > 140
    assert found.changes == (fitting.SUBJECT_DROPPED, fitting.SHORTENED)


def test_what_fits_stays() -> None:
    assert fitting.fitted("Hi", limit=70, unit="characters", takes_subject=False) == fitting.Fitted("Hi")


def test_a_subject_is_made_from_the_first_line() -> None:
    found = fitting.fitted("\nIt left today.\nThanks", limit=9999, unit="characters", takes_subject=True)
    assert found == fitting.Fitted("\nIt left today.\nThanks", "It left today.", (fitting.SUBJECT_ADDED,))


def test_korean_is_not_cut_inside_a_syllable_of_jamo() -> None:
    text = "\u1112\u1161\u11ab" * 40
    found = fitting.fitted(text, limit=20, unit="characters", takes_subject=False)
    assert found is not None
    assert found.text == "\u1112\u1161\u11ab" * 6 + "…"


def test_nothing_where_not_even_the_mark_fits() -> None:
    assert fitting.fitted("hello", limit=2, unit="bytes", takes_subject=False) is None


@pytest.mark.parametrize("unit", ["characters", "bytes", "sms"])
@given(text=st.text(max_size=400), limit=st.integers(1, 200))
def test_it_fits_and_is_a_beginning(unit: str, text: str, limit: int) -> None:
    limit = limit % 4 + 1 if unit == "sms" else limit
    found = fitting.fitted(text, limit=limit, unit=unit, takes_subject=False)
    if found is None:
        assert fitting.size(fitting.MARK, unit) > limit
        return
    assert fitting.size(found.text, unit) <= limit
    beginning = found.text.removesuffix(fitting.MARK).removesuffix(fitting.PLAIN_MARK)
    assert text == found.text or text.startswith(beginning)
