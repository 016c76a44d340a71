"""The Matrix channel against a real Synapse."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from agentconsole.channels import matrix
from agentconsole.channels.http import Client
from agentconsole.channels.matrix import MatrixChannel, MatrixOptions
from agentconsole.domain.model import AccountName, Address, Delivery
from agentconsole.errors import OutcomeUnknown, PermanentFailure, SignInFailed, TemporaryFailure, Withdrawn
from agentconsole.ports import (
    AddressEvent,
    Batch,
    Channel,
    Cursor,
    Inbound,
    Opaque,
    Parsed,
    RawItem,
    Secret,
    StatusReport,
    Tools,
)
from tests.channels.chat import Commits, answering, lent, opened, outgoing, secret
from tests.servers.synapse import PASSWORD, Synapse, missing, start_synapse
from tests.waiting import DEADLINE

ACCOUNT = AccountName("matrix")
NAMES = itertools.count(1)
NOWHERE = outgoing(Address("matrix", "", "@x:y"), place="!r:y")
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with start_synapse(tmp_path_factory.mktemp("synapse")) as running:
        yield running


@dataclass
class Person:
    """A customer with any Matrix client."""

    id: str
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"/_matrix/client/v3{path}", json=body if body is not None else {})
        answer.raise_for_status()
        return answer.json()

    async def opens(self, with_whom: str, *, direct: bool = True) -> str:
        body = {"invite": [with_whom], "is_direct": direct, "preset": "private_chat"}
        return str((await self.ask("POST", "/createRoom", body))["room_id"])

    async def says(self, room: str, text: str = "", **content: Any) -> str:
        body = {"msgtype": "m.text", "body": text, **content}
        told = await self.ask("PUT", f"/rooms/{room}/send/m.room.message/t{next(NAMES)}", body)
        return str(told["event_id"])

    async def hears(self, room: str) -> list[str]:
        told = (await self.client.get(f"/_matrix/client/v3/rooms/{room}/messages?dir=b&limit=50")).json()
        return [e["content"]["body"] for e in told["chunk"] if e["type"] == "m.room.message"][::-1]


@contextlib.asynccontextmanager
async def person(synapse: Synapse, name: str = "emily", shown: str = "") -> AsyncIterator[Person]:
    user, token = await asyncio.to_thread(_register, synapse, f"{name}{next(NAMES)}")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=synapse.url, headers=headers, timeout=30) as client:
        made = Person(user, client)
        if shown:
            await made.ask("PUT", f"/profile/{user}/displayname", {"displayname": shown})
        yield made


def _register(synapse: Synapse, name: str) -> tuple[str, str]:
    user = synapse.register(name)
    return user, synapse.log_in(user)


@pytest.fixture
async def emily(synapse: Synapse) -> AsyncIterator[Person]:
    async with person(synapse, shown="Emily Kim") as made:
        yield made


@pytest.fixture
async def options(synapse: Synapse, monkeypatch: pytest.MonkeyPatch) -> MatrixOptions:
    user, token = await asyncio.to_thread(_register, synapse, f"support{next(NAMES)}")
    return MatrixOptions(base_url=synapse.url, user=user, token=secret(monkeypatch, "MATRIX_TOKEN", token))


@pytest.fixture
async def channel(options: MatrixOptions) -> AsyncIterator[MatrixChannel]:
    async with opened(lambda tools: MatrixChannel(ACCOUNT, options, tools)) as made:
        assert isinstance(made, MatrixChannel)
        yield made


def understood(batch: Batch) -> list[Parsed]:
    return [parsed for item in batch.items for parsed in matrix.parse(item)]


async def drained(channel: MatrixChannel, cursor: Cursor | None) -> tuple[list[Parsed], Cursor]:
    """Fetch until nothing is left, as the hub does."""
    found: list[Parsed] = []
    while True:
        batch = await channel.fetch(cursor)
        found += understood(batch)
        assert batch.cursor is not None
        if not batch.more and batch.cursor == cursor:
            return found, batch.cursor
        cursor = batch.cursor


def texts(parsed: list[Parsed]) -> list[str]:
    return [one.text for one in parsed if isinstance(one, Inbound)]


# -- coming in ----------------------------------------------------------------------------------------------


async def test_a_customer_opens_a_room_and_nothing_that_was_said_before_is_lost(
    channel: MatrixChannel, emily: Person, options: MatrixOptions
) -> None:
    _, cursor = await drained(channel, None)
    room = await emily.opens(options.user)
    await emily.says(room, "Can I move my appointment?")
    await emily.says(room, "예약 번호는 7 입니다")
    found, cursor = await drained(channel, cursor)
    assert texts(found) == ["Can I move my appointment?", "예약 번호는 7 입니다"]
    first = found[0]
    assert isinstance(first, Inbound)
    assert (first.sender, first.place, first.sender_name) == (Address("matrix", "", emily.id), room, "Emily Kim")
    assert first.external_id == first.identity
    assert first.sent_at is not None
    assert abs(datetime.now(UTC) - first.sent_at) < timedelta(minutes=5)
    assert (await drained(channel, cursor))[0] == []


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make gaps of few messages, and return how many lie on one page."""
    monkeypatch.setattr(matrix, "PAGE", 10)
    monkeypatch.setitem(matrix._FILTER["room"]["timeline"], "limit", 10)
    return 10


