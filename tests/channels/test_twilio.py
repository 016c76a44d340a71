"""SMS through Twilio, polled: requests and answers are checked against the vendor's schema."""

from __future__ import annotations

import asyncio
import logging
import socket
from datetime import timedelta

import httpx
import pytest

from agentconsole.channels import twilio
from agentconsole.domain.model import Delivery
from agentconsole.errors import (
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    SignInFailed,
    TemporaryFailure,
    Withdrawn,
)
from agentconsole.ports import (
    Cursor,
    Inbound,
    StatusReport,
)
from agentconsole.sandbox.fake_twilio import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER
from tests.channels.smsbench import EMILY, Committed, outgoing
from tests.channels.twilioworld import MINSU, World, look, meaning, texts
from tests.channels.twilioworld import twilio_token as twilio_token
from tests.channels.twilioworld import world as world
from tests.fakes.clock import START
from tests.fakes.twilio import Checked
from tests.waiting import DEADLINE


async def test_a_customers_message_arrives_once(world: World) -> None:
    channel = world.open()
    sid = world.fake.customer_says(EMILY.value, "예약을 옮기고 싶어요 😀")
    items, cursor = await look(channel, None)
    (message,) = meaning(items)
    assert message == Inbound(
        identity=sid, sender=EMILY, text="예약을 옮기고 싶어요 😀", sent_at=START, external_id=sid
    )
    world.clock.move(seconds=15)
    items, cursor = await look(channel, cursor)
    assert items == []
    world.fake.customer_says(MINSU, "hello")
    items, _ = await look(world.open(), cursor)
    assert texts(items) == ["hello"]
    assert world.checked.checked == 6


async def test_asking_again_with_the_old_cursor_gives_the_same(world: World) -> None:
    channel = world.open()
    world.fake.customer_says(EMILY.value, "one")
    first, _ = await look(channel, None)
    again, _ = await look(channel, None)
    assert [item.identity for item in first] == [item.identity for item in again]
    assert first[0].payload == again[0].payload


async def test_two_messages_in_the_same_second_around_a_look_both_arrive(world: World) -> None:
    channel = world.open()
    world.fake.customer_says(EMILY.value, "one")
    first, cursor = await look(channel, None)
    world.fake.customer_says(EMILY.value, "two")
    second, cursor = await look(channel, cursor)
    third, _ = await look(channel, cursor)
    assert (texts(first), texts(second), texts(third)) == (["one"], ["two"], [])


async def test_a_message_that_the_list_shows_late_arrives(world: World) -> None:
    channel = world.open()
    world.fake.customer_says(EMILY.value, "new")
    late = world.fake.messages.pop()
    world.clock.move(seconds=60)
    world.fake.customer_says(EMILY.value, "newer")
    _, cursor = await look(channel, None)
    world.fake.messages.insert(0, late)
    items, _ = await look(channel, cursor)
    assert texts(items) == ["new"]


async def test_midnight_loses_nothing(world: World) -> None:
    channel = world.open()
    world.clock.move(hours=9, minutes=59, seconds=58)
    world.fake.customer_says(EMILY.value, "before midnight")
    items, cursor = await look(channel, None)
    late = world.fake.customer_says(EMILY.value, "a second before midnight")
    world.clock.move(seconds=10)
    world.fake.customer_says(EMILY.value, "after midnight")
    found, _ = await look(channel, cursor)
    assert texts(items) == ["before midnight"]
    assert sorted(texts(found)) == ["a second before midnight", "after midnight"]
    assert late in {item.identity for item in found}


async def test_a_backlog_comes_page_by_page_and_only_once(world: World) -> None:
    channel = world.open(since=START - timedelta(days=3))
    world.clock.jump(days=-2)
    for number in range(130):
        world.fake.customer_says(EMILY.value, f"text {number}")
        world.clock.jump(minutes=20)
    world.clock.jump(hours=4)
    first = await channel.fetch(None)
    assert first.more
    assert len(first.items) == twilio.PAGE
    world.fake.customer_says(EMILY.value, "while paging")
    rest, cursor = await look(world.open(since=START - timedelta(days=3)), first.cursor)
    assert sorted(texts([*first.items, *rest])) == sorted(f"text {number}" for number in range(130))
    after, _ = await look(channel, cursor)
    assert texts(after) == ["while paging"]


