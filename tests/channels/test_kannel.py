"""SMS through Kannel: the real gateway both ways, and on paper what it cannot be made to answer."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.channels import kannel
from agentconsole.channels.kannel import KIND, KannelChannel, KannelOptions, KannelWebhook
from agentconsole.domain.model import AccountName, Address, Delivery
from agentconsole.errors import (
    ChannelFailure,
    ConfigError,
    Forged,
    OutcomeUnknown,
    PermanentFailure,
    SignInFailed,
    TemporaryFailure,
    Withdrawn,
)
from agentconsole.ports import Cursor, Inbound, Opaque, Outgoing, RawItem, RawRequest, Secret, StatusReport
from tests.channels.hooklistener import Hook, listen
from tests.channels.smsbench import EMILY, Committed, lend, outgoing
from tests.fakes.clock import HandClock
from tests.servers import kannel as servers
from tests.waiting import DEADLINE, until

ACCOUNT = AccountName("sms main")
WORD = "Wörd/%D0&=+?"
"""Every character that could break the callback's address, or be taken for a code of the gateway."""
NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


class Gateway(NamedTuple):
    real: servers.Kannel
    hook: Hook


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    why = servers.missing()
    if why:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with listen() as hook:
        address = f"{hook.public_url}/hook/sms%20main?secret={quote(WORD, safe='')}"
        with servers.start_kannel(tmp_path_factory.mktemp("kannel"), address) as real:
            yield Gateway(real, hook)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNEL_PASSWORD", servers.PASSWORD)
    monkeypatch.setenv("KANNEL_WORD", WORD)


def options(**changed: object) -> KannelOptions:
    given: dict[str, object] = {
        "send_url": "http://gateway.test/cgi-bin/sendsms",
        "user": servers.USER,
        "password": Secret("env", "KANNEL_PASSWORD"),
        "sender": servers.OUR_NUMBER,
        "hook_secret": Secret("env", "KANNEL_WORD"),
        "region": "KR",
    }
    return KannelOptions(**{**given, **changed})  # type: ignore[arg-type]


@dataclass
class Bench:
    """Makes channels with lent tools and closes them."""

    worker: ThreadPoolExecutor
    made: list[KannelChannel] = field(default_factory=list)
    clock: HandClock = field(default_factory=HandClock)

    def open(
        self, transport: httpx.AsyncBaseTransport | None = None, public_url: str = "", **changed: object
    ) -> KannelChannel:
        tools = lend(self.worker, self.clock, transport, public_url)
        channel = KIND.open(ACCOUNT, options(**changed), tools)
        assert isinstance(channel, KannelChannel)
        self.made.append(channel)
        return channel


@pytest.fixture
async def bench(secrets: None) -> AsyncIterator[Bench]:
    with ThreadPoolExecutor(1) as worker:
        bench = Bench(worker)
        yield bench
        for channel in bench.made:
            await channel.aclose()


async def inbound(hook: Hook, text: str) -> tuple[RawItem, Inbound]:
    async def found() -> tuple[RawItem, Inbound] | None:
        for item in list(hook.items):
            for parsed in kannel.parse(item):
                if isinstance(parsed, Inbound) and parsed.text == text:
                    return item, parsed
        return None

    found_one = await until(found, 15, f"an SMS {text!r}")
    assert found_one is not None
    return found_one


async def reports(hook: Hook, key: str, *states: Delivery) -> list[StatusReport]:
    async def found() -> list[StatusReport]:
        parsed = [one for item in list(hook.items) for one in kannel.parse(item)]
        mine = [one for one in parsed if isinstance(one, StatusReport) and one.key == key]
        return mine if {one.state for one in mine} >= set(states) else []

    return await until(found, 15, f"reports {states} for {key}")


async def heard(gateway: Gateway, text: str) -> servers.Heard:
    async def found() -> servers.Heard | None:
        return next((one for one in gateway.real.heard() if one.text == text), None)

    one = await until(found, 15, f"the network to get {text[:40]!r}")
    assert one is not None
    return one


# -- the real gateway ---------------------------------------------------------------------------------------