async def test_the_first_sync_takes_only_what_follows_or_what_is_not_too_old(
    channel: MatrixChannel, emily: Person, options: MatrixOptions, small_pages: int
) -> None:
    cursor = await _asked(channel)
    room = await emily.opens(options.user)
    _, cursor = await drained(channel, cursor)
    for number in range(2 * small_pages + 5):
        await emily.says(room, f"line {number}")
    hour = timedelta(hours=1)
    for since, expected in ((None, 0), (datetime.now(UTC) + hour, 0), (datetime.now(UTC) - hour, 2 * small_pages + 5)):
        async with _another_device(options, since) as fresh:
            first = await fresh.fetch(None)
        assert texts(understood(first)) == [f"line {number}" for number in range(expected)]


@contextlib.asynccontextmanager
async def _another_device(options: MatrixOptions, since: datetime | None) -> AsyncIterator[Channel]:
    """Open the same user where Synapse remembers no answer: it repeats a first sync for two minutes."""
    assert options.token is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATRIX_AGAIN", PASSWORD)
        made = replace_options(options, token=None, password=Secret("env", "MATRIX_AGAIN"))
        account = AccountName(f"device{next(NAMES)}")
        async with opened(lambda tools: MatrixChannel(account, made, tools), since=since) as channel:
            yield channel


async def test_a_long_absence_leaves_no_gap_and_no_double(
    channel: MatrixChannel, emily: Person, options: MatrixOptions, small_pages: int
) -> None:
    _, cursor = await drained(channel, None)
    room = await emily.opens(options.user)
    await emily.says(room, "before")
    _, cursor = await drained(channel, cursor)
    lines = [f"line {number}" for number in range(3 * small_pages + 5)]
    for line in lines:
        await emily.says(room, line)
    batch = await channel.fetch(cursor)
    assert texts(understood(batch)) == lines
    again = await channel.fetch(cursor)
    assert [item.identity for item in again.items] == [item.identity for item in batch.items]


async def test_a_long_poll_wakes_up_and_takes_nothing_away(
    channel: MatrixChannel, emily: Person, options: MatrixOptions
) -> None:
    room = await emily.opens(options.user)
    _, cursor = await drained(channel, await _asked(channel))
    waiting = asyncio.ensure_future(channel.wait())
    await asyncio.sleep(0)
    await emily.says(room, "hello?")
    await asyncio.wait_for(waiting, DEADLINE)
    assert texts(understood(await channel.fetch(cursor))) == ["hello?"]
    assert texts(understood(await channel.fetch(cursor))) == ["hello?"]


async def _asked(channel: MatrixChannel) -> Cursor | None:
    return (await channel.fetch(None)).cursor


async def test_edits_answers_notices_files_and_comings_and_goings(
    channel: MatrixChannel, emily: Person, options: MatrixOptions
) -> None:
    _, cursor = await drained(channel, None)
    room = await emily.opens(options.user)
    _, cursor = await drained(channel, cursor)
    first = await emily.says(room, "at 3")
    edit = {"m.new_content": {"msgtype": "m.text", "body": "at 4"}, "m.relates_to": {"rel_type": "m.replace"}}
    edit["m.relates_to"]["event_id"] = first
    await emily.says(room, "* at 4", **edit)
    quoted = {"m.relates_to": {"m.in_reply_to": {"event_id": first}}}
    await emily.says(room, f"> <{emily.id}> at 3\n\nsorry", **quoted)
    await emily.says(room, "out of office", msgtype="m.notice")
    await emily.says(room, "id.png", msgtype="m.image", url="mxc://x/y", info={"mimetype": "image/png"})
    await emily.ask("POST", f"/rooms/{room}/leave")
    found, _ = await drained(channel, cursor)
    *messages, gone = found
    assert texts(found) == ["at 3", "at 4", "sorry", "out of office", "[image] id.png"]
    answers = [one.message_ids for one in messages if isinstance(one, Inbound)]
    assert answers == [(), (first,), (first,), (), ()]
    assert [one.automatic for one in messages if isinstance(one, Inbound)] == [False, False, False, True, False]
    image = messages[-1]
    assert isinstance(image, Inbound)
    assert [(part.name, part.type) for part in image.parts] == [("id.png", "image/png")]
    assert isinstance(gone, AddressEvent)
    assert (gone.address.value, gone.dead) == (emily.id, "left")