async def test_an_expired_page_begins_the_round_again(world: World) -> None:
    channel = world.open()
    for number in range(60):
        world.fake.customer_says(EMILY.value, f"text {number}")
    first = await channel.fetch(None)
    world.fake.refuse_next(400, 20001, "Invalid PageToken")
    rest, _ = await look(channel, first.cursor)
    assert {*texts([*first.items, *rest])} == {f"text {number}" for number in range(60)}
    assert len(first.items) + len(rest) == 60


async def test_older_than_since_and_other_numbers_are_left_alone(world: World) -> None:
    world.clock.jump(days=-2)
    world.fake.customer_says(EMILY.value, "long ago")
    world.clock.jump(days=2)
    world.fake.customer_says(EMILY.value, "to another number", to="+15550002222")
    world.fake.customer_says(f"whatsapp:{EMILY.value}", "on WhatsApp", to=f"whatsapp:{OUR_NUMBER}")
    world.fake.customer_says(EMILY.value, "today")
    items, _ = await look(world.open(), None)
    assert texts(items) == ["today"]
    items, _ = await look(world.open(since=START - timedelta(days=3)), None)
    assert sorted(texts(items)) == ["long ago", "today"]


@pytest.mark.parametrize("value", ["", "{}", "SM1", '{"inbound":1}'])
async def test_a_cursor_of_another_version_reads_again(world: World, value: str) -> None:
    world.fake.customer_says(EMILY.value, "hello")
    items, _ = await look(world.open(), Cursor(value))
    assert texts(items) == ["hello"]


async def test_the_cursor_stays_small(world: World) -> None:
    channel, cursor = world.open(), None
    for round_ in range(20):
        for number in range(5):
            world.fake.customer_says(EMILY.value, f"{round_} {number}")
            await channel.send(outgoing(f"{round_} {number}"), Committed())
        for _ in range(3):
            world.fake.progress()
        world.clock.move(minutes=10)
        _, cursor = await look(channel, cursor)
    assert cursor is not None
    assert len(cursor.value) < 3_000


@pytest.mark.parametrize(
    ("status", "code", "failure"),
    [
        (401, 20003, SignInFailed),
        (403, 20005, SignInFailed),
        (404, 20404, SignInFailed),
        (429, 20429, TemporaryFailure),
        (400, 20001, TemporaryFailure),
        (500, 20500, TemporaryFailure),
        (503, 20503, TemporaryFailure),
    ],
)
async def test_a_look_that_fails_says_how(world: World, status: int, code: int, failure: type[ChannelFailure]) -> None:
    world.fake.refuse_next(status, code, retry_after=7)
    channel = world.open()
    with pytest.raises(failure) as failed:
        await channel.fetch(None)
    if status == 429:
        assert isinstance(failed.value, TemporaryFailure)
        assert (failed.value.reason, failed.value.retry_after) == ("rate_limited", 7)
    world.fake.customer_says(EMILY.value, "hello")
    items, _ = await look(channel, None)
    assert texts(items) == ["hello"]


async def test_a_new_token_is_taken_up_after_a_refusal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_TOKEN", "wrong")
    channel, commit = world.open(), Committed()
    with pytest.raises(SignInFailed):
        await channel.fetch(None)
    with pytest.raises(SignInFailed):
        await channel.send(outgoing("hello"), commit)
    monkeypatch.setenv("TWILIO_TOKEN", AUTH_TOKEN)
    assert (await channel.send(outgoing("hello"), Committed())).external_id
    assert len(world.fake.sent) == 1


@pytest.mark.parametrize(
    "body", ["<html>busy</html>", "[]", '{"messages": 1}', '{"messages": [1, {}, {"sid": 5}]}', "[" * 5000]
)
async def test_an_odd_list_is_no_crash(world: World, body: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
    channel = world.open(transport)
    try:
        batch = await channel.fetch(None)
    except TemporaryFailure as exc:
        found = exc.message
    else:
        found = "no items"
        assert batch.items == ()
    assert found


async def test_a_page_address_never_leads_elsewhere(world: World) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"messages": [], "next_page_uri": "https://evil.test/x?Page=1&PageToken=a"})

    channel = world.open(httpx.MockTransport(answer))
    batch = await channel.fetch(None)
    await channel.fetch(batch.cursor)
    assert {url.host for url in asked} == {"api.twilio.com"}
    assert len(asked) == 4