async def test_a_phone_writes_korean_and_it_arrives_as_korean(gateway: Gateway, secrets: None) -> None:
    gateway.hook.webhook = KannelWebhook(ACCOUNT, options())
    gateway.real.say("+821012345678", "예약을 옮기고 싶어요 & 100% 급해요? 😀")
    item, message = await inbound(gateway.hook, "예약을 옮기고 싶어요 & 100% 급해요? 😀")
    assert message.sender == EMILY
    assert message.identity == item.identity == f"sms:{message.external_id}"
    assert message.sent_at is not None
    assert abs((message.sent_at - datetime.now(UTC)).total_seconds()) < 120
    assert WORD.encode() not in item.payload
    assert quote(WORD, safe="").encode() not in item.payload
    assert not [one for one in gateway.real.heard() if one.to == EMILY.value and not one.text]


@pytest.mark.parametrize("sender", ["821012345678", "01012345678"])
async def test_numbers_in_national_form_and_without_plus_are_the_same_person(
    gateway: Gateway, secrets: None, sender: str
) -> None:
    gateway.hook.webhook = KannelWebhook(ACCOUNT, options())
    gateway.real.say(sender, f"hello from {sender}")
    _, message = await inbound(gateway.hook, f"hello from {sender}")
    assert message.sender == EMILY


async def test_a_repeated_callback_has_the_same_identity(gateway: Gateway, secrets: None) -> None:
    gateway.hook.webhook = KannelWebhook(ACCOUNT, options())
    gateway.hook.refused.clear()
    gateway.hook.refuse = 1
    gateway.real.say("+821012345678", "can you hear me")
    item, _ = await inbound(gateway.hook, "can you hear me")
    assert [one.identity for one in gateway.hook.refused] == [item.identity]
    assert gateway.hook.refused[0].payload == item.payload


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("안녕하세요 & 50% ^^ 😀", "ucs-2", 1),
        ("@ Your appointment: £5 or 3€ {a} [b] ~ | \\ ^", "text", 1),
        ("first line\nsecond line", "text", 1),
        ("안내드립니다 " * 20, "udh", 3),
        ("long text " * 40, "udh", 3),
    ],
)
async def test_a_reply_goes_out_and_its_delivery_is_reported(
    gateway: Gateway, bench: Bench, text: str, kind: str, parts: int
) -> None:
    gateway.hook.webhook = KannelWebhook(ACCOUNT, options())
    channel = bench.open(send_url=gateway.real.send_url, public_url=gateway.hook.public_url)
    commit, key = Committed(), f"k@{kind}-{len(text)}%D0 한"
    report = await channel.send(outgoing(text, key), commit)
    assert commit.times == 1
    assert report.state is Delivery.SENT
    assert report.detail.startswith("0:")
    got = await heard(gateway, text)
    assert (got.sender, got.to, got.kind, got.parts) == (servers.OUR_NUMBER, EMILY.value, kind, parts)
    found = await reports(gateway.hook, key, Delivery.SENT, Delivery.DELIVERED)
    assert len({one.identity for one in found}) == len(found)


async def test_a_number_that_no_network_takes_is_reported_as_failed(gateway: Gateway, bench: Bench) -> None:
    gateway.hook.webhook = KannelWebhook(ACCOUNT, options())
    channel = bench.open(send_url=gateway.real.send_url, public_url=gateway.hook.public_url)
    with pytest.raises(PermanentFailure) as refused:
        await channel.send(outgoing("to nowhere", "nowhere", "999123456"), Committed())
    assert refused.value.reason == "not_routable"
    found = await reports(gateway.hook, "nowhere", Delivery.FAILED)
    assert found[0].reason == "rejected"