async def test_invitations_into_groups_and_unwanted_ones_are_left_alone(
    channel: MatrixChannel, emily: Person, options: MatrixOptions
) -> None:
    _, cursor = await drained(channel, None)
    await emily.opens(options.user, direct=False)
    _, cursor = await drained(channel, cursor)
    closed = replace_options(options, accept_invites=False)
    async with opened(lambda tools: MatrixChannel(ACCOUNT, closed, tools)) as shy:
        assert isinstance(shy, MatrixChannel)
        await emily.opens(options.user)
        await drained(shy, cursor)
    joined = await _joined(options)
    assert joined == []


async def _joined(options: MatrixOptions) -> list[str]:
    assert options.token is not None
    headers = {"Authorization": f"Bearer {options.token.reveal()}"}
    async with httpx.AsyncClient(base_url=options.base_url, headers=headers, timeout=30) as client:
        return list((await client.get("/_matrix/client/v3/joined_rooms")).json()["joined_rooms"])


def replace_options(options: MatrixOptions, **changes: Any) -> MatrixOptions:
    import msgspec

    return msgspec.structs.replace(options, **changes)


# -- going out ----------------------------------------------------------------------------------------------


@pytest.fixture
async def room(channel: MatrixChannel, emily: Person, options: MatrixOptions) -> str:
    cursor = await _asked(channel)
    opened_room = await emily.opens(options.user)
    await drained(channel, cursor)
    return opened_room


async def test_a_reply_arrives_once_and_its_reading_comes_back(
    channel: MatrixChannel, emily: Person, room: str
) -> None:
    cursor = await _asked(channel)
    commits = Commits()
    address = Address("matrix", "", emily.id)
    report = await channel.send(outgoing(address, "옮겼습니다", key="<k/1@x>", place=room), commits)
    again = await channel.send(outgoing(address, "옮겼습니다", key="<k/1@x>", place=room), Commits())
    assert (report.external_id, commits.count) == (again.external_id, 1)
    assert await emily.hears(room) == ["옮겼습니다"]
    await emily.ask("POST", f"/rooms/{room}/receipt/m.read/{report.external_id}")
    found, _ = await drained(channel, cursor)
    (read,) = found
    assert isinstance(read, StatusReport)
    assert (read.external_id, read.state) == (report.external_id, Delivery.READ)
    assert read.at is not None


async def test_after_a_cut_line_the_same_key_gives_the_first_answer(
    options: MatrixOptions, emily: Person, channel: MatrixChannel, room: str
) -> None:
    cutting = Cutting()
    address = Address("matrix", "", emily.id)

    def make(tools: Tools) -> MatrixChannel:
        return MatrixChannel(ACCOUNT, options, replace(tools, http=lambda url, **_how: Client(url, transport=cutting)))

    async with opened(make) as shaky:
        cutting.after_answer = True
        with pytest.raises(OutcomeUnknown):
            await shaky.send(outgoing(address, "once", key="k2", place=room), Commits())
        cutting.after_answer = False
        report = await shaky.send(outgoing(address, "once", key="k2", place=room), Commits())
    assert report.external_id.startswith("$")
    assert await emily.hears(room) == ["once"]


class Cutting(httpx.AsyncHTTPTransport):
    """A line that breaks between the server's work and its answer."""

    after_answer = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if self.after_answer and request.method == "PUT":
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadError("cut")
        return answer