async def test_wait_sleeps_as_configured(world: World) -> None:
    channel = world.open(poll_seconds=20)
    waiting = asyncio.ensure_future(channel.wait())
    await asyncio.sleep(0)
    world.clock.move(seconds=19)
    await asyncio.sleep(0)
    assert not waiting.done()
    world.clock.move(seconds=1)
    await asyncio.wait_for(waiting, DEADLINE)


# -- going out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Hello & goodbye?", "안녕하세요 😀\n두 번째 줄", "가" * 670, "a" * 1530])
async def test_a_reply_goes_out(world: World, text: str) -> None:
    commit = Committed()
    report = await world.open().send(outgoing(text), commit)
    (sms,) = world.fake.sent
    assert (sms.to, sms.sender, sms.text) == (EMILY.value, OUR_NUMBER, text)
    assert (report.external_id, report.state, commit.times) == (sms.sid, Delivery.SENT, 1)
    assert world.checked.checked == 1


async def test_states_come_by_looking(world: World) -> None:
    channel = world.open()
    report = await channel.send(outgoing("hello"), Committed())
    items, cursor = await look(channel, None)
    assert items == []
    seen: list[Delivery] = []
    for _ in range(3):
        world.fake.progress()
        world.clock.move(hours=1)
        items, cursor = await look(channel, cursor)
        for one in meaning(items):
            assert isinstance(one, StatusReport)
            assert (one.external_id, one.key) == (report.external_id, "")
            seen.append(one.state)
    assert seen == [Delivery.SENT, Delivery.DELIVERED]
    world.clock.move(hours=1)
    assert (await look(channel, cursor))[0] == []


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ("undelivered", 30003, "not_delivered"),
        ("undelivered", 30006, "bad_address"),
        ("undelivered", 30007, "filtered"),
        ("failed", 30004, "blocked"),
        ("failed", None, "not_delivered"),
        ("canceled", None, "cancelled"),
    ],
)
async def test_a_failure_is_reported_with_its_reason(world: World, status: str, code: int | None, reason: str) -> None:
    channel = world.open()
    sid = (await channel.send(outgoing("hello"), Committed())).external_id
    world.fake.set_state(sid, status, code)
    items, _ = await look(channel, None)
    (report,) = meaning(items)
    assert isinstance(report, StatusReport)
    assert (report.state, report.reason, report.external_id) == (Delivery.FAILED, reason, sid)
    assert str(code or "") in report.detail


async def test_a_report_of_an_opt_out_says_so(world: World) -> None:
    channel = world.open()
    sid = (await channel.send(outgoing("hello"), Committed())).external_id
    world.fake.set_state(sid, "failed", 21610)
    items, _ = await look(channel, None)
    (report,) = meaning(items)
    assert isinstance(report, StatusReport)
    assert report.reason == "opted_out"


@pytest.mark.parametrize(
    ("status", "code", "failure", "reason"),
    [
        (400, 21610, PermanentFailure, "opted_out"),
        (403, 21610, PermanentFailure, "opted_out"),
        (400, 21211, PermanentFailure, "bad_address"),
        (400, 21614, PermanentFailure, "bad_address"),
        (403, 21408, PermanentFailure, "not_routable"),
        (400, 21617, PermanentFailure, "too_long"),
        (400, 29999, PermanentFailure, "refused"),
        (415, 20415, PermanentFailure, "refused"),
        (400, 21606, SignInFailed, "sign_in_refused"),
        (401, 20003, SignInFailed, "sign_in_refused"),
        (403, 20005, SignInFailed, "sign_in_refused"),
        (404, 20404, SignInFailed, "sign_in_refused"),
        (429, 20429, TemporaryFailure, "rate_limited"),
        (400, 21611, TemporaryFailure, "rate_limited"),
        (500, 20500, OutcomeUnknown, "provider_error"),
        (503, 20503, OutcomeUnknown, "provider_error"),
    ],
)
async def test_every_answer_proves_what_the_table_says(
    world: World, status: int, code: int, failure: type[ChannelFailure], reason: str
) -> None:
    world.fake.refuse_next(status, code, retry_after=3)
    commit = Committed()
    with pytest.raises(failure) as raised:
        await world.open().send(outgoing("hello"), commit)
    assert type(raised.value) is failure
    assert (raised.value.reason, commit.times, world.fake.sent) == (reason, 1, [])
    if isinstance(raised.value, TemporaryFailure):
        assert raised.value.retry_after == 3


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(201, text="<html>"), OutcomeUnknown),
        (httpx.Response(201, json={"status": "queued"}), OutcomeUnknown),
        (httpx.Response(200, json=[]), OutcomeUnknown),
        (httpx.Response(201, json={"sid": "SM1", "status": "failed", "error_code": 21610}), PermanentFailure),
        (httpx.Response(302, headers={"location": "https://login.test"}), SignInFailed),
        (httpx.Response(502, text="<html>bad gateway"), OutcomeUnknown),
        (httpx.Response(429, headers={"retry-after": "soon"}), TemporaryFailure),
        (httpx.Response(418, text="["), PermanentFailure),
    ],
)
async def test_odd_answers(world: World, answer: httpx.Response, failure: type[ChannelFailure]) -> None:
    with pytest.raises(failure) as raised:
        await world.open(httpx.MockTransport(lambda _: answer)).send(outgoing("hello"), Committed())
    assert type(raised.value) is failure


