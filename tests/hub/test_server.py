"""The socket: versions, names, bad input, many calls, and clients that do not behave."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import pwd

import msgspec
import pytest

from agentconsole import wire
from agentconsole.desk import Agent, Compose, Position
from agentconsole.domain.model import AgentName, CustomerId, Delivery
from agentconsole.errors import AnswerLost, HubAbsent, NotFound, Refused, StoreFault, TryLater
from agentconsole.hub.desk_over_store import DeskOverStore
from agentconsole.hub.profile import HubProfile
from agentconsole.ports import AuditLine
from agentconsole.remote import RemoteDesk, as_desk
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import EMAIL, World, running
from tests.waiting import DEADLINE

ME = AgentName(pwd.getpwuid(os.geteuid()).pw_name)


async def talk(world: World, *lines: bytes) -> list[dict]:
    """Send raw lines and return the answers until the hub closes or as many as were sent have come."""
    reader, writer = await asyncio.open_unix_connection(str(world.socket), limit=wire.MAX_LINE + 1)
    answers = []
    try:
        for line in lines:
            writer.write(line)
        async with asyncio.timeout(DEADLINE):
            while len(answers) < len(lines) and (data := await reader.readline()):
                answers.append(json.loads(data))
    finally:
        writer.close()
    return answers


def request(number: int, method: str, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


HELLO = request(1, "hello", protocol=wire.PROTOCOL, version="test")


async def test_hello_names_the_agent_by_what_the_kernel_says(world: World):
    (welcome,) = await talk(world, HELLO)
    assert welcome["result"]["agent"]["name"] == ME
    assert welcome["result"]["protocol"] == wire.PROTOCOL


async def test_another_version_is_told_what_to_do(world: World):
    (answer,) = await talk(world, request(1, "hello", protocol=99, version="9.9"))
    assert "different versions" in answer["error"]["message"]
    assert "restart" in answer["error"]["data"]["hint"]


async def test_a_name_may_only_be_claimed_where_the_profile_lists_it(world: World):
    with pytest.raises(Refused, match="may not act as mina"):
        await RemoteDesk.connect(world.socket, "mina")
    async with running(profile=HubProfile(claims=frozenset({"mina"}), free_floor=0)) as other:
        _, who = await other.attach("mina")
        assert (who.name, who.proven) == ("mina", False)


async def test_a_computer_out_of_open_files_asks_for_patience(world: World, monkeypatch: pytest.MonkeyPatch):
    async def refusing(*_arguments: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(DeskOverStore, "status", refusing)
    (_, answer) = await talk(world, HELLO, request(2, "status"))
    assert answer["error"]["data"]["code"] == TryLater.code
    assert "Too many open files" in answer["error"]["message"]


async def test_rights_are_checked_by_the_hub_for_every_call():
    profile = HubProfile(agents={ME: frozenset({"read"})}, free_floor=0)
    async with running(profile=profile) as world:
        world.mail.put(paper.message("m1", EMAIL, "hello"))
        customer = await world.customer(EMAIL)
        assert (await world.desk.queue(world.who, "waiting", 0, 10)).lines
        everything = Agent(name=ME)
        with pytest.raises(Refused, match="right: reply"):
            await world.desk.reply(everything, "r", Compose(customer, "hi"))
        with pytest.raises(Refused, match="right: customer"):
            await world.desk.rename(everything, "r", customer, "x")
        with pytest.raises(Refused, match="right: operate"):
            await world.desk.stop(everything, True, False)


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"[]\n",
        b'{"jsonrpc":"2.0"}\n',
        b"\x00\xff\n",
        b"[" * 5000 + b"\n",
        b"\n",
    ],
)
async def test_what_is_no_request_ends_that_line_only(world: World, line: bytes):
    assert await talk(world, HELLO, line) == await talk(world, HELLO)
    assert (await world.desk.status(world.who)).profile == "default"


async def test_a_line_over_the_limit_ends_that_line_only(world: World):
    huge = request(2, "find", words="x" * (wire.MAX_LINE + 10))
    assert len(await talk(world, HELLO, huge)) == 1
    assert (await world.desk.status(world.who)).profile == "default"


async def test_wrong_calls_are_answered_with_a_sentence(world: World):
    answers = await talk(
        world,
        HELLO,
        request(2, "no_such_call"),
        request(3, "find", wrong="x"),
        request(4, "find", words=7),
        request(5, "__init__"),
        request(6, "find", words="nobody at all"),
    )
    found = {a["id"]: a["error"]["data"]["code"] for a in answers if "error" in a}
    assert found == {2: "usage", 3: "usage", 4: "usage", 5: "usage", 6: "not_found"}


async def test_the_first_call_must_be_hello(world: World):
    (answer,) = await talk(world, request(1, "status"))
    assert "hello" in answer["error"]["message"]


async def test_many_calls_at_once_are_all_answered(world: World):
    results = await asyncio.gather(*(world.desk.status(world.who) for _ in range(200)))
    assert len({r.pid for r in results}) == 1


async def test_a_client_that_does_not_read_delays_nobody(world: World):
    _, writer = await asyncio.open_unix_connection(str(world.socket))
    writer.write(HELLO + b"".join(request(n, "status") for n in range(2, 2000)))
    async with asyncio.timeout(DEADLINE):
        assert (await world.desk.status(world.who)).pid == os.getpid()
    writer.close()


async def test_an_error_crosses_the_socket_as_itself(world: World):
    with pytest.raises(NotFound, match="nobody"):
        await world.desk.find(world.who, "nobody")


async def test_news_come_at_once_and_name_who_changed(world: World):
    start = (await world.desk.news(world.who, Position(), 0)).position
    waiting = asyncio.create_task(world.desk.news(world.who, start, 30))
    world.mail.put(paper.message("m1", EMAIL, "hello"))
    async with asyncio.timeout(DEADLINE):
        news = await waiting
    customer = await world.customer(EMAIL)
    assert news.customers is None or customer in news.customers
    assert news.position != start


async def test_news_after_a_rebuild_or_another_hub_mean_everything(world: World):
    news = await world.desk.news(world.who, Position("another:0", 7), 0)
    assert news.customers is None


async def test_without_a_hub_the_error_says_so(tmp_path):
    with pytest.raises(HubAbsent, match="No hub answers"):
        await RemoteDesk.connect(tmp_path / "none.sock")


async def test_a_line_that_was_taken_while_the_hub_ends_is_not_served(world: World):
    """The kernel takes a line, and the loop gives it its first turn only after the hub went round to end them all."""
    server = world.hub._server
    path = world.socket.with_name("late.sock")
    late = await asyncio.start_unix_server(server._accept, str(path))
    await server.aclose()
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(HELLO)
    answer = b""
    with contextlib.suppress(OSError):
        async with asyncio.timeout(DEADLINE):
            answer = await reader.readline()
    writer.close()
    late.close()
    path.unlink()
    assert answer == b""


async def test_a_change_that_the_hub_took_with_it_may_have_been_done_and_a_read_says_only_that(tmp_path):
    """A hub that dies after it has read a request: nobody knows what became of it."""
    path = tmp_path / "hub.sock"
    welcome = wire.Welcome(protocol=wire.PROTOCOL, version="x", profile="p", agent=Agent(name=ME))

    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = wire.read_request(await reader.readline())
        writer.write(wire.line(wire.Response(id=hello.id, result=msgspec.Raw(msgspec.json.encode(welcome)))))
        await reader.readline()
        path.rename(tmp_path / "gone.sock")
        writer.close()

    async def call(name: str, *arguments: object) -> HubAbsent:
        server = await asyncio.start_unix_server(dying, str(path))
        remote = await RemoteDesk.connect(path)
        try:
            with pytest.raises(HubAbsent) as caught:
                await getattr(as_desk(remote), name)(remote.who, *arguments)
        finally:
            await remote.aclose()
            server.close()
            (tmp_path / "gone.sock").unlink()
        return caught.value

    change = await call("reply", "r-77", Compose(CustomerId("k"), "hi"))
    assert (type(change), change.exit_code) == (AnswerLost, 6)
    assert "may have been done" in change.message
    assert "--key r-77" in change.hint
    read = await call("status")
    assert (type(read), read.exit_code) == (HubAbsent, 4)
    assert "before it answered" in read.message


class NoTrail(MemoryStore):
    full = True

    async def audit(self, line: AuditLine) -> None:
        if self.full:
            raise StoreFault("No space left.")
        await super().audit(line)


async def test_a_change_whose_audit_cannot_be_written_is_done_and_the_banner_and_the_log_say_the_rest(caplog):
    store = NoTrail(HandClock(), CountingRandomness())
    async with running(store=store) as world:
        world.mail.put(paper.message("m1", EMAIL, "hello lamp"))
        customer = await world.customer(EMAIL)
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
        assert sent.state in (Delivery.QUEUED, Delivery.SENDING, Delivery.SENT)
        assert (await world.desk.status(world.who)).banner == "audit_rests"
        assert len(await world.desk.search(world.who, "lamp", 5)) == 1
        assert [f"{ME}, reply, {customer}" in caplog.text, f"{ME}, search" in caplog.text] == [True, True]
        assert "lamp" not in caplog.text
        store.full = False
        await world.desk.search(world.who, "lamp", 5)
        assert (await world.desk.status(world.who)).banner == ""


async def test_a_call_whose_answer_was_lost_is_made_again_and_sends_once():
    """The line breaks after the hub has queued the reply and before it could answer."""
    async with running() as world:
        world.mail.put(paper.message("m1", EMAIL, "hello"))
        customer = await world.customer(EMAIL)
        answered = 0

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal answered
            upstream_reader, upstream = await asyncio.open_unix_connection(str(world.socket))
            try:
                while line := await reader.readline():
                    upstream.write(line)
                    answer = await upstream_reader.readline()
                    if b'"reply"' in line:
                        answered += 1
                        if answered == 1:
                            return
                    writer.write(answer)
            finally:
                upstream.close()
                writer.close()

        path = world.socket.with_name("relay.sock")
        server = await asyncio.start_unix_server(relay, str(path))
        remote = await RemoteDesk.connect(path)
        try:
            sent = await as_desk(remote).reply(world.who, "r1", Compose(customer, "once"))
        finally:
            await remote.aclose()
            server.close()
            path.unlink()
        assert answered == 2
        timeline = await world.desk.timeline(world.who, customer, "", 10)
        assert [e.id for e in timeline.entries if e.id == sent.id] == [sent.id]
        assert len(timeline.states) == 1
