"""The listener: spooled before answered, forged refused without a word, never a 500."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from agentconsole.desk import Compose
from agentconsole.domain.model import ConsentScope, CustomerId, Medium
from agentconsole.errors import Refused, StoreFault
from agentconsole.hub.profile import HubProfile
from tests.fakes import paper
from tests.hub.conftest import EMAIL, PHONE, World, running
from tests.waiting import until


@pytest.fixture
async def hooked() -> AsyncIterator[World]:
    chat = paper.Post()
    async with running(chat=chat, accounts=[paper.chat(chat, webhook=True)]) as world:
        yield world


def client(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.hub.port}", headers={"X-Stamp": "right"})


async def test_a_genuine_request_is_filed_and_answered_as_the_kind_says(hooked: World):
    body = msgspec.msgpack.encode(paper.message("w1", PHONE, "hello"))
    async with client(hooked) as http:
        answer = await http.post("/hook/wa?id=w1", content=body)
        again = await http.post("/hook/wa?id=w1", content=body)
    assert (answer.status_code, answer.text, again.status_code) == (200, "thanks", 200)
    page = await hooked.store.history(await hooked.customer(PHONE))
    assert page is not None
    assert len(page.entries) == 1


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/hook/wa", {"X-Stamp": "wrong"}, b"x", 401),
        ("/hook/nobody", {}, b"x", 404),
        ("/", {}, b"x", 404),
        ("/hook/wa", {}, b"x" * (1 << 20) + b"y", 413),
        ("/hook/wa", {}, b"boom", 400),
        ("/hook/../hook/wa%00", {}, b"x", 404),
    ],
)
async def test_everything_else_is_refused_without_a_word(hooked: World, path, headers, body, status):
    async with client(hooked) as http:
        answer = await http.post(path, content=body, headers=headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert (await hooked.desk.status(hooked.who)).spool.waiting == 0


async def test_a_full_disk_is_answered_with_later_and_not_with_thanks(hooked: World, monkeypatch):
    async def full(_record: object) -> None:
        raise StoreFault("The disk is full.")

    monkeypatch.setattr(hooked.store, "spool", full)
    async with client(hooked) as http:
        answer = await http.post("/hook/wa", content=b"x")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


async def begun(world: World) -> tuple[CustomerId, str]:
    """Begin an advertising mail and return whose it is and the path of the link that it bears."""
    world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
    customer = await world.customer(EMAIL)
    await world.desk.consent(world.who, "in", customer, Medium(""), ConsentScope.MARKETING, True)
    sale = Compose(customer, "Spring sale", medium=Medium("email"), purpose="marketing", proactive=True)
    await world.desk.reply(world.who, "r1", sale)

    async def sent():
        return next((mail.unsubscribe_url for mail in world.mail.delivered), None)

    link = await until(sent)
    assert link.startswith("https://desk.example.com/unsubscribe/e")
    return customer, link.removeprefix("https://desk.example.com")


@pytest.fixture
async def public() -> AsyncIterator[World]:
    mail, chat = paper.Post(), paper.Post()
    profile = HubProfile(region="GB", free_floor=0, public_url="https://desk.example.com")
    accounts = [paper.mail(mail), paper.chat(chat, webhook=True)]
    async with running(mail=mail, chat=chat, accounts=accounts, profile=profile) as world:
        yield world


async def denied(world: World, customer: CustomerId) -> list[tuple[str, str, str]]:
    person = await world.store.customer(customer)
    assert person is not None
    return [(c.medium, c.scope, c.words) for c in person.consents if not c.allowed]


async def test_one_click_ends_advertising_by_mail_without_a_password(public: World):
    customer, path = await begun(public)
    async with client(public) as http:
        looked = await http.get(path)
        assert (looked.status_code, "<form method=post>" in looked.text) == (200, True)
        assert await denied(public, customer) == []  # a scanner followed the link
        done = [await http.post(path, data={"List-Unsubscribe": "One-Click"}) for _ in range(2)]
    assert [answer.status_code for answer in done] == [200, 200]
    assert await denied(public, customer) == [("email", "marketing", "list-unsubscribe")]
    sale = Compose(customer, "Summer sale", medium=Medium("email"), purpose="marketing", proactive=True)
    with pytest.raises(Refused, match="opted out"):
        await public.desk.reply(public.who, "r2", sale)


async def test_a_click_on_the_same_mail_after_a_new_consent_ends_it_again(public: World):
    customer, path = await begun(public)
    async with client(public) as http:
        await http.post(path)
        public.clock.move(seconds=60)
        await public.desk.consent(public.who, "in2", customer, Medium("email"), ConsentScope.MARKETING, True)
        assert await denied(public, customer) == []
        public.clock.move(seconds=60)
        assert (await http.post(path)).status_code == 200
        assert await denied(public, customer) == [("email", "marketing", "list-unsubscribe")]
        before = (await public.store.health()).entries
        await http.post(path)
        assert (await public.store.health()).entries == before


async def test_a_link_that_we_did_not_make_ends_nothing(public: World):
    customer, path = await begun(public)
    other = path[:-1] + ("a" if path[-1] != "a" else "b")
    async with client(public) as http:
        for wrong in (other, path.rpartition(".")[0], "/unsubscribe/", "/unsubscribe/e1.x", path + "x"):
            assert (await http.post(wrong)).status_code in (404, 405)
    assert await denied(public, customer) == []


async def test_a_full_disk_asks_to_click_again(public: World, monkeypatch: pytest.MonkeyPatch):
    async def full(_record: object, _decide: object) -> None:
        raise StoreFault("The disk is full.")

    customer, path = await begun(public)
    monkeypatch.setattr(public.store, "change", full)
    async with client(public) as http:
        assert (await http.post(path)).status_code == 503
    assert await denied(public, customer) == []


async def test_without_a_page_on_https_mails_name_the_other_way_only():
    mail = paper.Post()
    async with running(mail=mail, accounts=[paper.mail(mail)]) as world:
        world.mail.put(paper.message("m1", EMAIL, "hello", world.clock.now()))
        customer = await world.customer(EMAIL)
        await world.desk.consent(world.who, "in", customer, Medium(""), ConsentScope.MARKETING, True)
        sale = Compose(customer, "Spring sale", purpose="marketing", proactive=True)
        await world.desk.reply(world.who, "r1", sale)

        async def sent():
            return next(iter(world.mail.delivered), None)

        found = await until(sent)
        assert (found.unsubscribe_url, bool(found.unsubscribe)) == ("", True)
