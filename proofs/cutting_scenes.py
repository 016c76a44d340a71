"""One reply through the real Dispatch and a real channel, over a line that is cut during the first attempt.

The first attempt goes through a cutting proxy, later ones through the same proxy after it healed; the hub's clock is
moved by hand until the reply is settled. What the store says is then compared with the world's own ledger.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

from agentconsole.channels import kannel, matrix, telegram, twilio, whatsapp
from agentconsole.channels.email import KIND as EMAIL
from agentconsole.channels.email.channel import EmailChannel
from agentconsole.channels.email.options import Deadlines, EmailOptions, ImapServer, SmtpServer
from agentconsole.channels.http import Client
from agentconsole.domain.entries import Received, Reply
from agentconsole.domain.model import (
    AccountName,
    Address,
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    DeliveryRecord,
    EntryId,
)
from agentconsole.hub.dispatch import Dispatch
from agentconsole.hub.health import Health
from agentconsole.hub.profile import AccountSetup, HubProfile
from agentconsole.ports import Channel, Secret, Store, Tools
from agentconsole.sandbox.fake_telegram import FakeTelegram
from agentconsole.sandbox.fake_twilio import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER, FakeTwilio
from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from agentconsole.seams import Steps, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
from proofs.cutting import HOST, Cut, CuttingProxy, Line, cutting
from proofs.cutting_worlds import SmtpSink, message_ids, strict_http
from tests.fakes.clock import CountingRandomness, HandClock
from tests.folders import quick_folder
from tests.servers.mail import MailServers

ACCOUNT: Final = AccountName("account")
RECORD: Final = CustomerId("k1")
SETTLED: Final = frozenset(
    {Delivery.SENT, Delivery.DELIVERED, Delivery.READ, Delivery.FAILED, Delivery.UNCERTAIN, Delivery.CANCELLED}
)
EMBEDDED_EVERY: Final = 25
"""One dialogue of so many keeps its reply in an embedded store, the others in memory."""
PATIENCE: Final = 60.0
"""Seconds for one attempt of ours, all in all; far beyond every deadline that the proof sets."""
UNHURRIED: Final = 45.0
"""Seconds for a server that is expected to answer, or to hang up."""
AGAIN: Final = 6
"""Attempts to reach the byte at which the line is cut, each with three times the patience of the one before."""
ANOTHER: Final = 1_000_000
"""Between the numbers of those attempts, so that each has a reply of its own."""
_WORDS: Final = {"PROOF_PASSWORD": "word", "PROOF_TWILIO": AUTH_TOKEN}

MakeStore: TypeAlias = Callable[[HandClock], AsyncIterator[Store]]


@dataclass(frozen=True)
class Scene:
    """A channel with the world behind it.

    Args:
        setup: makes the account, given the port of whoever stands before the world.
        name_of: what the world's ledger calls a reply, by its id.
        ends: whether these bytes from the client hold the end of a message: whoever got them may act on them.
    """

    name: str
    port: int
    address: Address
    place: str
    setup: Callable[[int], AccountSetup]
    name_of: Callable[[str], str]
    ends: Callable[[bytes], bool]
    ledger: Callable[[], Counter[str]]
    deadline: float = 1.0
    mute: bool = False
    """The proxy cannot read what passes (TLS), so nothing counts as provably unsent."""
    settling: float = 0.3
    """Seconds after which whatever a server still read from a line that ended is in its ledger."""
    settle: Callable[[], None] = lambda: None
    """Returns when the server has read what came before."""
    after_first: Callable[[CuttingProxy], None] = lambda _proxy: None
    """Called when the first attempt came to something, so that later ones may meet another world."""


@dataclass
class Outcome:
    """What became of one reply."""

    reply: str
    cut: Cut | None
    was_cut: bool
    first: DeliveryRecord
    last: DeliveryRecord
    end_left: bool
    """The end of the message left us during the first attempt."""
    end_arrived: bool
    """The server got it."""
    lines: list[Line] = field(default_factory=list)
    accepted: int = 0


def secret(name: str) -> Secret:
    os.environ[name] = _WORDS[name]
    return Secret("env", name)


class Patience:
    """How long the channel waits for a server, which may change while it is open.

    A server that says nothing is only noticed by a deadline, and a short one can pass on a busy machine before the
    line was cut. So only that which nothing else ends is waited for so briefly, and it is tried with more.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @property
    def command(self) -> float:
        return self.seconds

    dot = connect = command

    @property
    def fetch(self) -> float:
        return 10 * self.seconds


