"""What the hub is told by the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agentconsole.domain.facts import Pattern
from agentconsole.domain.fallback import Automatic
from agentconsole.domain.guards import Settings
from agentconsole.domain.model import AccountName, AgentName
from agentconsole.domain.permission import Reach
from agentconsole.domain.preference import Account, Policy, Price
from agentconsole.domain.queueing import Saved, Targets
from agentconsole.domain.templates import Template
from agentconsole.ports import AccountInfo, ChannelKind

ALL_RIGHTS = frozenset({"read", "reply", "customer", "operate"})


@dataclass(frozen=True, slots=True)
class HubProfile:
    """A profile as the hub needs it.

    Args:
        region: for numbers written without country code (ISO 3166, two letters).
        reopen_days: how long after its last entry a resolved conversation reopens.
        linger_seconds: how long a solo hub stays after the last client where nothing waits.
        agents: rights by agent; who is not listed is refused. Empty: everybody whom the socket's permissions let
            in, with all rights.
        claims: names that ``--as`` may claim.
        free_floor: bytes that must stay free on the store's disk; below, nothing is fetched.
        guards: which warnings there are before a send, and which further numbers are masked everywhere.
        facts: further kinds of what customers tell.
        targets: until when customers are to be answered.
        views: views of the queue of its own, by name.
        expire_hours: how long a reply is tried before it fails and asks.
        hold: seconds for which a reply waits so that its agent can stop it.
        fallback: whether a reply that failed goes another way by itself.
        templates: texts that agents pick.
        agent_names: how customers know the agents.
    """

    name: str = "default"
    language: str = "en"
    timezone: str = "UTC"
    region: str = ""
    policy: Policy = field(default_factory=Policy)
    reopen_days: int = 7
    linger_seconds: float = 600.0
    solo: bool = False
    agents: Mapping[AgentName, frozenset[str]] = field(default_factory=dict)
    claims: frozenset[str] = frozenset()
    listen_host: str = "127.0.0.1"
    listen_port: int = 0
    public_url: str = ""
    free_floor: int = 200 * 1024 * 1024
    expire_hours: float = 24.0
    hold: float = 5.0
    guards: Settings = field(default_factory=Settings)
    facts: tuple[Pattern, ...] = ()
    targets: Targets = field(default_factory=Targets)
    views: Mapping[str, Saved] = field(default_factory=dict)
    fallback: Automatic = field(default_factory=Automatic)
    templates: tuple[Template, ...] = ()
    agent_names: Mapping[AgentName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """One configured account: its kind and the options that its TOML table gave.

    Args:
        price: what one part of a message costs on it.
        hold: seconds for which its replies wait, where not those of the profile.
    """

    name: AccountName
    kind: ChannelKind[Any]
    options: Any
    read_only: bool = False
    since: datetime | None = None
    price: Price | None = None
    hold: float | None = None

    @property
    def own_address(self) -> str:
        return self.kind.own_address(self.options)

    @property
    def unchecked(self) -> bool:
        """Whether the account could tell genuine senders from forged ones, and its options do not let it."""
        return self.kind.checks_senders is not None and not self.kind.checks_senders(self.options)

    def info(self, *, signed_in: bool = True) -> AccountInfo:
        return AccountInfo(
            name=self.name,
            kind=self.kind.name,
            title=self.kind.title,
            medium=self.kind.medium,
            capabilities=self.kind.capabilities,
            signed_in=signed_in,
            read_only=self.read_only,
            own_address=self.own_address,
            since=self.since,
        )


def for_choice(info: AccountInfo, price: Price | None = None) -> Account:
    """Reduce an account to what the choice of a route depends on."""
    can = info.capabilities
    return Account(
        name=info.name,
        medium=info.medium,
        address_kind=can.address_kind,
        live=can.live,
        price=price,
        reach=Reach(
            limit=can.text_limit,
            unit=can.text_unit,
            window_seconds=can.reply_window.total_seconds() if can.reply_window is not None else 0,
            customer_first=can.customer_first,
            attachments=can.attachments,
            file_bytes=can.file_bytes,
            signed_in=info.signed_in,
            read_only=info.read_only,
        ),
    )