async def test_an_opted_out_customer_is_refused(world: World) -> None:
    world.fake.opted_out.add(EMILY.value)
    with pytest.raises(PermanentFailure) as refused:
        await world.open().send(outgoing("hello"), Committed())
    assert refused.value.reason == "opted_out"
    assert world.fake.sent == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (outgoing("가" * 671), "too_long"),
        (outgoing("a" * 1531), "too_long"),
        (outgoing(" \n "), "empty"),
        (outgoing("x", to="whatsapp:+821012345678"), "bad_address"),
        (outgoing("x", to=""), "bad_address"),
    ],
)
async def test_what_cannot_go_is_refused_before_commit(world: World, message: object, reason: str) -> None:
    commit = Committed()
    with pytest.raises(PermanentFailure) as refused:
        await world.open().send(message, commit)  # type: ignore[arg-type]
    assert (refused.value.reason, commit.times, world.fake.requests) == (reason, 0, 0)


async def test_a_withdrawn_reply_does_not_leave(world: World) -> None:
    with pytest.raises(Withdrawn):
        await world.open().send(outgoing("hello"), Committed("cancelled"))
    assert world.fake.requests == 0


async def test_no_token_stops_the_account_before_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWILIO_TOKEN")
    commit = Committed()
    with pytest.raises(SignInFailed) as failed:
        await world.open().send(outgoing("hello"), commit)
    assert (failed.value.reason, commit.times) == ("no_secret", 0)


async def test_probe_signs_in_and_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ACCOUNT_SID in await world.open().probe()
    assert [request.method for request in world.checked.requests] == ["GET"]
    monkeypatch.setenv("TWILIO_TOKEN", "wrong horse")
    with pytest.raises(SignInFailed) as failed:
        await world.open().probe()
    assert "wrong horse" not in failed.value.message + failed.value.hint


async def test_the_token_is_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    channel = world.open()
    with caplog.at_level(logging.DEBUG):
        await channel.send(outgoing("hello"), Committed())
        await look(channel, None)
    assert caplog.text
    assert AUTH_TOKEN not in caplog.text


# -- a line that breaks -------------------------------------------------------------------------------------


async def test_a_lost_answer_is_unknown_and_the_next_look_proves_it(world: World) -> None:
    fake = world.fake
    await fake.start()
    try:
        channel = world.open(Checked(httpx.AsyncHTTPTransport()), base_url=fake.url)
        _, cursor = await look(channel, None)
        fake.lose_next_answer = True
        with pytest.raises(OutcomeUnknown):
            await channel.send(outgoing("are you there", "key-lost"), Committed())
        items, cursor = await look(channel, cursor)
        (proof,) = meaning(items)
        assert isinstance(proof, StatusReport)
        assert (proof.key, proof.external_id, proof.state) == ("key-lost", fake.sent[0].sid, Delivery.SENT)
        fake.progress()
        fake.progress()
        items, _ = await look(channel, cursor)
        (later,) = meaning(items)
        assert isinstance(later, StatusReport)
        assert (later.external_id, later.key) == (fake.sent[0].sid, "")
    finally:
        await fake.stop()