def patience(cut: Cut | None, deadline: float) -> Patience:
    """Return the patience for the attempt that is to be cut. What no proxy cuts, the world behind it may."""
    return Patience(deadline if cut is None or cut.kind == "stall" else UNHURRIED)


class _Impatient(Client):
    """Waits as long as it was made to, also where a channel would wait longer."""

    def __init__(self, base_url: str, patience: Patience, **how: Any) -> None:
        super().__init__(base_url, **{**how, "deadline": UNHURRIED})
        self._patience = patience

    async def request(self, method: str, path: str, **how: Any) -> Any:
        return await super().request(method, path, **{**how, "deadline": self._patience.seconds})


@dataclass(frozen=True)
class _Tools(Tools):
    patience: Patience = field(default_factory=lambda: Patience(UNHURRIED))


def tools(worker: Executor, clock: HandClock, patience: Patience) -> Tools:
    def lend(base_url: str, **how: Any) -> Client:
        return _Impatient(base_url, patience, **how)

    return _Tools(logging.getLogger("proof"), lend, clock, SystemRandomness(), worker, patience=patience)


async def dialogue(
    scene: Scene,
    number: int,
    cut: Cut | None,
    worker: Executor,
    store: Store | None = None,
    clock: HandClock | None = None,
) -> Outcome:
    """Send one reply and return where it ended.

    Args:
        number: makes the reply's id, so that every dialogue has its own.
    """
    clock = clock or HandClock()
    store = store or MemoryStore(clock, CountingRandomness())
    waits = patience(cut, scene.deadline)
    reply = f"reply{number}x{re.sub('[^a-z]', '', scene.name.lower())}"
    async with cutting(scene.port, cut) as proxy:
        setup = scene.setup(proxy.port)
        channel: Channel = setup.kind.open(ACCOUNT, setup.options, tools(worker, clock, waits))
        await _write(store, scene, setup, reply, clock)
        accounts = {ACCOUNT: setup}
        log = logging.getLogger("proof")
        health, people = Health([setup], clock), asyncio.Lock()
        dispatch = Dispatch(
            store, accounts, {ACCOUNT: channel}, health, HubProfile(), clock, CountingRandomness(), log, people
        )
        run = asyncio.create_task(dispatch.run(ACCOUNT))
        try:
            first = await _attempted(store, dispatch, reply, 0)
            was_cut, lines = proxy.done, proxy.heal()
            scene.after_first(proxy)
            waits.seconds = UNHURRIED
            last = first
            for _ in range(6):
                if last.state in SETTLED:
                    break
                clock.move(hours=1)
                last = await _attempted(store, dispatch, reply, last.attempt)
        finally:
            dispatch.finish()
            await asyncio.wait_for(run, PATIENCE)
            await channel.aclose()
    left = scene.mute or any(scene.ends(bytes(line.said)) for line in lines)
    arrived = scene.mute or any(scene.ends(bytes(line.heard)) for line in lines)
    return Outcome(reply, cut, was_cut, first, last, left, arrived, lines)