async def test_what_cannot_go_out_is_refused_for_certain(channel: MatrixChannel, emily: Person, room: str) -> None:
    address = Address("matrix", "", emily.id)
    commits = Commits(withdraw=True)
    for message in (
        outgoing(address, " ", place=room),
        outgoing(address, "가" * 20_001, place=room),
        outgoing(address, "no room"),
    ):
        with pytest.raises(PermanentFailure):
            await channel.send(message, commits)
    assert commits.count == 0
    with pytest.raises(Withdrawn):
        await channel.send(outgoing(address, place=room), commits)
    await channel.send(outgoing(address, "가" * 20_000, place=room), Commits())
    with pytest.raises(PermanentFailure) as too_long:
        await channel.send(outgoing(address, "\x01" * 20_000, key="k3", place=room), Commits())
    await emily.ask("POST", f"/rooms/{room}/kick", {"user_id": channel._options.user})
    with pytest.raises(PermanentFailure) as left:
        await channel.send(outgoing(address, key="k4", place=room), Commits())
    assert (too_long.value.reason, left.value.reason) == ("too_long", "left")
    assert await emily.hears(room) == ["가" * 20_000]


async def test_a_pause_that_the_server_asks_for_is_kept(
    channel: MatrixChannel, emily: Person, room: str, synapse: Synapse
) -> None:
    admin = await asyncio.to_thread(synapse.register, f"admin{next(NAMES)}", admin=True)
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(synapse.log_in, admin)}"}
    limits = {"messages_per_second": 1, "burst_count": 1}
    path = f"/_synapse/admin/v1/users/{channel._options.user}/override_ratelimit"
    async with httpx.AsyncClient(base_url=synapse.url, headers=headers, timeout=30) as client:
        (await client.post(path, json=limits)).raise_for_status()
    address = Address("matrix", "", emily.id)

    async def hurry() -> None:
        for number in range(5):
            await channel.send(outgoing(address, key=f"p{number}", place=room), Commits())

    with pytest.raises(TemporaryFailure) as caught:
        await hurry()
    assert caught.value.reason == "rate_limited"
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after < 10


@pytest.mark.parametrize(
    ("status", "body", "headers", "failure", "reason"),
    [
        (429, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":245000}', {}, TemporaryFailure, "rate_limited"),
        (429, "", {"retry-after": "245"}, TemporaryFailure, "rate_limited"),
        (401, '{"errcode":"M_UNKNOWN_TOKEN"}', {}, SignInFailed, "sign_in_refused"),
        (403, '{"errcode":"M_USER_DEACTIVATED"}', {}, SignInFailed, "sign_in_refused"),
        (403, '{"errcode":"M_FORBIDDEN"}', {}, PermanentFailure, "left"),
        (413, '{"errcode":"M_TOO_LARGE"}', {}, PermanentFailure, "too_long"),
        (400, '{"errcode":"M_BAD_JSON"}', {}, PermanentFailure, "refused"),
        (404, "<html>", {}, TemporaryFailure, "provider_error"),
        (302, "", {}, TemporaryFailure, "provider_error"),
        (200, "{}", {}, OutcomeUnknown, "provider_error"),
        (502, "<html>", {}, OutcomeUnknown, "provider_error"),
        (500, '{"errcode":"M_UNKNOWN"}', {}, OutcomeUnknown, "provider_error"),
    ],
)
async def test_every_answer_maps_to_what_it_proves(
    status: int, body: str, headers: dict[str, str], failure: type[Exception], reason: str
) -> None:
    options = MatrixOptions(base_url="http://127.0.0.1:9", user="@a:b", token=Secret("env", "UNUSED"))
    with lent() as tools:
        channel = MatrixChannel(ACCOUNT, options, answering(tools, status, body, headers))
        channel._token = "known"
        with pytest.raises(failure) as caught:
            await channel.send(NOWHERE, Commits())
        await channel.aclose()
    assert getattr(caught.value, "reason", "") == reason
    if reason == "rate_limited":
        assert getattr(caught.value, "retry_after", 0) == 245


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1000000000000000}', ""),
        (b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1' + b"0" * 400 + b"}", ""),
        (b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":-1}', ""),
        (b"", "9" * 400),
        (b"", "\u00b2"),
    ],
)
async def test_an_absurd_pause_counts_as_none(body: bytes, header: str) -> None:
    options = MatrixOptions(base_url="http://127.0.0.1:9", user="@a:b", token=Secret("env", "UNUSED"))
    with lent() as tools:
        channel = MatrixChannel(ACCOUNT, options, tools)
        headers = {"retry-after": header.encode("latin-1")}
        failure = channel._refusal(httpx.Response(429, content=body, headers=headers))
        await channel.aclose()
    assert isinstance(failure, TemporaryFailure)
    assert failure.retry_after is None


# -- signing in ---------------------------------------------------------------------------------------------