async def test_the_gateway_refuses_a_wrong_password(
    gateway: Gateway, bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KANNEL_PASSWORD", "wrong horse")
    channel = bench.open(send_url=gateway.real.send_url)
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(SignInFailed) as failed:
            await channel.send(outgoing("x"), Committed())
        with pytest.raises(SignInFailed):
            await channel.probe()
    assert "wrong horse" not in caplog.text + repr(failed.value)


async def test_probe_signs_in_and_sends_nothing(
    gateway: Gateway, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(gateway.real.heard())
    channel = bench.open(send_url=gateway.real.send_url)
    with caplog.at_level(logging.DEBUG):
        assert servers.USER in await channel.probe()
        await channel.send(outgoing("after the probe"), Committed())
    await heard(gateway, "after the probe")
    assert len(gateway.real.heard()) == before + 1
    assert servers.PASSWORD not in caplog.text


async def test_an_address_without_sendsms_stops_the_account(gateway: Gateway, bench: Bench) -> None:
    channel = bench.open(send_url=gateway.real.send_url + "x")
    with pytest.raises(SignInFailed) as failed:
        await channel.send(outgoing("x"), Committed())
    assert failed.value.reason == "bad_url"


# -- on paper -----------------------------------------------------------------------------------------------


def answering(status: int, body: str, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return httpx.Response(status, text=body)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("status", "body", "failure", "reason"),
    [
        (202, "Sent.", OutcomeUnknown, "provider_error"),
        (200, "0: Accepted for delivery", OutcomeUnknown, "provider_error"),
        (400, "Empty receiver number not allowed, rejected", PermanentFailure, "refused"),
        (403, "Authorization failed for sendsms", SignInFailed, "sign_in_refused"),
        (401, "", SignInFailed, "sign_in_refused"),
        (403, "Not routable. Do not try again.", PermanentFailure, "not_routable"),
        (404, "", SignInFailed, "bad_url"),
        (302, "", SignInFailed, "bad_url"),
        (429, "", TemporaryFailure, "rate_limited"),
        (500, "", OutcomeUnknown, "provider_error"),
        (503, "Temporal failure, try again later.", OutcomeUnknown, "provider_error"),
    ],
)
async def test_every_answer_proves_what_the_table_says(
    bench: Bench, status: int, body: str, failure: type[ChannelFailure], reason: str
) -> None:
    with pytest.raises(failure) as raised:
        await bench.open(answering(status, body)).send(outgoing("hello"), Committed())
    assert type(raised.value) is failure
    assert raised.value.reason == reason


@pytest.mark.parametrize("body", ["0: Accepted for delivery", "3: Queued for later delivery"])
async def test_accepted_and_queued_are_sent(bench: Bench, body: str) -> None:
    report = await bench.open(answering(202, body)).send(outgoing("hello"), Committed())
    assert (report.state, report.detail) == (Delivery.SENT, body)


async def test_a_refused_connection_is_temporary(bench: Bench) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        channel = bench.open(send_url=f"http://127.0.0.1:{held.getsockname()[1]}/cgi-bin/sendsms")
        with pytest.raises(TemporaryFailure) as failed:
            await channel.send(outgoing("hello"), Committed())
        with pytest.raises(TemporaryFailure):
            await channel.probe()
    assert failed.value.reason == "unreachable"


@pytest.mark.parametrize(("whole", "failure"), [(True, OutcomeUnknown), (False, TemporaryFailure)])
async def test_a_line_cut_after_the_whole_request_is_unknown(
    bench: Bench, whole: bool, failure: type[ChannelFailure]
) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if whole:
            await reader.readexactly(1)
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(failure):
            await bench.open(send_url=f"http://127.0.0.1:{port}/cgi-bin/sendsms").send(outgoing("x"), Committed())


@pytest.mark.parametrize(
    ("message", "reason", "says"),
    [
        (outgoing("가" * 336), "too_long", "6 SMS parts"),
        (outgoing("a" * 766), "too_long", "6 SMS parts"),
        (outgoing(" \n"), "empty", ""),
        (outgoing("x", to="support"), "bad_address", ""),
        (outgoing("x", to="+82\r\nX-Kannel-To: 1"), "bad_address", ""),
    ],
)
async def test_what_cannot_go_is_refused_before_commit(bench: Bench, message: Outgoing, reason: str, says: str) -> None:
    seen: list[httpx.Request] = []
    commit = Committed()
    with pytest.raises(PermanentFailure) as refused:
        await bench.open(answering(202, "0: Accepted", seen)).send(message, commit)
    assert refused.value.reason == reason
    assert says in refused.value.message
    assert (commit.times, seen) == (0, [])


async def test_the_longest_allowed_text_goes(bench: Bench) -> None:
    seen: list[httpx.Request] = []
    channel = bench.open(answering(202, "0: Accepted", seen))
    await channel.send(outgoing("가" * 335), Committed())
    await channel.send(outgoing("a" * 765), Committed())
    assert [one.headers["X-Kannel-Coding"] for one in seen] == ["2", "0"]


async def test_a_withdrawn_reply_does_not_leave(bench: Bench) -> None:
    seen: list[httpx.Request] = []
    with pytest.raises(Withdrawn):
        await bench.open(answering(202, "0: Accepted", seen)).send(outgoing("hello"), Committed("opted_out"))
    assert seen == []


async def test_no_secret_stops_the_account_before_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KANNEL_PASSWORD")
    commit = Committed()
    with pytest.raises(SignInFailed) as failed:
        await bench.open(answering(202, "0: Accepted")).send(outgoing("hello"), commit)
    assert (failed.value.reason, commit.times) == ("no_secret", 0)


@pytest.mark.parametrize(("changed", "public_url"), [({"dlr": False}, "http://hub.test"), ({}, "")])
async def test_no_report_is_asked_for_where_none_could_come(
    bench: Bench, changed: dict[str, object], public_url: str
) -> None:
    seen: list[httpx.Request] = []
    await bench.open(answering(202, "0: Accepted", seen), public_url, **changed).send(outgoing("hello"), Committed())
    assert not [name for name in seen[0].headers if "dlr" in name.lower()]


async def test_fetch_is_empty_and_wait_sleeps(bench: Bench) -> None:
    channel = bench.open()
    batch = await channel.fetch(Cursor("c"))
    assert (batch.items, batch.cursor, batch.more) == ((), Cursor("c"), False)
    waiting = asyncio.ensure_future(channel.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    bench.clock.move(hours=2)
    await asyncio.wait_for(waiting, DEADLINE)


# -- the webhook --------------------------------------------------------------------------------------------


def called(fields: list[tuple[str, str]] | str, method: str = "GET") -> RawRequest:
    query = fields if isinstance(fields, str) else urlencode(fields)
    return RawRequest(method, f"https://hub.test/hook/sms?{query}", query, {}, b"")


GOOD = [
    ("secret", WORD), ("from", "+821012345678"), ("to", "15550001111"), ("id", "u1"),
    ("ts", "1772632800"), ("charset", "UTF-8"), ("coding", "2"), ("text", "안녕"),
]  # fmt: skip


def without(*names: str, **more: str) -> list[tuple[str, str]]:
    return [pair for pair in GOOD if pair[0] not in names] + list(more.items())


def test_the_answer_has_no_body_because_it_would_be_sent_to_the_customer(secrets: None) -> None:
    accepted = KannelWebhook(ACCOUNT, options()).receive(called(GOOD), NOW)
    assert (accepted.answer.status, accepted.answer.body) == (200, b"")


@pytest.mark.parametrize(
    "request_",
    [
        called(without("secret")),
        called(without("secret", secret="")),
        called(without("secret", secret=WORD[:-1])),
        called(without("secret", secret=WORD + " ")),
        called(without("secret", secret=WORD.upper())),
        called([*GOOD, ("secret", WORD)]),
        called([*GOOD, ("secret", "x")]),
        called([("secret", "x"), *GOOD]),
        called(GOOD, "DELETE"),
        called(""),
        called("&".join(f"secret={n}" for n in range(60))),
        called("secret=%ff%fe%00"),
        called("secret=비밀\ud800"),
    ],
)
def test_without_the_exact_word_it_is_forged(secrets: None, request_: RawRequest) -> None:
    with pytest.raises(Forged):
        KannelWebhook(ACCOUNT, options()).receive(request_, NOW)


@given(st.text() | st.binary().map(lambda raw: quote(raw, safe="&=%")), st.sampled_from(["GET", "POST", "PUT", ""]))
def test_a_hostile_query_is_forged_and_never_another_error(query: str, method: str) -> None:
    os.environ["KANNEL_FUZZ_WORD"] = WORD
    webhook = KannelWebhook(ACCOUNT, options(hook_secret=Secret("env", "KANNEL_FUZZ_WORD")))
    with pytest.raises(Forged):
        webhook.receive(called(query, method), NOW)


@given(
    st.dictionaries(
        st.sampled_from(["from", "to", "id", "ts", "charset", "coding", "text", "type", "key", "answer"]),
        st.binary(max_size=60),
    )
)
def test_whatever_a_vouched_callback_holds_is_read_or_refused_with_a_reason(fields: dict[str, bytes]) -> None:
    os.environ["KANNEL_FUZZ_WORD"] = WORD
    webhook = KannelWebhook(ACCOUNT, options(hook_secret=Secret("env", "KANNEL_FUZZ_WORD")))
    query = urlencode({"secret": WORD, **fields})
    (item,) = webhook.receive(called(query), NOW).items
    assert webhook.receive(called(query), NOW).items[0].identity == item.identity
    try:
        found = kannel.parse(item)
    except ValueError as exc:
        found, why = (), str(exc)
    else:
        why = "read"
    assert why
    assert all(parsed.identity == item.identity for parsed in found)


def test_an_empty_word_is_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNEL_WORD", "")
    with pytest.raises(ConfigError):
        KannelWebhook(ACCOUNT, options())


def parsed(secrets_word: str = WORD, **fields: str) -> object:
    (item,) = KannelWebhook(ACCOUNT, options(region="")).receive(called(without(*fields, **fields)), NOW).items
    (one,) = kannel.parse(item)
    return one


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("1", Delivery.DELIVERED, ""),
        ("2", Delivery.FAILED, "not_delivered"),
        ("8", Delivery.SENT, ""),
        ("16", Delivery.FAILED, "rejected"),
    ],
)
def test_delivery_reports(secrets: None, kind: str, state: Delivery, reason: str) -> None:
    report = parsed(type=kind, key="k1", answer="NACK/no SMSC")
    assert isinstance(report, StatusReport)
    assert (report.state, report.reason, report.key, report.detail) == (state, reason, "k1", "NACK/no SMSC")


@pytest.mark.parametrize("kind", ["4", "32", "x", ""])
def test_other_reports_say_nothing(secrets: None, kind: str) -> None:
    assert isinstance(parsed(type=kind, key="k1"), Opaque)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"charset": "UTF-8", "text": "안녕"}, "안녕"),
        ({"charset": "", "text": "안녕"}, "안녕"),
    ],
)
def test_text_in_utf8(secrets: None, fields: dict[str, str], text: str) -> None:
    message = parsed(**fields)
    assert isinstance(message, Inbound)
    assert message.text == text


