"""Twilio's webhooks: signatures against the vendor's vectors, forged requests, and what the fields mean."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.channels.twilio import KIND, TwilioOptions
from agentconsole.channels.twilio_events import TwilioWebhook, parse, signature
from agentconsole.domain.model import Address, Delivery
from agentconsole.errors import (
    ConfigError,
    Forged,
)
from agentconsole.ports import (
    AddressEvent,
    Inbound,
    Opaque,
    Parsed,
    RawItem,
    RawRequest,
    Secret,
    StatusReport,
)
from agentconsole.sandbox.fake_twilio import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER
from tests.channels.smsbench import EMILY, Committed, outgoing
from tests.channels.twilioworld import ACCOUNT, World, look, options
from tests.channels.twilioworld import twilio_token as twilio_token
from tests.channels.twilioworld import world as world
from tests.fakes.clock import START
from tests.fakes.twilio import contract

HOOK = "https://hub.example.test/hook/sms%20main"


def request(
    fields: Sequence[tuple[str, str]], *, url: str = HOOK, token: str = AUTH_TOKEN, signed: str = "", **headers: str
) -> RawRequest:
    given = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": signature(token, signed or url, fields),
    }
    given.update({name.replace("_", "-"): value for name, value in headers.items()})
    query = urlsplit(url).query
    return RawRequest("POST", url, query, given, urlencode(fields).encode())


SAID = [
    ("MessageSid", "SM" + "a" * 32), ("AccountSid", ACCOUNT_SID), ("From", EMILY.value), ("To", OUR_NUMBER),
    ("Body", "안녕 & hi"), ("NumMedia", "0"), ("SmsStatus", "received"),
]  # fmt: skip


def hook() -> TwilioWebhook:
    made = KIND.webhook(ACCOUNT, options()) if KIND.webhook is not None else None
    assert isinstance(made, TwilioWebhook)
    return made


@pytest.mark.contract
def test_the_vendors_signature_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = contract("signature-vectors.json")
    monkeypatch.setenv("TWILIO_TOKEN", vectors["auth_token"])
    webhook, form = hook(), vectors["cases"][0]["params"]
    assert len(vectors["cases"]) == 7
    for case in vectors["cases"]:
        if "body" in case:
            body, kind = case["body"].encode(), "application/json"
        else:
            pairs = [tuple(pair) for pair in case.get("params_multi", [])] or list(form.items())
            body, kind = urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        headers = {"content-type": kind, "x-twilio-signature": case["signature"]}
        raw = RawRequest("POST", case["url"], urlsplit(case["url"]).query, headers, body)
        assert webhook.receive(raw, START).items, case["name"]
        for spoiled in (
            msgspec.structs.replace(raw, body=raw.body + b"x"),
            msgspec.structs.replace(raw, url=raw.url + "&x=1"),
            msgspec.structs.replace(raw, headers={**headers, "x-twilio-signature": case["signature"].swapcase()}),
        ):
            with pytest.raises(Forged):
                webhook.receive(spoiled, START)


def test_a_message_by_webhook_is_the_one_from_the_list(twilio_token: None) -> None:
    accepted = hook().receive(request(SAID), START)
    assert (accepted.answer.status, accepted.answer.body) == (200, b"<Response></Response>")
    (item,) = accepted.items
    (message,) = parse(item)
    assert isinstance(message, Inbound)
    assert (message.identity, message.sender, message.text) == ("SM" + "a" * 32, EMILY, "안녕 & hi")


async def test_webhook_and_list_give_the_same_identities(world: World) -> None:
    channel = world.open(public_url="https://hub.example.test")
    sid = world.fake.customer_says(EMILY.value, "hello")
    sent = (await channel.send(outgoing("안녕", "k@1/2&3 한"), Committed())).external_id
    world.fake.set_state(sent, "delivered")
    items, _ = await look(channel, None)
    (callback,) = world.fake.callbacks
    raw = request(list(callback.fields.items()), url=callback.url)
    (reported,) = hook().receive(raw, START).items
    said = [("MessageSid", sid), ("From", EMILY.value), ("To", OUR_NUMBER), ("Body", "hello")]
    (message,) = hook().receive(request(said), START).items
    assert {item.identity for item in items} == {message.identity, reported.identity}
    (report,) = parse(reported)
    assert isinstance(report, StatusReport)
    assert (report.state, report.external_id, report.key) == (Delivery.DELIVERED, sent, "k@1/2&3 한")


async def test_the_callback_of_a_lost_answer_proves_it(world: World) -> None:
    channel = world.open(public_url="https://hub.example.test")
    await channel.send(outgoing("hello", "key-lost"), Committed())
    world.fake.progress()
    (callback,) = world.fake.callbacks
    (item,) = hook().receive(request(list(callback.fields.items()), url=callback.url), START).items
    (report,) = parse(item)
    assert isinstance(report, StatusReport)
    assert (report.state, report.key) == (Delivery.SENT, "key-lost")


@pytest.mark.parametrize(
    "raw",
    [
        request(SAID, token="other"),
        request(SAID, x_twilio_signature=""),
        request(SAID, x_twilio_signature="비밀"),
        request(SAID, x_twilio_signature=", ".join([signature(AUTH_TOKEN, HOOK, SAID)] * 2)),
        request(SAID, x_twilio_signature=signature(AUTH_TOKEN, HOOK, SAID).rstrip("=")),
        request(SAID, x_twilio_signature=signature(AUTH_TOKEN, HOOK, SAID) + " "),
        request(SAID, signed="http://hub.example.test/hook/sms%20main"),
        request(SAID, signed="https://hub.example.test/hook/other"),
        request(SAID, signed=HOOK + "?key=1"),
        request(SAID, url=HOOK + "?key=2", signed=HOOK + "?key=1"),
        request(SAID, content_type="application/json"),
        request(SAID, content_type="multipart/form-data; boundary=x"),
        request(SAID, content_type=""),
        request([(f"f{number}", "x") for number in range(300)]),
        msgspec.structs.replace(request(SAID), method="GET"),
        msgspec.structs.replace(request(SAID), headers={}),
        msgspec.structs.replace(request(SAID), body=b""),
        msgspec.structs.replace(request(SAID), body=b"\xff\xfe%ff%00"),
        msgspec.structs.replace(request(SAID), url="https://[hub"),
        msgspec.structs.replace(request(SAID), url=""),
        msgspec.structs.replace(request(SAID), url="https://hub.example.test:99999999/\ud800"),
    ],
)
def test_what_the_token_does_not_vouch_for_is_forged(twilio_token: None, raw: RawRequest) -> None:
    with pytest.raises(Forged):
        hook().receive(raw, START)


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://hub.test/hook/sms", "https://hub.test:443/hook/sms"),
        ("http://hub.test/hook/sms", "http://hub.test:80/hook/sms"),
        ("https://hub.test:8443/hook/sms", "https://hub.test:8443/hook/sms"),
        ("https://hub.test:8443/hook/sms", "https://hub.test/hook/sms"),
        ("https://[::1]:8443/hook/sms?", "https://[::1]/hook/sms?"),
    ],
)
def test_with_and_without_the_port(twilio_token: None, url: str, signed: str) -> None:
    assert len(hook().receive(request(SAID, url=url, signed=signed), START).items) == 1


def test_the_query_counts_where_the_hub_gives_it_apart(twilio_token: None) -> None:
    whole = request(SAID, url=HOOK + "?key=k1")
    (item,) = hook().receive(msgspec.structs.replace(whole, url=HOOK), START).items
    assert item.meta["key"] == "k1"


@given(
    url=st.text(max_size=60) | st.sampled_from([HOOK, HOOK + "?bodySHA256=" + "0" * 64]),
    query=st.text(max_size=60),
    kind=st.sampled_from(["application/x-www-form-urlencoded", "application/json", "", "text/plain; charset=\x00"]),
    given_=st.text(max_size=40),
    body=st.binary(max_size=200),
    method=st.sampled_from(["POST", "GET", "PUT"]),
)
def test_a_hostile_request_is_forged_and_never_another_error(
    url: str, query: str, kind: str, given_: str, body: bytes, method: str
) -> None:
    os.environ["TWILIO_FUZZ_TOKEN"] = AUTH_TOKEN
    webhook = TwilioWebhook(Secret("env", "TWILIO_FUZZ_TOKEN"))
    raw = RawRequest(method, url, query, {"content-type": kind, "x-twilio-signature": given_}, body)
    with pytest.raises(Forged):
        webhook.receive(raw, START)


@given(
    st.dictionaries(
        st.sampled_from(
            ["MessageSid", "SmsSid", "MessageStatus", "From", "To", "Body", "NumMedia", "ErrorCode", "OptOutType"]
        ),
        st.text(max_size=40),
    )
)
def test_whatever_a_signed_form_holds_is_read_or_refused_with_a_reason(fields: dict[str, str]) -> None:
    os.environ["TWILIO_FUZZ_TOKEN"] = AUTH_TOKEN
    webhook = TwilioWebhook(Secret("env", "TWILIO_FUZZ_TOKEN"))
    pairs = [(name, value.encode("utf-8", "replace").decode()) for name, value in fields.items()]
    (item,) = webhook.receive(request(pairs), START).items
    try:
        found = parse(item)
    except ValueError as exc:
        found, why = (), str(exc)
    else:
        why = "read"
    assert why
    assert all(one.identity.startswith(item.identity) for one in found)


def test_json_events_are_kept_but_say_nothing(twilio_token: None) -> None:
    body = b'{"a":"\\u001B"}'

    url = f"{HOOK}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"content-type": "application/json", "x-twilio-signature": signature(AUTH_TOKEN, url, ())}
    raw = RawRequest("POST", url, urlsplit(url).query, headers, body)
    (item,) = hook().receive(raw, START).items
    assert isinstance(parse(item)[0], Opaque)
    with pytest.raises(Forged):
        hook().receive(msgspec.structs.replace(raw, body=b'{"a":"\\u001b"}'), START)


def test_an_empty_token_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_TOKEN", "")
    with pytest.raises(ConfigError):
        hook()


# -- meaning ------------------------------------------------------------------------------------------------


def told(**fields: str) -> Sequence[Parsed]:
    pairs = [*((name, value) for name, value in SAID if name not in fields), *fields.items()]
    return parse(RawItem("SM1", urlencode(pairs).encode(), START, {"format": "form"}))


def test_whatsapp_is_another_channel() -> None:
    assert isinstance(told(From="whatsapp:+821012345678", To=f"whatsapp:{OUR_NUMBER}")[0], Opaque)
    assert isinstance(told(MessageStatus="delivered", To="whatsapp:+821012345678")[0], Opaque)


def test_stop_and_start_as_twilio_saw_them() -> None:
    message, event = told(OptOutType="STOP", Body="STOP")
    assert isinstance(message, Inbound)
    assert isinstance(event, AddressEvent)
    assert (event.address, event.dead, event.opt_out) == (EMILY, "opted_out", True)
    _, event = told(OptOutType="START", Body="START")
    assert isinstance(event, AddressEvent)
    assert (event.dead, event.opt_out) == ("", False)
    assert len(told(OptOutType="HELP", Body="HELP")) == 1


def test_pictures_are_named_where_the_agent_reads() -> None:
    (message,) = told(NumMedia="2", Body="see")
    assert isinstance(message, Inbound)
    assert message.text == "see\n[MMS: 2]"
    (message,) = told(NumMedia="1", Body="")
    assert isinstance(message, Inbound)
    assert message.text == "[MMS: 1]"


@pytest.mark.parametrize("sender", ["24242", "MyBank"])
def test_senders_that_are_no_numbers_stay_as_they_are(sender: str) -> None:
    (message,) = told(From=sender)
    assert isinstance(message, Inbound)
    assert message.sender == Address("phone", "", sender)


def test_a_message_without_a_sender_says_so() -> None:
    with pytest.raises(ValueError, match="no sender"):
        told(From=" ")


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "receiving", "unheard of"])
def test_states_that_say_nothing_new(status: str) -> None:
    assert isinstance(told(MessageStatus=status)[0], Opaque)


@pytest.mark.parametrize(("sid", "good"), [(ACCOUNT_SID, True), ("AC1", False), ("SK" + "0" * 32, False)])
def test_a_wrong_account_sid_is_a_wrong_configuration(sid: str, good: bool) -> None:
    table = {"account_sid": sid, "auth_token": {"env": "X"}, "sender": OUR_NUMBER}

    def read() -> TwilioOptions:
        return msgspec.convert(table, TwilioOptions, dec_hook=lambda _type, value: Secret.from_toml(value))

    if good:
        assert read().poll_seconds == 15
    else:
        with pytest.raises(msgspec.ValidationError):
            read()


def test_the_kind_tells_what_a_route_is_judged_by() -> None:
    can = KIND.capabilities
    assert (KIND.medium, can.text_unit, can.text_limit, can.live, can.idempotency) == ("sms", "sms", 10, True, "none")
    assert KIND.own_address(options()) == OUR_NUMBER
