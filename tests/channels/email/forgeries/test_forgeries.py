"""Forged senders prove nothing: not one is taken for the person, merged or shown a history; honest ones are known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agentconsole.channels.email.mime import META_OWN, META_SERVER, identity, parse
from agentconsole.domain.model import Trust
from agentconsole.ports import Inbound, RawItem
from tests.channels.email.forgeries.providers import PROVIDERS, Provider
from tests.channels.email.forgeries.senders import ALL, HONEST, Forgery, mail

NOW = datetime(2024, 3, 6, 12, 0, tzinfo=UTC)


def read(provider: Provider, sender: Forgery, number: int = 1) -> Inbound:
    payload = mail(provider, sender, number)
    meta = {META_OWN: "support@shop.test", META_SERVER: provider.names}
    [found] = parse(RawItem(identity(payload), payload, NOW, meta))
    assert isinstance(found, Inbound)
    return found


def test_there_are_three_hundred_forgeries_and_a_hundred_honest_mails():
    assert len(PROVIDERS) == 20
    assert len(ALL) == 300
    assert len(HONEST) >= 100


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.title)
def test_no_forgery_is_verified(provider: Provider):
    for number, (at, forgery) in enumerate(ALL):
        if at is provider:
            found = read(at, forgery, number)
            assert found.trust not in (Trust.VERIFIED, Trust.THREADED), (forgery.title, found)
            assert found.checked


def test_honest_signed_mails_are_verified_at_every_provider():
    below = [
        (provider.title, sender.title)
        for provider, sender in HONEST
        if read(provider, sender).trust is not Trust.VERIFIED
    ]
    assert len(below) <= len(HONEST) * 0.02, below


def test_the_signer_is_the_domain_that_signed_for_the_sender():
    for provider, sender in HONEST:
        domain = read(provider, sender).sender.value.rpartition("@")[2]
        signer = read(provider, sender).signer
        covers = domain == signer or domain.endswith("." + (signer or "?"))
        assert covers, (provider.title, sender.title, signer)


def test_without_a_configured_server_nobody_is_checked():
    provider, sender = HONEST[0]
    payload = mail(provider, sender, 1)
    [found] = parse(RawItem(identity(payload), payload, NOW, {META_OWN: "support@shop.test"}))
    assert isinstance(found, Inbound)
    assert (found.trust, found.signer, found.checked) == (Trust.CLAIMED, "", False)