async def test_a_password_signs_in_again_as_the_same_device(
    synapse: Synapse, emily: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await asyncio.to_thread(synapse.register, f"support{next(NAMES)}", "correct horse")
    password = secret(monkeypatch, "MATRIX_PASSWORD", "correct horse")
    options = MatrixOptions(base_url=synapse.url, user=user, password=password)
    async with opened(lambda tools: MatrixChannel(ACCOUNT, options, tools)) as channel:
        assert isinstance(channel, MatrixChannel)
        assert user in await channel.probe()
        cursor = await _asked(channel)
        room = await emily.opens(user)
        await drained(channel, cursor)
        address = Address("matrix", "", emily.id)
        first = await channel.send(outgoing(address, key="k", place=room), Commits())
        await _log_out(channel, synapse)
        commits = Commits()
        again = await channel.send(outgoing(address, key="k", place=room), commits)
        assert (again.external_id, commits.count) == (first.external_id, 1)
        await _log_out(channel, synapse)
        assert (await channel.fetch(cursor)).cursor is not None


async def _log_out(channel: MatrixChannel, synapse: Synapse) -> None:
    headers = {"Authorization": f"Bearer {channel._token}"}
    async with httpx.AsyncClient(base_url=synapse.url, headers=headers, timeout=30) as client:
        (await client.post("/_matrix/client/v3/logout", json={})).raise_for_status()


async def test_wrong_secrets_stop_the_account_with_a_sentence(
    synapse: Synapse, options: MatrixOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = secret(monkeypatch, "WRONG", "wrong")
    for changes, why in (
        ({"token": wrong}, "refused the account"),
        ({"token": None, "password": wrong}, "refused the password"),
        ({"token": None}, "neither token nor password"),
        ({"user": "@somebody:localtest"}, "belongs to"),
        ({"token": Secret("env", "ABSENT_VARIABLE")}, "not set"),
        ({"token": secret(monkeypatch, "ODD", "a b")}, "odd characters"),
    ):
        made = replace_options(options, **changes)
        async with opened(lambda tools, made=made: MatrixChannel(ACCOUNT, made, tools)) as channel:
            for call in (
                channel.fetch(None),
                channel.send(NOWHERE, Commits()),
            ):
                with pytest.raises(SignInFailed, match=why):
                    await call


async def test_no_homeserver_is_said_and_proves_that_nothing_left(options: MatrixOptions) -> None:
    gone = replace_options(options, base_url="http://127.0.0.1:9")
    async with opened(lambda tools: MatrixChannel(ACCOUNT, gone, tools)) as channel:
        for call in (
            channel.fetch(None),
            channel.send(NOWHERE, Commits()),
        ):
            with pytest.raises(TemporaryFailure) as caught:
                await call
            assert caught.value.reason == "unreachable"


# -- odd events ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"type": "m.room.encrypted", "content": {"ciphertext": "x"}}, "[encrypted message]"),
        ({"type": "m.sticker", "content": {"body": "cat"}}, "[sticker] cat"),
        ({"type": "m.room.message", "content": {"msgtype": "m.emote", "body": "waves"}}, "* waves"),
        ({"type": "m.room.message", "content": {"msgtype": "m.new_kind", "body": "x"}}, "[new_kind] x"),
        (
            {"type": "m.room.message", "content": {"msgtype": "m.file", "body": "see", "filename": "a.pdf"}},
            "[file] see",
        ),
        ({"type": "m.room.message", "content": {"msgtype": "m.text", "body": "a\ud800b"}}, "a\ufffdb"),
        ({"type": "m.room.message", "content": {}}, None),
        ({"type": "m.room.message", "content": []}, None),
        ({"type": "m.room.member", "state_key": "@x:y", "content": {"membership": "join"}}, None),
    ],
)
def test_odd_events_are_shown_as_something_or_kept_unseen(event: dict[str, Any], shown: str | None) -> None:
    payload = json.dumps({"sender": "@emily:example.org", "event_id": "$1", "origin_server_ts": 1, **event}).encode()
    (parsed,) = matrix.parse(RawItem("$1", payload, NOW, {"room": "!r:x"}))
    if shown is None:
        assert isinstance(parsed, Opaque)
    else:
        assert isinstance(parsed, Inbound)
        assert parsed.text == shown


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"sender":"emily"}', b'{"sender":5,"type":5}'])
def test_what_is_no_event_is_unreadable(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|sender|value"):
        matrix.parse(RawItem("$1", payload, NOW))
