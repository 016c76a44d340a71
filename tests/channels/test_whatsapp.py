"""The WhatsApp channel against Meta's own examples and the strict fake, over a real listener."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentconsole.channels import whatsapp
from agentconsole.channels.http import Client
from agentconsole.channels.whatsapp import WhatsAppChannel, WhatsAppOptions, WhatsAppWebhook
from agentconsole.domain.model import AccountName, Address, Delivery
from agentconsole.errors import Forged, OutcomeUnknown, PermanentFailure, SignInFailed, TemporaryFailure, Withdrawn
from agentconsole.ports import AddressEvent, Inbound, Opaque, Parsed, RawItem, RawRequest, Secret, StatusReport, Tools
from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from agentconsole.sandbox.loopback import Loopback
from tests.channels.chat import Commits, HeldClock, answering, opened, outgoing, secret
from tests.waiting import DEADLINE

EMILY = "16505551234"
ADDRESS = Address("phone", "", f"+{EMILY}")
ACCOUNT = AccountName("wa")
KEYS = (
    *("messages", "statuses", "contacts", "metadata", "id", "from", "type", "text", "body", "status", "errors"),
    *("timestamp", "system", "interactive", "order", "referral", "context", "from_user_id"),
)
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
SECRETS = {
    "WA_TOKEN": "loopback-access-token",
    "WA_SECRET": "loopback-app-secret",
    "WA_VERIFY": "loopback-verify-token",
}


def options_for(url: str = "http://127.0.0.1:9") -> WhatsAppOptions:
    return WhatsAppOptions(
        phone_number_id="106540352242922",
        number="+15550783881",
        access_token=Secret("env", "WA_TOKEN"),
        app_secret=Secret("env", "WA_SECRET"),
        verify_token=Secret("env", "WA_VERIFY"),
        base_url=url,
    )


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        secret(monkeypatch, name, value)


@pytest.fixture
def hook() -> WhatsAppWebhook:
    return WhatsAppWebhook(ACCOUNT, options_for())


def signed(body: bytes, key: str = SECRETS["WA_SECRET"]) -> RawRequest:
    signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return RawRequest("POST", "https://console.example/hook/wa", "", {"x-hub-signature-256": signature}, body)


def told(hook: WhatsAppWebhook, payload: Any) -> list[RawItem]:
    return list(hook.receive(signed(json.dumps(payload).encode()), NOW).items)


def understood(items: list[RawItem]) -> list[Parsed]:
    return [parsed for item in items for parsed in whatsapp.parse(item)]


def event(**value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
    change = {"field": "messages", "value": {"metadata": metadata, **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


# -- Meta's examples ----------------------------------------------------------------------------------------

EXAMPLES = {
    "Text Message": "Does it come in another color?",
    "Text Message with Context (Product Inquiry)": "Is this still available?",
    "Text Message from Click to WhatsApp Ad": "Hello! Can I get more info on this?\n"
    "[advertisement] Chat with us, https://fb.me/3cr4Wqqkv",
    "Reaction Message": "[reaction] 👍",
    "Image Message": "[image] Taj Mahal",
    "Location Message": "[location] Philz Coffee, 101 Forest Ave, Palo Alto, CA 94301, 37.44221496582, "
    "-122.16165924072, https://philzcoffee.com/",
    "Contact Sharing Message": "[contact] Lucía Gómez +1 (983) 555-2319",
    "Unsupported Message": "[unsupported] 131051 Message type is currently not supported.",
    "Button Message": "Unsubscribe",
    "Interactive List Reply Message": "Priority Mail Express\nNext Day to 2 Days",
    "Interactive Button Reply Message": "Cancel",
    "Order Message": "[order]\n2 × di9ozbzfi4 (30 USD)\n1 × nqryix03ez (25 USD)",
    "System Message": "[system] User Sheena Nelson changed from 16505551234 to 12195555358",
    "Group Create Message": None,
    "Group Settings Update": None,
    "Group Remove Participants": None,
}


@pytest.mark.contract
def test_every_example_of_the_vendor_is_understood(hook: WhatsAppWebhook, contracts: Path) -> None:
    examples = json.loads(contracts.joinpath("whatsapp-cloud", "webhook-examples.json").read_text())
    assert set(examples) == set(EXAMPLES)
    for name, payload in examples.items():
        *before, last = understood(told(hook, payload))
        if EXAMPLES[name] is None:
            assert isinstance(last, Opaque), name
            continue
        assert isinstance(last, Inbound), name
        assert (last.text, last.sender) == (EXAMPLES[name], ADDRESS), name
        assert last.sent_at is not None, name
        if name == "System Message":
            assert isinstance(before[0], AddressEvent)
            assert (before[0].address, before[0].dead, last.automatic) == (ADDRESS, "number_changed", True)
        else:
            assert (before, last.sender_name, last.automatic) == ([], "Sheena Nelson", False), name
    reaction = understood(told(hook, examples["Reaction Message"]))[0]
    image = understood(told(hook, examples["Image Message"]))[0]
    assert isinstance(reaction, Inbound)
    assert isinstance(image, Inbound)
    assert reaction.message_ids == ("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA",)
    assert [(part.type, part.data) for part in image.parts] == [("image/jpeg", b"")]


@pytest.mark.contract
async def test_the_fake_takes_the_vendor_s_text_examples_and_so_do_we(fake: FakeWhatsApp, contracts: Path) -> None:
    examples = json.loads(contracts.joinpath("whatsapp-cloud", "send-examples.json").read_text())
    texts = {name: body for name, body in examples.items() if body.get("type") == "text"}
    assert len(texts) == 2
    client = Client(fake.url, headers={"Authorization": f"Bearer {fake.access_token}"})
    for body in texts.values():
        answer = await client.request("POST", "/v23.0/106540352242922/messages", json={**body, "to": EMILY})
        assert answer.status_code == 200
    await client.aclose()
    async with opened(lambda tools: WhatsAppChannel(ACCOUNT, options_for(fake.url), tools)) as channel:
        await channel.send(outgoing(ADDRESS, "text-message-content"), Commits())
    assert {sent.text for sent in fake.sent} == {"<TEXT_MSG_CONTENT>", "text-message-content"}


# -- the webhook --------------------------------------------------------------------------------------------


def test_a_batch_is_cut_into_all_its_messages_and_statuses(hook: WhatsAppWebhook) -> None:
    def message(number: int) -> dict[str, Any]:
        return {"from": EMILY, "id": f"wamid.{number}", "timestamp": "1", "type": "text", "text": {"body": str(number)}}

    states = [{"id": "wamid.9", "status": word, "timestamp": "2"} for word in ("sent", "delivered", "read", "warning")]
    payload = event(messages=[message(1), message(2), "nonsense"], statuses=states)
    payload["entry"] += event(messages=[message(3)])["entry"] * 2
    items = told(hook, payload)
    assert [item.identity for item in items if item.identity.startswith("wamid")] == [
        *("wamid.1", "wamid.2"),
        *(f"wamid.9:{word}" for word in ("sent", "delivered", "read", "warning")),
        *("wamid.3", "wamid.3"),
    ]
    assert len(items) == 9
    with pytest.raises(ValueError, match="no JSON object"):
        whatsapp.parse(items[2])
    parsed = understood(items[:2] + items[3:])
    assert [p.text for p in parsed if isinstance(p, Inbound)] == ["1", "2", "3", "3"]
    assert [p.state for p in parsed if isinstance(p, StatusReport)] == ["sent", "delivered", "read"]


def test_a_failure_names_its_reason_and_our_own_key(hook: WhatsAppWebhook) -> None:
    def failed(code: object) -> StatusReport:
        status = {"id": "wamid.1", "status": "failed", "timestamp": "1", "biz_opaque_callback_data": "key-1"}
        errors = [{"code": code, "title": "T", "error_data": {"details": "why"}}]
        (parsed,) = understood(told(hook, event(statuses=[{**status, "errors": errors}])))
        assert isinstance(parsed, StatusReport)
        return parsed

    assert (failed(131047).reason, failed(131026).reason, failed(1).key) == ("window_closed", "undeliverable", "key-1")
    assert failed(131050).reason == "stopped_marketing"
    assert (failed(999999).reason, failed("?").state) == ("refused", Delivery.FAILED)
    assert failed(131047).detail == "131047 why"


def test_a_business_scoped_user_is_addressed_within_our_number(hook: WhatsAppWebhook) -> None:
    user = "US.13491208655302741918"
    message = {"id": "wamid.1", "timestamp": "1", "type": "text", "text": {"body": "hi"}, "from_user_id": user}
    contact = {"profile": {"name": "Emily"}, "user_id": user}
    (alone,) = understood(told(hook, event(messages=[message], contacts=[contact])))
    (both,) = understood(
        told(hook, event(messages=[{**message, "from": EMILY}], contacts=[{**contact, "wa_id": EMILY}]))
    )
    assert isinstance(alone, Inbound)
    assert isinstance(both, Inbound)
    scoped = Address("whatsapp", "106540352242922", user)
    assert (alone.sender, alone.also_known_as, alone.sender_name) == (scoped, (), "Emily")
    assert (both.sender, both.also_known_as) == (ADDRESS, (scoped,))


def test_a_name_is_never_taken_from_another_contact(hook: WhatsAppWebhook) -> None:
    message = {"from": EMILY, "id": "wamid.1", "timestamp": "1", "type": "text", "text": {"body": "hi"}}
    others = [{"profile": {"name": "Somebody"}, "wa_id": "447700900000", "user_id": "GB.1"}]
    (parsed,) = understood(told(hook, event(messages=[message], contacts=others)))
    assert isinstance(parsed, Inbound)
    assert (parsed.sender, parsed.sender_name, parsed.also_known_as) == (ADDRESS, "", ())


def test_what_is_for_another_number_or_from_nobody_is_unreadable_and_not_misrouted(hook: WhatsAppWebhook) -> None:
    message = {"from": EMILY, "id": "wamid.1", "timestamp": "1", "type": "text", "text": {"body": "hi"}}
    foreign = event(messages=[message])
    foreign["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = "2"
    nobody = event(messages=[{**message, "from": "<b>"}])
    for payload, why in ((foreign, "not this account's"), (nobody, "no sender")):
        (item,) = told(hook, payload)
        with pytest.raises(ValueError, match=why):
            whatsapp.parse(item)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"{}", b'{"entry":5}', b'{"entry":[{"changes":[]}]}'])
def test_a_signed_body_of_any_shape_is_kept(hook: WhatsAppWebhook, body: bytes) -> None:
    (item,) = hook.receive(signed(body), NOW).items
    assert item.payload == body
    assert item.identity == hook.receive(signed(body), NOW).items[0].identity


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(value=json_values, field=json_values)
def test_no_shape_of_an_event_raises_anything_but_unreadable(value: Any, field: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, known in SECRETS.items():
            patch.setenv(name, known)
        hook = WhatsAppWebhook(ACCOUNT, options_for())
    for item in told(hook, {"entry": [{"changes": [{"value": value, "field": field}, value]}, value]}):
        try:
            parsed = whatsapp.parse(item)
        except ValueError:
            continue
        assert parsed
        for one in parsed:
            str(getattr(one, "text", "")).encode()


KINDS = (
    *("text", "image", "location", "contacts", "reaction", "button", "interactive", "order", "system", "unsupported"),
    *("document", "poll", ""),
)


@given(kind=st.sampled_from(KINDS), body=json_values, extra=st.dictionaries(st.sampled_from(KEYS), json_values))
def test_whatever_a_message_holds_it_is_shown_to_an_agent(kind: str, body: Any, extra: dict[str, Any]) -> None:
    message = {**extra, "id": "wamid.1", "from": EMILY, "type": kind, kind: body}
    payload = json.dumps({"value": {"messages": [message]}}).encode()
    *_, last = whatsapp.parse(RawItem("wamid.1", payload, NOW, {"number": "1"}))
    assert isinstance(last, Inbound)
    assert last.sender == ADDRESS
    assert last.text or kind == "text"


def test_the_challenge_is_answered_only_with_the_right_word(hook: WhatsAppWebhook) -> None:
    def ask(query: str) -> RawRequest:
        return RawRequest("GET", "https://console.example/hook/wa", query, {}, b"")

    good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=loopback-verify-token"
    answer = hook.receive(ask(good), NOW)
    assert (answer.items, answer.answer.status, answer.answer.body) == ((), 200, b"1158201444")
    for query in (
        "",
        good.replace("loopback-verify", "wrong"),
        good.replace("subscribe", "unsubscribe"),
        good.replace("1158201444", "<script>"),
        good.replace("1158201444", ""),
        good + "&x=1" * 50,
        "hub.verify_token=%FF%ED",
    ):
        with pytest.raises(Forged):
            hook.receive(ask(query), NOW)


@given(data=st.data())
def test_a_changed_request_is_forged_and_nothing_else(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, known in SECRETS.items():
            patch.setenv(name, known)
        hook = WhatsAppWebhook(ACCOUNT, options_for())
    body = json.dumps(event(messages=[])).encode()
    good = signed(body)
    right = good.headers["x-hub-signature-256"]
    headers = data.draw(
        st.one_of(
            st.just({}),
            st.text(max_size=80).map(lambda s: {"x-hub-signature-256": s}),
            st.integers(0, len(right) - 1).map(
                lambda i: {"x-hub-signature-256": right[:i] + chr(ord(right[i]) ^ 1) + right[i + 1 :]}
            ),
            st.sampled_from([right.upper(), right[7:], right + " ", "sha1=" + right[7:], right.encode().hex()]).map(
                lambda s: {"x-hub-signature-256": s}
            ),
        )
    )
    method = data.draw(st.sampled_from(["POST", "PUT", "DELETE", "HEAD", ""]))
    with pytest.raises(Forged):
        hook.receive(RawRequest(method, good.url, "", headers, body), NOW)
    with pytest.raises(Forged):
        hook.receive(RawRequest("POST", good.url, "", good.headers, body + data.draw(st.binary(min_size=1))), NOW)
    with pytest.raises(Forged):
        hook.receive(RawRequest("PUT", good.url, "", good.headers, body), NOW)


def test_an_empty_secret_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WA_SECRET", "")
    with pytest.raises(SignInFailed):
        WhatsAppWebhook(ACCOUNT, options_for())


# -- both ways, over the line -------------------------------------------------------------------------------


class Console(Loopback):
    """The hub's listener in small: verifies, keeps, answers; refuses the first ``busy`` events."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[RawItem] = []
        self.busy = 0
        self.forged = 0
        self._hook = WhatsAppWebhook(ACCOUNT, options_for())
        self.app = Starlette(routes=[Route("/hook/wa", self._receive, methods=["GET", "POST"])])

    async def _receive(self, request: Request) -> Response:
        if self.busy:
            self.busy -= 1
            return Response(status_code=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = RawRequest(request.method, str(request.url), request.url.query, headers, await request.body())
        try:
            accepted = self._hook.receive(raw, NOW)
        except Forged:
            self.forged += 1
            return Response(status_code=401)
        self.items += accepted.items
        return Response(accepted.answer.body, accepted.answer.status)


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    server = Console()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def fake(console: Console) -> AsyncIterator[FakeWhatsApp]:
    server = FakeWhatsApp(retry_seconds=0.01)
    await server.start()
    assert await server.connect(f"{console.url}/hook/wa")
    yield server
    await server.stop()


@pytest.fixture
async def channel(fake: FakeWhatsApp) -> AsyncIterator[WhatsAppChannel]:
    async with opened(lambda tools: WhatsAppChannel(ACCOUNT, options_for(fake.url), tools)) as made:
        assert isinstance(made, WhatsAppChannel)
        yield made


async def settled(fake: FakeWhatsApp) -> None:
    await asyncio.wait_for(fake.settled(), DEADLINE)


async def test_a_conversation_with_its_receipts(channel: WhatsAppChannel, fake: FakeWhatsApp, console: Console) -> None:
    wamid = fake.customer_says(EMILY, "Any news? 예약", "Emily")
    commits = Commits(lambda: len(fake.sent))
    report = await channel.send(outgoing(ADDRESS, "Moved to Friday"), commits)
    for word in ("sent", "delivered", "read"):
        fake.report(report.external_id, word)
    await settled(fake)
    message, *states = understood(console.items)
    assert isinstance(message, Inbound)
    assert (message.text, message.external_id, message.sender_name) == ("Any news? 예약", wamid, "Emily")
    reports = [state for state in states if isinstance(state, StatusReport)]
    assert [(r.external_id, r.key, r.state) for r in reports] == [
        (report.external_id, "key-1", state) for state in (Delivery.SENT, Delivery.DELIVERED, Delivery.READ)
    ]
    assert (commits.count, commits.left_before) == (1, [0])
    assert [(sent.to, sent.text) for sent in fake.sent] == [(EMILY, "Moved to Friday")]


async def test_states_advance_by_themselves(console: Console) -> None:
    clock = HeldClock()
    seen: list[str] = []
    fake = FakeWhatsApp(progress=(0.1, 2, 5), clock=clock, on_sent=lambda sent: seen.append(sent.text))
    await fake.start()
    fake.hook_url = f"{console.url}/hook/wa"
    fake.customer_says(EMILY, "hello")
    async with opened(lambda tools: WhatsAppChannel(ACCOUNT, options_for(fake.url), tools)) as channel:
        await channel.send(outgoing(ADDRESS, "good morning"), Commits())
    async with asyncio.timeout(DEADLINE):
        while len(console.items) < 4:
            await asyncio.sleep(0.005)
    await fake.stop()
    assert [p.state for p in understood(console.items) if isinstance(p, StatusReport)] == ["sent", "delivered", "read"]
    assert (seen, clock.slept[:3]) == (["good morning"], [0.1, 2, 5])


async def test_events_follow_when_the_listener_or_the_line_comes_back(fake: FakeWhatsApp, console: Console) -> None:
    console.busy = 3
    fake.customer_says(EMILY, "one")
    await settled(fake)
    await console.cut()
    fake.customer_says(EMILY, "two")
    await console.heal()
    await settled(fake)
    await fake.cut()
    fake.customer_says(EMILY, "three")
    await fake.heal()
    await settled(fake)
    assert [p.text for p in understood(console.items) if isinstance(p, Inbound)] == ["one", "two", "three"]


async def test_a_wrong_secret_is_seen_by_meta_and_by_us(fake: FakeWhatsApp, console: Console) -> None:
    fake.verify_token = "another"
    assert not await fake.connect(f"{console.url}/hook/wa")
    fake.app_secret = "another"
    before = console.forged
    fake.customer_says(EMILY, "hello")
    async with asyncio.timeout(DEADLINE):
        while console.forged == before:
            await asyncio.sleep(0.005)
    assert console.items == []


async def test_the_window_closes_by_report_and_by_answer(console: Console) -> None:
    clock = HeldClock()
    for how in ("report", "answer"):
        fake = FakeWhatsApp(clock=clock, closed_window=how)
        await fake.start()
        fake.hook_url = f"{console.url}/hook/wa"
        fake.customer_says(EMILY, "hello")
        async with opened(lambda tools, url=fake.url: WhatsAppChannel(ACCOUNT, options_for(url), tools)) as channel:
            await channel.send(outgoing(ADDRESS), Commits())
            clock.date += timedelta(hours=24)
            if how == "answer":
                with pytest.raises(PermanentFailure) as caught:
                    await channel.send(outgoing(ADDRESS), Commits())
                assert caught.value.reason == "window_closed"
            else:
                report = await channel.send(outgoing(ADDRESS), Commits())
                await settled(fake)
                last = understood(console.items)[-1]
                assert isinstance(last, StatusReport)
                assert (last.external_id, last.state, last.reason) == (
                    report.external_id,
                    Delivery.FAILED,
                    "window_closed",
                )
        await fake.stop()


async def test_a_line_cut_mid_send_is_uncertain_until_a_status_names_our_key(
    channel: WhatsAppChannel, fake: FakeWhatsApp, console: Console
) -> None:
    fake.customer_says(EMILY, "hello")
    fake.cut_mid_send()
    with pytest.raises(OutcomeUnknown):
        await channel.send(outgoing(ADDRESS), Commits())
    (sent,) = fake.sent
    fake.report(sent.wamid, "delivered")
    await settled(fake)
    last = understood(console.items)[-1]
    assert isinstance(last, StatusReport)
    assert (last.key, last.state) == ("key-1", Delivery.DELIVERED)
    await fake.cut()
    with pytest.raises(TemporaryFailure) as caught:
        await channel.send(outgoing(ADDRESS), Commits())
    assert caught.value.reason == "unreachable"
    with pytest.raises(TemporaryFailure):
        await channel.fetch(None)


async def test_a_business_scoped_user_and_a_group_get_their_reply(channel: WhatsAppChannel, fake: FakeWhatsApp) -> None:
    user = Address("whatsapp", "106540352242922", "US.13491208655302741918")
    await channel.send(outgoing(user), Commits())
    await channel.send(outgoing(ADDRESS, place="Y2FwaV9ncm91cDox"), Commits())
    assert [sent.to for sent in fake.sent] == [user.value, "Y2FwaV9ncm91cDox"]


async def test_a_withdrawn_or_impossible_reply_does_not_leave(channel: WhatsAppChannel, fake: FakeWhatsApp) -> None:
    with pytest.raises(Withdrawn):
        await channel.send(outgoing(ADDRESS), Commits(withdraw=True))
    commits = Commits()
    for address, text in ((ADDRESS, " "), (ADDRESS, "x" * 4097), (Address("phone", "", "12; drop"), "x")):
        with pytest.raises(PermanentFailure):
            await channel.send(outgoing(address, text), commits)
    await channel.send(outgoing(ADDRESS, "가" * 4096), Commits())
    assert (commits.count, len(fake.sent)) == (0, 1)


GRAPH = '{"error":{"message":"m","type":"OAuthException","code":%d}}'


@pytest.mark.parametrize(
    ("status", "body", "failure", "reason"),
    [
        (400, GRAPH % 131047, PermanentFailure, "window_closed"),
        (400, GRAPH % 131026, PermanentFailure, "undeliverable"),
        (400, GRAPH % 131051, PermanentFailure, "refused"),
        (400, GRAPH % 100, PermanentFailure, "refused"),
        (400, GRAPH % 131056, TemporaryFailure, "rate_limited"),
        (429, GRAPH % 130429, TemporaryFailure, "rate_limited"),
        (400, GRAPH % 80007, TemporaryFailure, "rate_limited"),
        (400, GRAPH % 4, TemporaryFailure, "rate_limited"),
        (500, GRAPH % 130429, TemporaryFailure, "rate_limited"),
        (429, "", TemporaryFailure, "rate_limited"),
        (401, GRAPH % 190, SignInFailed, "sign_in_refused"),
        (403, GRAPH % 200, SignInFailed, "no_right"),
        (400, '{"error":{"code":100,"error_subcode":33}}', SignInFailed, "bad_number_id"),
        (401, "{}", TemporaryFailure, "provider_error"),
        (302, "", TemporaryFailure, "provider_error"),
        (400, GRAPH % 1, OutcomeUnknown, "provider_error"),
        (500, GRAPH % 131000, OutcomeUnknown, "provider_error"),
        (503, "<html>", OutcomeUnknown, "provider_error"),
        (200, "{}", OutcomeUnknown, "provider_error"),
        (200, '{"messages":[{}]}', OutcomeUnknown, "provider_error"),
    ],
)
async def test_every_answer_maps_to_what_it_proves(
    status: int, body: str, failure: type[Exception], reason: str
) -> None:
    def make(tools: Tools) -> WhatsAppChannel:
        return WhatsAppChannel(ACCOUNT, options_for(), answering(tools, status, body))

    async with opened(make) as channel:
        with pytest.raises(failure) as caught:
            await channel.send(outgoing(ADDRESS), Commits())
        assert getattr(caught.value, "reason", "") == reason


async def test_a_refused_token_shows_before_anybody_writes(
    channel: WhatsAppChannel, fake: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await channel.fetch(None)).items == ()
    assert "+15550783881 (Example Dental). The" in await channel.probe()
    for value, why in (("expired", "refused the account"), ("a b\nc", "odd characters")):
        monkeypatch.setenv("WA_TOKEN", value)
        for call in (channel.fetch(None), channel.probe(), channel.send(outgoing(ADDRESS), Commits())):
            with pytest.raises(SignInFailed, match=why):
                await call
    monkeypatch.setenv("WA_TOKEN", fake.access_token)
    fake.phone_number_id = "1"
    with pytest.raises(SignInFailed) as caught:
        await channel.fetch(None)
    assert caught.value.reason == "bad_number_id"


@pytest.mark.parametrize(
    "change",
    [
        {"messaging_product": None},
        {"type": "image"},
        {"text": {"body": ""}},
        {"text": {"body": "x" * 4097}},
        {"text": {"body": "x", "markdown": True}},
        {"to": None},
        {"to": "1"},
        {"recipient": "US.1349120865"},
        {"colour": "red"},
        {"biz_opaque_callback_data": "x" * 513},
    ],
)
async def test_the_fake_is_strict(fake: FakeWhatsApp, change: dict[str, Any]) -> None:
    body = {"messaging_product": "whatsapp", "to": EMILY, "type": "text", "text": {"body": "x"}, **change}
    client = Client(fake.url, headers={"Authorization": f"Bearer {fake.access_token}"})
    sent = {key: value for key, value in body.items() if value is not None}
    answer = await client.request("POST", "/v23.0/106540352242922/messages", json=sent)
    await client.aclose()
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (100, 131009, 131051)
    assert fake.sent == []
