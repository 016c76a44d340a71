"""E-mail: IMAP in, SMTP out. Tested against real Dovecot and Postfix."""

from __future__ import annotations

from agentconsole.channels.email.channel import EmailChannel
from agentconsole.channels.email.mime import archived, parse
from agentconsole.channels.email.options import EmailOptions
from agentconsole.domain.model import Medium
from agentconsole.ports import Capabilities, ChannelKind

__all__ = ["KIND", "EmailOptions", "parse"]

KIND: ChannelKind[EmailOptions] = ChannelKind(
    name="email",
    title="E-mail",
    medium=Medium("email"),
    options=EmailOptions,
    capabilities=Capabilities(
        address_kind="email",
        text_limit=1_000_000,
        subject=True,
        attachments=True,
        # Mail servers take 25 MB of a whole mail by custom, and base64 with its line ends makes three bytes 4.1.
        file_bytes=18_000_000,
    ),
    open=EmailChannel,
    parse=parse,
    own_address=lambda options: options.own,
    archived=archived,
    checks_senders=lambda options: bool(options.authserv_id.strip()),
    verified_by="real server",
)
