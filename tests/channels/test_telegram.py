"""The Telegram channel against the strict fake, and the fake against the vendor's schema and python-telegram-bot."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentconsole.channels import telegram
from agentconsole.channels.http import Client
from agentconsole.channels.telegram import TelegramChannel, TelegramOptions
from agentconsole.domain.model import AccountName, Address, Delivery
from agentconsole.errors import OutcomeUnknown, PermanentFailure, SignInFailed, TemporaryFailure, Withdrawn
from agentconsole.ports import AddressEvent, Batch, Cursor, Inbound, Opaque, Parsed, RawItem, Tools
from agentconsole.sandbox import fake_telegram
from agentconsole.sandbox.fake_telegram import FakeTelegram
from tests.channels.chat import Commits, HeldClock, answering, opened, outgoing, secret
from tests.waiting import DEADLINE

EMILY = 7001
ADDRESS = Address("telegram", "4711", str(EMILY))


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    server = FakeTelegram()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def options(fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> TelegramOptions:
    return TelegramOptions(token=secret(monkeypatch, "BOT_TOKEN", fake.token), base_url=fake.url)


@pytest.fixture
async def channel(options: TelegramOptions) -> AsyncIterator[TelegramChannel]:
    async with opened(lambda tools: TelegramChannel(AccountName("bot"), options, tools)) as made:
        assert isinstance(made, TelegramChannel)
        yield made


def understood(batch: Batch) -> list[Parsed]:
    return [parsed for item in batch.items for parsed in telegram.parse(item)]


def update(content: dict[str, Any]) -> RawItem:
    payload = json.dumps({"update_id": 1, **content}).encode()
    return RawItem("4711:x", payload, datetime.now(UTC), {"bot": "4711"})


# -- coming in ----------------------------------------------------------------------------------------------


async def test_a_message_arrives_with_its_chat_and_its_sender(channel: TelegramChannel, fake: FakeTelegram) -> None:
    fake.customer_says(EMILY, "Can I move my appointment? 예약", "Emily")
    batch = await channel.fetch(None)
    (message,) = understood(batch)
    assert isinstance(message, Inbound)
    assert (message.sender, message.place, message.text) == (ADDRESS, str(EMILY), "Can I move my appointment? 예약")
    assert (message.sender_name, message.external_id) == ("Emily", "7001:1")
    assert message.sent_at is not None
    assert batch.items[0].identity == "4711:7001:1"
    assert not batch.more


async def test_nothing_is_confirmed_before_the_caller_asks_with_the_new_cursor(
    channel: TelegramChannel, fake: FakeTelegram
) -> None:
    fake.customer_says(EMILY, "one")
    first = await channel.fetch(None)
    await asyncio.wait_for(channel.wait(), DEADLINE)
    again = await channel.fetch(None)
    assert [item.identity for item in again.items] == [item.identity for item in first.items]
    fake.customer_says(EMILY, "two")
    second = await channel.fetch(first.cursor)
    assert [m.text for m in understood(second) if isinstance(m, Inbound)] == ["two"]
    after = await channel.fetch(second.cursor)
    assert (after.items, after.cursor) == ((), second.cursor)


async def test_a_long_poll_wakes_up_and_leaves_the_message_for_fetch(
    channel: TelegramChannel, fake: FakeTelegram
) -> None:
    empty = await channel.fetch(None)
    waiting = asyncio.ensure_future(channel.wait())
    await _until(lambda: fake.requests[-1][1].get("timeout") == telegram.POLL_SECONDS)
    assert not waiting.done()
    fake.customer_says(EMILY, "hello?")
    await asyncio.wait_for(waiting, DEADLINE)
    assert len((await channel.fetch(empty.cursor)).items) == 1


async def test_a_burst_arrives_whole_and_in_order(channel: TelegramChannel, fake: FakeTelegram) -> None:
    for number in range(250):
        fake.customer_says(EMILY, f"line {number}")
    cursor: Cursor | None = None
    texts: list[str] = []
    while True:
        batch = await channel.fetch(cursor)
        texts += [m.text for m in understood(batch) if isinstance(m, Inbound)]
        cursor = batch.cursor
        if not batch.more:
            break
    assert texts == [f"line {number}" for number in range(250)]


async def test_a_second_poller_is_named_and_the_account_heals(channel: TelegramChannel, fake: FakeTelegram) -> None:
    batch = await channel.fetch(None)
    waiting = asyncio.ensure_future(channel.wait())
    await _until(lambda: fake.requests[-1][1].get("timeout") == telegram.POLL_SECONDS)
    async with _other_client(fake) as other:
        await other.request("POST", f"/bot{fake.token}/getUpdates", json={})
    with pytest.raises(TemporaryFailure, match="Another program") as caught:
        await asyncio.wait_for(waiting, DEADLINE)
    assert caught.value.reason == "second_poller"
    assert (await channel.fetch(batch.cursor)).items == ()


async def test_a_webhook_in_the_way_is_a_sign_in_matter(channel: TelegramChannel, fake: FakeTelegram) -> None:
    async with _other_client(fake) as other:
        await other.request("POST", f"/bot{fake.token}/setWebhook", json={"url": "https://elsewhere.example"})
    for call in (channel.fetch(None), channel.probe()):
        with pytest.raises(SignInFailed, match="webhook"):
            await call


async def test_a_cancelled_wait_does_not_disturb_the_next_fetch(channel: TelegramChannel, fake: FakeTelegram) -> None:
    batch = await channel.fetch(None)
    waiting = asyncio.ensure_future(channel.wait())
    await _until(lambda: fake.requests[-1][1].get("timeout") == telegram.POLL_SECONDS)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    fake.customer_says(EMILY, "still here")
    assert len((await channel.fetch(batch.cursor)).items) == 1


async def test_a_dead_server_is_said_and_comes_back(options: TelegramOptions, fake: FakeTelegram) -> None:
    clock = HeldClock()
    async with opened(lambda tools: TelegramChannel(AccountName("bot"), options, tools), clock=clock) as channel:
        batch = await channel.fetch(None)
        await fake.cut()
        with pytest.raises(TemporaryFailure, match="cannot be reached"):
            await channel.fetch(batch.cursor)
        await fake.heal()
        fake.customer_says(EMILY, "kept")
        assert len((await channel.fetch(batch.cursor)).items) == 1
        await channel.fetch(Cursor("990000"))
        await fake.cut()
        await channel.wait()
        assert clock.slept == [telegram.RETRY_SECONDS]


async def test_edits_blocks_and_returns(channel: TelegramChannel, fake: FakeTelegram) -> None:
    written = fake.customer_says(EMILY, "at 3")
    fake.customer_edits(written, "at 4")
    fake.customer_blocks(EMILY)
    fake.customer_returns(EMILY)
    batch = await channel.fetch(None)
    assert len({item.identity for item in batch.items}) == 4
    first, edit, gone, back = understood(batch)
    assert isinstance(first, Inbound)
    assert isinstance(edit, Inbound)
    assert (edit.text, edit.message_ids) == ("at 4", (first.external_id,))
    assert isinstance(gone, AddressEvent)
    assert isinstance(back, AddressEvent)
    assert (gone.address, gone.dead, gone.opt_out) == (ADDRESS, "blocked", False)
    assert back.dead == ""


@pytest.mark.parametrize(
    ("content", "text", "part"),
    [
        ({"photo": [{"file_id": "x"}], "caption": "my ID"}, "[photo] my ID", ("photo", "image/jpeg")),
        (
            {"document": {"file_name": "a.pdf", "mime_type": "application/pdf"}},
            "[document] a.pdf",
            ("a.pdf", "application/pdf"),
        ),
        ({"voice": {"duration": 3}}, "[voice]", ("voice", "audio/ogg")),
        ({"sticker": {"emoji": "👍"}}, "[sticker] 👍", ("sticker", "image/webp")),
        ({"location": {"latitude": 37.5, "longitude": 127.0}}, "[location] 37.5, 127.0", None),
        ({"contact": {"phone_number": "+821012345678", "first_name": "Min"}}, "[contact] Min +821012345678", None),
        ({"something_new": {}}, "[unsupported message]", None),
    ],
)
def test_what_is_no_text_is_shown_as_something(
    content: dict[str, Any], text: str, part: tuple[str, str] | None
) -> None:
    message = {"message_id": 1, "date": 1, "from": {"id": EMILY}, "chat": {"id": EMILY, "type": "private"}, **content}
    (parsed,) = telegram.parse(update({"message": message}))
    assert isinstance(parsed, Inbound)
    assert parsed.text == text
    assert [(p.name, p.type, p.data) for p in parsed.parts] == ([(*part, b"")] if part else [])


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"poll_answer": {}},
        {"message": {}},
        {"message": {"text": "no sender", "chat": {"id": 1}}},
        {"message": {"from": {"id": 1}, "chat": {"id": -5, "type": "group"}, "new_chat_title": "x"}},
        {"message": {"from": {"id": 1}, "chat": {"id": 1, "type": "private"}, "pinned_message": {}}},
        {"my_chat_member": {"chat": {"type": "group"}, "new_chat_member": {"status": "kicked"}}},
        {"message": []},
    ],
)
def test_what_says_nothing_is_kept_unseen(content: dict[str, Any]) -> None:
    assert [type(parsed) for parsed in telegram.parse(update(content))] == [Opaque]


def test_odd_values_never_raise_and_half_surrogates_are_replaced() -> None:
    message = {
        "message_id": "1",
        "date": 10**30,
        "from": {"id": 1, "first_name": 5},
        "chat": {"id": 1},
        "text": "a\ud800b",
    }
    (parsed,) = telegram.parse(update({"message": message}))
    assert isinstance(parsed, Inbound)
    assert (parsed.text, parsed.sent_at, parsed.sender_name) == ("a\ufffdb", None, "5")


@pytest.mark.parametrize("payload", [b"", b"[]", b"nonsense", b"[" * 100_000])
def test_what_is_no_update_is_unreadable(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|nested|value"):
        telegram.parse(RawItem("x", payload, datetime.now(UTC)))


# -- going out ----------------------------------------------------------------------------------------------


async def test_a_reply_reaches_the_customer_after_the_commit(channel: TelegramChannel, fake: FakeTelegram) -> None:
    fake.customer_says(EMILY, "hello")
    commits = Commits(lambda: len(fake.sent))
    report = await channel.send(outgoing(ADDRESS, "Of course, 네"), commits)
    assert [(sent.chat, sent.text) for sent in fake.sent] == [(EMILY, "Of course, 네")]
    assert (report.external_id, report.state) == ("7001:2", Delivery.SENT)
    assert (commits.count, commits.left_before) == (1, [0])


async def test_a_withdrawn_reply_does_not_leave(channel: TelegramChannel, fake: FakeTelegram) -> None:
    fake.customer_says(EMILY, "hello")
    with pytest.raises(Withdrawn):
        await channel.send(outgoing(ADDRESS), Commits(withdraw=True))
    assert fake.sent == []


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4097])
async def test_what_cannot_be_taken_is_refused_before_the_commit(
    channel: TelegramChannel, fake: FakeTelegram, text: str
) -> None:
    commits = Commits()
    with pytest.raises(PermanentFailure):
        await channel.send(outgoing(ADDRESS, text), commits)
    assert (commits.count, fake.requests) == (0, [])


async def test_the_longest_text_passes(channel: TelegramChannel, fake: FakeTelegram) -> None:
    fake.customer_says(EMILY, "hello")
    await channel.send(outgoing(ADDRESS, "가" * 4096), Commits())
    assert len(fake.sent[0].text) == 4096


async def test_refusals_are_told_apart(channel: TelegramChannel, fake: FakeTelegram) -> None:
    with pytest.raises(PermanentFailure) as unknown:
        await channel.send(outgoing(ADDRESS), Commits())
    fake.customer_says(EMILY, "hello")
    fake.ask_for_pause(7)
    with pytest.raises(TemporaryFailure) as pause:
        await channel.send(outgoing(ADDRESS), Commits())
    fake.customer_blocks(EMILY)
    with pytest.raises(PermanentFailure) as blocked:
        await channel.send(outgoing(ADDRESS), Commits())
    assert unknown.value.reason == "bad_address"
    assert (pause.value.reason, pause.value.retry_after) == ("rate_limited", 7)
    assert blocked.value.reason == "blocked"
    assert fake.sent == []


async def test_a_group_that_moved_gets_the_reply_once(channel: TelegramChannel, fake: FakeTelegram) -> None:
    fake.customer_says(EMILY, "hello all", chat=-55, title="Flat 3")
    (message,) = understood(await channel.fetch(None))
    assert isinstance(message, Inbound)
    assert (message.place, message.subject) == ("-55", "Flat 3")
    fake.group_moves(-55, -100_055)
    commits = Commits()
    report = await channel.send(outgoing(ADDRESS, place=message.place), commits)
    assert [sent.chat for sent in fake.sent] == [-100_055]
    assert (report.external_id, commits.count) == ("-100055:1", 1)


async def test_a_line_cut_mid_send_is_uncertain_and_not_repeated(channel: TelegramChannel, fake: FakeTelegram) -> None:
    fake.customer_says(EMILY, "hello")
    fake.cut_mid_send()
    with pytest.raises(OutcomeUnknown):
        await channel.send(outgoing(ADDRESS), Commits())
    assert len(fake.sent) == 1


async def test_no_connection_proves_that_nothing_left(channel: TelegramChannel, fake: FakeTelegram) -> None:
    await channel.fetch(None)
    await fake.cut()
    with pytest.raises(TemporaryFailure) as caught:
        await channel.send(outgoing(ADDRESS), Commits())
    assert caught.value.reason == "unreachable"


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (500, "{}", OutcomeUnknown),
        (502, "<html>", OutcomeUnknown),
        (200, '{"ok":false}', OutcomeUnknown),
        (200, "nonsense", OutcomeUnknown),
        (302, "", TemporaryFailure),
        (407, "<html>", TemporaryFailure),
        (401, '{"ok":false,"error_code":401,"description":"Unauthorized"}', SignInFailed),
        (404, '{"ok":false,"error_code":404,"description":"Not Found"}', SignInFailed),
        (403, '{"ok":false,"error_code":403,"description":"Forbidden: user is deactivated"}', PermanentFailure),
        (400, '{"ok":false,"error_code":400,"description":"Bad Request: x"}', PermanentFailure),
    ],
)
async def test_every_answer_maps_to_what_it_proves(
    options: TelegramOptions, status: int, body: str, failure: type[Exception]
) -> None:
    def make(tools: Tools) -> TelegramChannel:
        return TelegramChannel(AccountName("bot"), options, answering(tools, status, body))

    async with opened(make) as channel:
        with pytest.raises(failure):
            await channel.send(outgoing(ADDRESS), Commits())


# -- signing in ---------------------------------------------------------------------------------------------


async def test_a_wrong_token_stops_the_account_until_it_is_mended(
    fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = secret(monkeypatch, "BOT_TOKEN", "4711:wrong")
    made = TelegramOptions(token=token, base_url=fake.url)
    async with opened(lambda tools: TelegramChannel(AccountName("bot"), made, tools)) as channel:
        with pytest.raises(SignInFailed, match="refused the token"):
            await channel.fetch(None)
        monkeypatch.setenv("BOT_TOKEN", "../../getMe")
        with pytest.raises(SignInFailed, match="does not look like"):
            await channel.send(outgoing(ADDRESS), Commits())
        monkeypatch.delenv("BOT_TOKEN")
        with pytest.raises(SignInFailed, match="not set"):
            await channel.probe()
        monkeypatch.setenv("BOT_TOKEN", fake.token)
        assert "@example_bot" in await channel.probe()


async def test_the_token_never_reaches_a_log(
    channel: TelegramChannel, fake: FakeTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await channel.fetch(None)
    await fake.cut()
    with pytest.raises(TemporaryFailure) as caught:
        await channel.fetch(None)
    assert "getUpdates" in caplog.text
    assert fake.token not in caplog.text + str(caught.value)


# -- the fake -----------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_the_fake_asks_for_what_the_documentation_names(contracts: Path) -> None:
    methods = json.loads(contracts.joinpath("telegram", "api.json").read_text())["methods"]
    for name, fields in fake_telegram.METHODS.items():
        real = {field["name"]: field for field in methods[name].get("fields", [])}
        for field, types in fields.items():
            assert set(types) - {"required"} == set(real[field]["types"]), f"{name}.{field}"
        required = {field for field, types in fields.items() if "required" in types}
        assert required == {field["name"] for field in real.values() if field["required"]}, name


@pytest.mark.contract
async def test_what_the_fake_tells_fits_the_documented_types(fake: FakeTelegram, contracts: Path) -> None:
    types = json.loads(contracts.joinpath("telegram", "api.json").read_text())["types"]
    written = fake.customer_says(EMILY, "hello")
    fake.customer_says(EMILY, "look", photo=[{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}])
    fake.customer_says(EMILY, "all", chat=-9, title="Flat")
    fake.customer_edits(written, "hello!")
    fake.customer_blocks(EMILY)
    fake.customer_returns(EMILY)
    async with _other_client(fake) as other:

        async def ask(method: str, fields: dict[str, object]) -> Any:
            answer = await other.request("POST", f"/bot{fake.token}/{method}", json=fields)
            assert answer.status_code == 200
            return answer.json()["result"]

        updates = await ask("getUpdates", {})
        assert len(updates) == 6
        for told in updates:
            _fits(told, "Update", types)
        _fits(await ask("getMe", {}), "User", types)
        _fits(await ask("getWebhookInfo", {}), "WebhookInfo", types)
        _fits(await ask("sendMessage", {"chat_id": EMILY, "text": "x"}), "Message", types)


def _fits(value: Any, name: str, types: dict[str, Any]) -> None:
    plain = {"Integer": int, "String": str, "Boolean": bool, "True": bool, "Float": float}
    if name in plain:
        assert isinstance(value, plain[name]), f"{value!r} is no {name}"
        return
    if name.startswith("Array of "):
        for one in value:
            _fits(one, name.removeprefix("Array of "), types)
        return
    if kinds := types[name].get("subtypes"):
        fitting = [kind for kind in kinds if _is(value, kind, types)]
        assert fitting, f"{value!r} is none of {kinds}"
        return
    fields = {field["name"]: field for field in types[name].get("fields", [])}
    assert set(value) <= set(fields), f"{name} has no {set(value) - set(fields)}"
    for field in fields.values():
        if field["name"] in value:
            _fits(value[field["name"]], field["types"][0], types)
        else:
            assert not field["required"], f"{name} lacks {field['name']}"


def _is(value: Any, kind: str, types: dict[str, Any]) -> bool:
    try:
        _fits(value, kind, types)
    except AssertionError:
        return False
    return True


async def test_python_telegram_bot_accepts_the_fake(fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    from telegram import Bot
    from telegram.error import BadRequest, Conflict, Forbidden, RetryAfter

    fake.customer_says(EMILY, "hello", "Emily")
    fake.customer_blocks(7002)
    async with Bot(fake.token, base_url=f"{fake.url}/bot") as bot:
        assert bot.username == "example_bot"
        updates = await bot.get_updates(timeout=0, allowed_updates=["message", "my_chat_member"])
        assert updates[0].message is not None
        assert (updates[0].message.text, updates[0].message.chat_id) == ("hello", EMILY)
        assert updates[1].my_chat_member is not None
        assert updates[1].my_chat_member.new_chat_member.status == "kicked"
        sent = await bot.send_message(EMILY, "good morning")
        assert sent.text == "good morning"
        assert await bot.get_updates(offset=updates[-1].update_id + 1, timeout=0) == ()
        with pytest.raises(Forbidden, match="blocked"):
            await bot.send_message(7002, "x")
        with pytest.raises(BadRequest, match="not found"):
            await bot.send_message(999, "x")
        fake.ask_for_pause(3)
        with pytest.raises(RetryAfter):
            await bot.send_message(EMILY, "x")
        waiting = asyncio.ensure_future(bot.get_updates(offset=updates[-1].update_id + 1, timeout=20))
        await _until(lambda: fake.requests[-1][1].get("timeout") == 20)
        async with _other_client(fake) as other:
            await other.request("POST", f"/bot{fake.token}/getUpdates", json={})
        with pytest.raises(Conflict):
            await waiting


@pytest.mark.parametrize(
    ("method", "fields", "code"),
    [
        ("sendMessage", {"chat_id": EMILY}, 400),
        ("sendMessage", {"text": "x"}, 400),
        ("sendMessage", {"chat_id": EMILY, "text": 5}, 400),
        ("sendMessage", {"chat_id": EMILY, "text": "x", "colour": "red"}, 400),
        ("sendMessage", {"chat_id": EMILY, "text": "x" * 4097}, 400),
        ("getUpdates", {"limit": "many"}, 400),
        ("getUpdates", {"allowed_updates": "message"}, 400),
        ("sendMesage", {}, 404),
    ],
)
async def test_the_fake_is_strict(fake: FakeTelegram, method: str, fields: dict[str, object], code: int) -> None:
    fake.customer_says(EMILY, "hello")
    async with _other_client(fake) as other:
        answer = await other.request("POST", f"/bot{fake.token}/{method}", json=fields)
    assert (answer.status_code, answer.json()["ok"]) == (code, False)
    assert fake.sent == []


@asynccontextmanager
async def _other_client(fake: FakeTelegram) -> AsyncIterator[Client]:
    client = Client(fake.url)
    try:
        yield client
    finally:
        await client.aclose()


async def _until(true: Any, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not (true()):
            await asyncio.sleep(0.005)