async def test_only_the_same_text_to_the_same_number_is_a_proof(world: World) -> None:
    channel = world.open()
    known = await channel.send(outgoing("hello", "key-0"), Committed())
    world.fake.refuse_next(500, 20500)
    with pytest.raises(OutcomeUnknown):
        await channel.send(outgoing("hello", "key-lost"), Committed())
    await channel.send(outgoing("hello", "key-2", to=MINSU), Committed())
    await channel.send(outgoing("hello!", "key-3"), Committed())
    world.fake.set_state(known.external_id, "sent")
    items, _ = await look(channel, None)
    assert [(one.external_id, one.key) for one in meaning(items) if isinstance(one, StatusReport)] == [
        (known.external_id, "")
    ]


async def test_of_two_lost_answers_to_the_same_text_one_message_proves_neither(world: World) -> None:
    channel = world.open()
    for key in ("key-1", "key-2"):
        world.fake.refuse_next(500, 20500)
        with pytest.raises(OutcomeUnknown):
            await channel.send(outgoing("hello", key), Committed())
    await world.open().send(outgoing("hello", "key-2"), Committed())
    items, _ = await look(channel, None)
    assert [one.key for one in meaning(items) if isinstance(one, StatusReport)] == []
    assert await channel.look(outgoing("hello", "key-1"), START, frozenset()) is not None
    await world.open().send(outgoing("hello", "key-1"), Committed())
    assert await channel.look(outgoing("hello", "key-1"), START, frozenset()) is None


async def test_an_older_message_of_the_same_text_is_no_proof(world: World) -> None:
    await world.open().send(outgoing("hello", "key-0"), Committed())
    world.clock.move(minutes=10)
    channel = world.open()
    world.fake.refuse_next(500, 20500)
    with pytest.raises(OutcomeUnknown):
        await channel.send(outgoing("hello", "key-lost"), Committed())
    assert (await look(channel, None))[0] == []


async def test_a_refused_connection_is_temporary(world: World) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        channel = world.open(httpx.AsyncHTTPTransport(), base_url=url)
        with pytest.raises(TemporaryFailure) as failed:
            await channel.send(outgoing("hello"), Committed())
        assert failed.value.reason == "unreachable"
        with pytest.raises(TemporaryFailure):
            await channel.fetch(None)


async def test_after_an_outage_everything_arrives(world: World) -> None:
    fake = world.fake
    await fake.start()
    try:
        channel = world.open(Checked(httpx.AsyncHTTPTransport()), base_url=fake.url)
        _, cursor = await look(channel, None)
        await fake.cut()
        fake.customer_says(EMILY.value, "hello?")
        with pytest.raises(TemporaryFailure):
            await channel.fetch(cursor)
        await fake.heal()
        items, _ = await look(channel, cursor)
        assert texts(items) == ["hello?"]
    finally:
        await fake.stop()


async def test_a_send_that_is_given_up_waiting_may_be_proved_later(world: World) -> None:
    started, hold = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        answer = await world.checked.handle_async_request(request)
        if request.method == "POST":
            started.set()
            await hold.wait()
        return answer

    channel = world.open(httpx.MockTransport(slow))
    sending = asyncio.ensure_future(channel.send(outgoing("hello", "key-slow"), Committed()))
    await asyncio.wait_for(started.wait(), DEADLINE)
    assert (await look(channel, None))[0] == []
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    items, _ = await look(channel, None)
    assert [one.key for one in meaning(items) if isinstance(one, StatusReport)] == ["key-slow"]
    hold.set()


async def test_a_message_that_is_just_being_sent_proves_nothing_about_an_earlier_one(world: World) -> None:
    started, hold = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        answer = await world.checked.handle_async_request(request)
        if request.method == "POST" and answer.status_code == 201:
            started.set()
            await hold.wait()
        return answer

    channel = world.open(httpx.MockTransport(slow))
    world.fake.refuse_next(500, 20500)
    with pytest.raises(OutcomeUnknown):
        await channel.send(outgoing("hello", "key-lost"), Committed())
    again = asyncio.ensure_future(channel.send(outgoing("hello", "key-again"), Committed()))
    await asyncio.wait_for(started.wait(), DEADLINE)
    items, cursor = await look(channel, None)
    assert items == []
    hold.set()
    assert (await again).external_id == world.fake.sent[0].sid
    assert (await look(channel, cursor))[0] == []