@pytest.mark.parametrize("charset", ["UTF-16BE", "EUC-KR", "windows-1252"])
def test_text_in_the_charset_that_the_gateway_names(secrets: None, charset: str) -> None:
    text = "café" if charset == "windows-1252" else "안녕"
    query = urlencode([*without("text", "charset"), ("charset", charset), ("text", text.encode(charset))])
    (item,) = KannelWebhook(ACCOUNT, options()).receive(called(query), NOW).items
    (message,) = kannel.parse(item)
    assert isinstance(message, Inbound)
    assert message.text == text


@pytest.mark.parametrize("fields", [{"charset": "klingon"}, {"coding": "1"}, {"from": " "}])
def test_what_cannot_be_read_says_why(secrets: None, fields: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        parsed(**fields)


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        ("1772632800", datetime(2026, 3, 4, 14, 0, tzinfo=UTC)),
        ("2026-03-04 14:00", datetime(2026, 3, 4, 14, 0, tzinfo=UTC)),
        ("99999999999999999999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_time(secrets: None, ts: str, expected: datetime | None) -> None:
    message = parsed(ts=ts)
    assert isinstance(message, Inbound)
    assert message.sent_at == expected


@pytest.mark.parametrize(
    ("sender", "value"), [("1588", "1588"), ("MyBank", "MyBank"), ("82 10 1234 5678", "82 10 1234 5678")]
)
def test_senders_that_are_no_numbers_stay_as_they_are(secrets: None, sender: str, value: str) -> None:
    message = parsed(**{"from": sender})
    assert isinstance(message, Inbound)
    assert message.sender == Address("phone", "", value)


def test_without_an_id_the_text_and_its_time_are_the_identity(secrets: None) -> None:
    webhook = KannelWebhook(ACCOUNT, options())

    def identity(now: datetime = NOW, **fields: str) -> str:
        return webhook.receive(called(without("id", *fields, **fields)), now).items[0].identity

    assert identity() == identity(NOW.replace(minute=30))
    assert identity() != identity(text="other")
    assert identity(ts="") == identity(NOW.replace(second=20), ts="")
    assert identity(ts="") != identity(NOW.replace(minute=1), ts="")


def test_a_repeat_of_a_report_is_the_same_and_two_reports_are_not(secrets: None) -> None:
    webhook = KannelWebhook(ACCOUNT, options())

    def identity(**fields: str) -> str:
        return webhook.receive(called(without("id", **fields)), NOW).items[0].identity

    assert identity(type="8", key="k", id="a") == identity(type="8", key="k", id="a")
    assert (
        len(
            {
                identity(type="8", key="k", id="a"),
                identity(type="1", key="k", id="b"),
                identity(type="8", key="k2", id="c"),
            }
        )
        == 3
    )


def test_the_kind_tells_what_a_route_is_judged_by() -> None:
    can = KIND.capabilities
    assert (KIND.medium, can.text_unit, can.text_limit, can.live, can.idempotency) == ("sms", "sms", 5, True, "none")
    assert KIND.own_address(options()) == servers.OUR_NUMBER