async def _write(store: Store, scene: Scene, setup: AccountSetup, reply: str, clock: HandClock) -> None:
    at, conversation = clock.now(), ConversationId("c1")
    medium = setup.kind.medium
    asked = Received(
        id=EntryId("asked"),
        at=at - timedelta(minutes=1),
        account=ACCOUNT,
        medium=medium,
        sender=scene.address,
        conversation=conversation,
        stored_at=at,
        text="hello",
        place=scene.place,
    )
    domain = setup.own_address.rpartition("@")[2] if setup.kind.name == "email" else ""
    answer = Reply(
        id=EntryId(reply),
        at=at,
        agent=AgentName("mina"),
        conversation=conversation,
        account=ACCOUNT,
        medium=medium,
        address=scene.address,
        text=scene.name_of(reply) if setup.kind.name != "email" else "Your appointment is moved.\n\nMina",
        key=f"{reply}@{domain}" if domain else reply,
        subject="Re: appointment" if domain else "",
        place=scene.place,
    )
    await store.change(RECORD, lambda _snapshot: [asked, answer])


async def _attempted(store: Store, dispatch: Dispatch, reply: str, after: int) -> DeliveryRecord:
    """Return the reply's record once an attempt later than ``after`` came to something."""
    async with asyncio.timeout(PATIENCE):
        for turn in itertools.count(1):
            if turn % 8 == 0:
                # The hub may have laid itself to sleep after the clock was moved.
                dispatch.wake(ACCOUNT)
            snapshot = await store.snapshot(RECORD)
            record = snapshot.deliveries[EntryId(reply)] if snapshot is not None else None
            rests = record is not None and record.state != Delivery.SENDING
            if record is not None and rests and (record.state in SETTLED or record.attempt > after):
                return record
            await asyncio.sleep(0.003)
    raise AssertionError("no attempt")


async def dialogues(
    scene: Scene, cuts: Iterable[Cut | None], *, start: int = 0, at_once: int = 16, worker: Executor | None = None
) -> list[Outcome]:
    """Run one dialogue for each cut, some at once, and join what the world's ledger says of each."""
    found: list[Outcome] = []
    todo = enumerate(cuts, start)
    own = worker is None
    worker = worker or ThreadPoolExecutor(4)

    async def work() -> None:
        for number, cut in todo:
            run = dialogue if number % EMBEDDED_EVERY else _on_disk
            hurried = scene
            for attempt in range(AGAIN):
                outcome = await run(hurried, number + attempt * ANOTHER, cut, worker)
                if cut is None or outcome.was_cut:
                    break
                hurried = replace(hurried, deadline=3 * hurried.deadline)
            found.append(outcome)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
        await asyncio.sleep(scene.settling)
        await asyncio.to_thread(scene.settle)
        ledger = await asyncio.to_thread(scene.ledger)
    finally:
        if own:
            worker.shutdown()
    for outcome in found:
        outcome.accepted = ledger[scene.name_of(outcome.reply)]
    return found


async def _on_disk(scene: Scene, number: int, cut: Cut | None, worker: Executor) -> Outcome:
    """Run a dialogue whose reply lies in an embedded store."""
    clock = HandClock()
    with quick_folder("wire") as folder:
        store = EmbeddedStore(folder / "store", clock=clock, random=SystemRandomness(), steps=Steps())
        await store.open()
        try:
            return await dialogue(scene, number, cut, worker, store, clock)
        finally:
            await store.aclose()


async def length(scene: Scene) -> tuple[int, int]:
    """Return how many bytes a dialogue without a cut has in each direction."""
    with ThreadPoolExecutor(1) as worker:
        for number in range(99_990, 99_999):
            outcome = await dialogue(scene, number, None, worker)
            if outcome.first.state == Delivery.SENT:
                return sum(len(line.said) for line in outcome.lines), sum(len(line.answered) for line in outcome.lines)
    raise AssertionError(f"{scene.name} sends nothing over a whole line: {outcome.first}")


# -- the scenes ---------------------------------------------------------------------------------------------


def _mail_ends(said: bytes) -> bool:
    _, data, content = said.partition(b"\r\nDATA\r\n")
    return bool(data) and b"\r\n.\r\n" in content


