"""Templates: what they may hold, what is put in, and that nothing from outside is ever one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agentconsole.domain import templates, wishes_answers
from agentconsole.domain.model import EntryId, Fact, Medium
from agentconsole.domain.templates import Template

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def template(text: str, **more: object) -> Template:
    return Template("delay", {"en": text}, **more)  # type: ignore[arg-type]


def filled(text: str, **values: str) -> tuple[str, tuple[str, ...]]:
    found = templates.fill(template(text), "en", lambda name: values.get(name.replace(".", "_"), ""))
    return found.text, found.unfilled


def test_what_is_known_is_put_in_and_what_is_not_stays_visible():
    assert filled("Hello {customer.name}, {fact.order} is {reason}.", customer_name="Emily", reason="late") == (
        "Hello Emily, {fact.order} is late.",
        ("fact.order",),
    )


def test_a_value_is_never_looked_at_again():
    assert filled("Hello {customer.name}.", customer_name="{agent.name} {{7*7}}", agent_name="secret") == (
        "Hello {agent.name} {{7*7}}.",
        (),
    )


@pytest.mark.parametrize(
    "text",
    [
        "{customer.__class__}",
        "{customer.name.upper}",
        "{{ 7*7 }}",
        "{% for x in y %}",
        "{fact.nothing}",
        "{customer.name+2d}",
        "{date+2y}",
        "{",
        "}",
        "{ customer.name }",
        "{}",
        "",
        "   ",
        "x" * (templates.LONGEST + 1),
    ],
)
def test_the_checker_refuses(text: str):
    assert templates.faults(template(text))


@pytest.mark.parametrize(
    "text",
    ["{customer.name} {date+2d} {time+2h} {weekday-1w} {fact.order} {fact.phone} {what_you_like}", "no variable"],
)
def test_the_checker_lets_pass(text: str):
    assert templates.faults(template(text)) == []


def test_a_profiles_own_facts_are_known():
    assert templates.faults(template("{fact.serial}")) != []
    assert templates.faults(template("{fact.serial}"), ["serial"]) == []


def test_a_subject_needs_its_text_and_one_line():
    assert templates.faults(template("a", subjects={"ko": "b"})) == [(("subject", "ko"), "there is no text in ko")]
    assert templates.faults(template("a", subjects={"en": "b\nc"})) == [(("subject", "en"), "a subject has one line")]


def test_distances():
    assert templates.moved("date+2d") == ("date", timedelta(days=2))
    assert templates.moved("time-90m") == ("time", timedelta(minutes=-90))
    assert templates.moved("date") == ("date", timedelta())
    assert templates.moved("customer.name") is None


def test_an_id_number_is_never_put_in_whole():
    def fact(kind: str, value: str) -> Fact:
        return Fact(kind, value, EntryId("e1"), AT, Medium("email"))

    known = [fact("id_number", "900101-1234568"), fact("order_number", "55120"), fact("serial", "SN1")]
    assert templates.fact_of("fact.order", known) == "55120"
    assert templates.fact_of("fact.serial", known) == "SN1"
    assert "900101" not in templates.fact_of("fact.id", known)
    assert templates.fact_of("fact.phone", known) == ""


def test_the_language_that_the_customer_reads_decides():
    two = Template("delay", {"en": "late", "ko": "늦음"})
    assert templates.language_of(two, ["ko", "en"]) == "ko"
    assert templates.language_of(two, ["pt", "ko"]) == "ko"
    assert templates.language_of(two, ["pt"]) == "en"


def test_typing_finds_by_shortcut_then_name_then_text():
    many = [
        templates.fill(Template(name, {"en": text}, words=words), "en", lambda _: "")
        for name, text, words in (
            ("outage", "it is late and down", ("down",)),
            ("delay", "your parcel", ("late",)),
            ("latecomer", "no", ()),
        )
    ]
    assert [one.name for one in templates.matching(many, "late")] == ["delay", "latecomer", "outage"]
    assert [one.name for one in templates.matching(many, "")] == ["outage", "delay", "latecomer"]
    assert templates.matching(many, "zebra") == []


@pytest.mark.parametrize(("answer", "medium"), [("2", "sms"), ("E-mail please", "email"), ("3", "whatsapp"), ("9", "")])
def test_the_shipped_question_for_a_medium_is_one_that_a_short_answer_answers(answer: str, medium: str):
    from agentconsole.config import Profile
    from agentconsole.config import templates as shipped

    (ask,) = [one for one in shipped.of(Profile()) if one.name == "ask_preference"]
    assert wishes_answers.answered(ask.texts["en"], answer) == medium
    korean = {"2": "sms", "3": "kakaotalk"}
    assert wishes_answers.answered(ask.texts["ko"], answer) == korean.get(
        answer, wishes_answers.answered(ask.texts["ko"], answer)
    )
