"""What ``init`` learns from the first mails: the name under which the server writes about senders, or nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agentconsole.channels.email import authentication, headers, mime
from agentconsole.cli import learning
from agentconsole.domain.model import AccountName
from agentconsole.ports import RawItem
from tests.channels.email.forgeries.providers import PROVIDERS
from tests.channels.email.forgeries.senders import forgeries, honest, mail
from tests.fakes import paper
from tests.hub.conftest import running
from tests.waiting import until


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.title)
def test_every_providers_name_is_learned_from_its_mails(provider):
    tops = []
    for number, sender in enumerate([*honest(), *forgeries(provider)]):
        raw = mail(provider, sender, number)
        tops.append(authentication.topmost(headers.split(raw, 0, len(raw))))
    name = authentication.learned(tops)
    assert name
    if provider.title == "icloud":  # a name for each method: the first says too little, and verifies nobody
        return
    assert any(authentication._is(provider.own, one) for one in authentication.names(name)), name


@pytest.mark.parametrize(
    ("tops", "name"),
    [
        (["mx.example.com"] * 3, "mx.example.com"),
        (["mx.example.com", "", "mx.example.com", "mx.example.com"], "mx.example.com"),
        (["mx1.example.com", "mx2.example.com", "mx1.example.com"], "*.example.com"),
        (["mx.example.com", "mx.example.com", "mx.other.test"], ""),
        (["mx.example.com", "mx.example.com"], ""),
        (["a.com", "b.com", "c.com"], ""),
        (["none", "none", "none"], "none"),
        ([], ""),
    ],
)
def test_it_is_what_all_agree_on(tops: list[str], name: str):
    assert authentication.learned(tops) == name


async def test_it_is_read_from_the_mails_of_the_account():
    provider = PROVIDERS[0]
    post = paper.Post()
    setup = paper.mail(post)
    setup = replace(setup, kind=replace(setup.kind, parse=mime.parse))
    for number, sender in enumerate(honest()):
        raw = mail(provider, sender, number)
        post.put_raw(RawItem(mime.identity(raw), raw, paper.START, {}))
    async with running(accounts=[setup], mail=post) as world:

        async def filed() -> bool:
            return (await world.store.health()).entries >= 5

        await until(filed, what="five mails")
        assert await learning.server_name(world.desk, world.who, setup.name) == "mx.google.com"
        assert await learning.server_name(world.desk, world.who, AccountName("other")) == ""


def test_the_configuration_keeps_everything_else():
    text = '# ours\n[profiles.support.channels.mail]\nkind = "email" # the shop\naddress = "a@shop.test"\n'
    changed = learning.remembered(text, "support", "mail", "mx.example.com")
    assert changed == text + 'authserv_id = "mx.example.com"\n'


def test_who_cannot_be_asked_is_told():
    _, told = learning.proposal(Path("config.toml"), "mx.example.com")
    assert 'authserv_id = "mx.example.com"' in told