def _request_ends(method: str, path: str) -> Callable[[bytes], bool]:
    wanted = re.compile(rf"^{method} \S*{path}\S* HTTP/1.1\r\n".encode(), re.MULTILINE)

    def ends(said: bytes) -> bool:
        for match in wanted.finditer(said):
            head, blank, body = said[match.start() :].partition(b"\r\n\r\n")
            size = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if blank and size and len(body) >= int(size.group(1)):
                return True
        return False

    return ends


def mail_scene(sink: SmtpSink, deadline: float = 1.0, *, ledger: Callable[[], Counter[str]] | None = None) -> Scene:
    def setup(port: int) -> AccountSetup:
        password = secret("PROOF_PASSWORD")
        options = EmailOptions(
            address="us@example.test",
            imap=ImapServer(host=HOST, user="us", password=password, port=1, tls="none"),
            smtp=SmtpServer(host=HOST, user="us", password=password, port=port, tls="none"),
        )
        return AccountSetup(ACCOUNT, _IMPATIENT_EMAIL, options)

    return Scene(
        "smtp",
        sink.port,
        Address("email", "", "emily@example.com"),
        "",
        setup,
        lambda reply: f"{reply}@example.test",
        _mail_ends,
        ledger or sink.ledger,
        deadline,
        settle=sink.settle,
    )


def postfix_scene(mail: MailServers, deadline: float = 1.0) -> Scene:
    """Submit to a real Postfix with STARTTLS; the mailbox that it delivers to is the ledger."""
    _WORDS["PROOF_MAIL"] = mail.password

    def setup(port: int) -> AccountSetup:
        word, user = secret("PROOF_MAIL"), mail.address("support")
        options = EmailOptions(
            address=user,
            ca_file=str(mail.ca_file),
            imap=ImapServer(host="localhost", user=user, password=word, port=mail.imaps_port),
            smtp=SmtpServer(host="localhost", user=user, password=word, port=port, tls="starttls"),
        )
        return AccountSetup(ACCOUNT, _IMPATIENT_EMAIL, options)

    def ledger() -> Counter[str]:
        box = mail.folder / "home" / mail.address("minsu") / "Maildir"
        return message_ids(path for part in ("new", "cur") for path in (box / part).glob("*"))

    return Scene(
        "smtp, Postfix with TLS",
        mail.submission_port,
        Address("email", "", mail.address("minsu")),
        "",
        setup,
        lambda reply: f"{reply}@example.test",
        _mail_ends,
        ledger,
        deadline,
        mute=True,
        settling=5.0,
    )


def open_mail(name: AccountName, options: EmailOptions, lent: Tools) -> EmailChannel:
    """Open the e-mail channel with the patience that its tools have."""
    assert isinstance(lent, _Tools)
    return EmailChannel(name, options, lent, cast("Deadlines", lent.patience))


_IMPATIENT_EMAIL: Final = replace(EMAIL, open=open_mail)


def _text(reply: str) -> str:
    return f"Your appointment is moved ({reply})."


def _scene(
    name: str,
    port: int,
    address: Address,
    place: str,
    setup: Callable[[int], AccountSetup],
    ends: Callable[[bytes], bool],
    ledger: Callable[[], Counter[str]],
    deadline: float,
) -> Scene:
    return Scene(name, port, address, place, setup, _text, ends, ledger, deadline)


PHONE: Final = Address("phone", "", "+821012345678")


def kannel_scene(
    port: int, ledger: Callable[[], Counter[str]], deadline: float, name: str = "kannel", **more: Any
) -> Scene:
    def setup(before: int) -> AccountSetup:
        word = secret("PROOF_PASSWORD")
        given = {"user": "tester", "password": word, "sender": "15550001111", "hook_secret": word} | more
        options = kannel.KannelOptions(send_url=f"http://{HOST}:{before}/cgi-bin/sendsms", **given)
        return AccountSetup(ACCOUNT, kannel.KIND, options)

    return _scene(name, port, PHONE, "", setup, _request_ends("POST", "/sendsms"), ledger, deadline)


