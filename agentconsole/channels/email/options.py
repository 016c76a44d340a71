"""The keys of an ``email`` account."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from agentconsole.domain import addresses
from agentconsole.ports import Options, Secret

Tls: TypeAlias = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that a mail server has.

    Args:
        command: to answer a command.
        dot: to answer the dot. RFC 5321 section 4.5.3.2.6: ten minutes, or mail is sent twice.
        connect: to take a connection, and to agree on TLS.
        fetch: for one look at the mailbox, all in all.
    """

    command: float = 60.0
    dot: float = 600.0
    connect: float = 15.0
    fetch: float = 600.0


DEADLINES: Final = Deadlines()
"""What a real server gets; tests give less."""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and how to sign in. ``tls = "none"`` is taken for this machine only."""

    host: Annotated[str, msgspec.Meta(description="name of the server, as in its certificate", min_length=1)]
    user: Annotated[str, msgspec.Meta(description="name to sign in with", min_length=1)]
    password: Annotated[Secret, msgspec.Meta(description="where the password lies")]
    port: Annotated[int, msgspec.Meta(description="port; 0 takes the usual one", ge=0, le=65535)] = 0
    tls: Annotated[Tls, msgspec.Meta(description="implicit, starttls, or none (loopback only)")] = "implicit"

    def __post_init__(self) -> None:
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError('tls = "none" is for servers on this machine only; use "implicit" or "starttls"')
        if any(not mark.isprintable() or mark.isspace() for mark in self.host):
            raise ValueError("host is not the name of a server")
        if any(not mark.isprintable() for mark in self.user):
            raise ValueError("user holds a control character")


class ImapServer(Server, frozen=True, kw_only=True, forbid_unknown_fields=True):
    folder: Annotated[str, msgspec.Meta(description="folder to read", min_length=1)] = "INBOX"
    sent_folder: Annotated[
        str,
        msgspec.Meta(
            description="folder where the provider itself keeps what it sent, e.g. [Gmail]/Sent Mail; looked into where"
            " it is uncertain whether a reply left"
        ),
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(not mark.isprintable() for mark in self.folder + self.sent_folder):
            raise ValueError("folder holds a control character")

    def resolved_port(self) -> int:
        return self.port or (993 if self.tls == "implicit" else 143)


class SmtpServer(Server, frozen=True, kw_only=True, forbid_unknown_fields=True):
    def resolved_port(self) -> int:
        return self.port or (465 if self.tls == "implicit" else 587)


class EmailOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mailbox: IMAP to read, SMTP to answer."""

    address: Annotated[str, msgspec.Meta(description="the address that customers write to")]
    imap: Annotated[ImapServer, msgspec.Meta(description="the server that holds the mail")]
    smtp: Annotated[SmtpServer, msgspec.Meta(description="the server that takes replies")]
    name: Annotated[str, msgspec.Meta(description="sender name that customers see")] = ""
    authserv_id: Annotated[
        str,
        msgspec.Meta(
            description="name under which your own mail server writes Authentication-Results (RFC 8601), e.g."
            " mx.example.com; several with spaces; *.example.com for any below it; none where it writes no name"
            " (Microsoft 365). Empty: nobody tells genuine senders from forged ones"
        ),
    ] = ""
    ca_file: Annotated[str, msgspec.Meta(description="PEM file of a CA to trust instead of the system's")] = ""

    def __post_init__(self) -> None:
        if addresses.email(self.address) is None:
            raise ValueError("address is not a mail address")
        if not self.authserv_id.isascii() or any(not mark.isprintable() for mark in self.authserv_id):
            raise ValueError("authserv_id is not the name of a server")

    @property
    def own(self) -> str:
        """The account's address in normal form."""
        found = addresses.email(self.address)
        return found.value if found is not None else self.address