def matrix_scene(port: int, ledger: Callable[[], Counter[str]], deadline: float, name: str = "matrix") -> Scene:
    def setup(before: int) -> AccountSetup:
        options = matrix.MatrixOptions(
            base_url=f"http://{HOST}:{before}", user="@us:example.org", token=secret("PROOF_PASSWORD")
        )
        return AccountSetup(ACCOUNT, matrix.KIND, options)

    address = Address("matrix", "", "@emily:example.org")
    return _scene(name, port, address, "!room:example.org", setup, _request_ends("PUT", "/send/"), ledger, deadline)


@asynccontextmanager
async def http_scenes(deadline: float = 1.0, *, only: str = "") -> AsyncIterator[Mapping[str, Scene]]:
    """Serve every HTTP world and yield its scene by name."""
    # A client that hangs up is what is tested here, and a whole traceback in the fakes' server.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        found: dict[str, Scene] = {}
        for manner in ("plain", "chunked", "to the end"):
            more = "" if manner == "plain" else f" {manner}"
            for kind, make in (("kannel", kannel_scene), ("matrix", matrix_scene)):
                world = await stack.enter_async_context(strict_http(manner))
                found[f"{kind}{more}"] = make(world.port, world.ledger, deadline, f"{kind}{more}")
        found["twilio"] = await _twilio(stack, deadline)
        found["telegram"] = await _telegram(stack, deadline)
        found["whatsapp"] = await _whatsapp(stack, deadline)
        yield {name: scene for name, scene in found.items() if not only or name == only}


async def _twilio(stack: AsyncExitStack, deadline: float) -> Scene:
    fake = FakeTwilio()
    await fake.start()
    stack.push_async_callback(fake.stop)

    def setup(before: int) -> AccountSetup:
        options = twilio.TwilioOptions(
            account_sid=ACCOUNT_SID,
            auth_token=secret("PROOF_TWILIO"),
            sender=OUR_NUMBER,
            base_url=f"http://{HOST}:{before}",
        )
        return AccountSetup(ACCOUNT, twilio.KIND, options)

    ends = _request_ends("POST", "/Messages.json")
    return _scene("twilio", fake.port, PHONE, "", setup, ends, lambda: Counter(o.text for o in fake.sent), deadline)


async def _telegram(stack: AsyncExitStack, deadline: float) -> Scene:
    fake = FakeTelegram()
    _WORDS["PROOF_TELEGRAM"] = fake.token
    fake.knows(7001, "Emily")
    await fake.start()
    stack.push_async_callback(fake.stop)

    def setup(before: int) -> AccountSetup:
        options = telegram.TelegramOptions(token=secret("PROOF_TELEGRAM"), base_url=f"http://{HOST}:{before}")
        return AccountSetup(ACCOUNT, telegram.KIND, options)

    address, ends = Address("telegram", "4711", "7001"), _request_ends("POST", "/sendMessage")
    ledger = lambda: Counter(o.text for o in fake.sent)  # noqa: E731
    return _scene("telegram", fake.port, address, "7001", setup, ends, ledger, deadline)


async def _whatsapp(stack: AsyncExitStack, deadline: float) -> Scene:
    fake = FakeWhatsApp()
    _WORDS["PROOF_WHATSAPP"] = fake.access_token
    await fake.start()
    stack.push_async_callback(fake.stop)

    def setup(before: int) -> AccountSetup:
        options = whatsapp.WhatsAppOptions(
            phone_number_id=fake.phone_number_id,
            number=f"+{fake.number}",
            access_token=secret("PROOF_WHATSAPP"),
            app_secret=secret("PROOF_WHATSAPP"),
            verify_token=secret("PROOF_WHATSAPP"),
            base_url=f"http://{HOST}:{before}",
        )
        return AccountSetup(ACCOUNT, whatsapp.KIND, options)

    ends = _request_ends("POST", "/messages")
    ledger = lambda: Counter(o.text for o in fake.sent)  # noqa: E731
    return _scene("whatsapp", fake.port, PHONE, "", setup, ends, ledger, deadline)
