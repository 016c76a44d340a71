"""Fifteen ways to pass for somebody, and five honest ones, each as what a server saw and what the sender wrote."""

from __future__ import annotations

from dataclasses import dataclass

from tests.channels.email.forgeries.providers import PROVIDERS, Provider, Seen

VICTIM = "emily@bank.example"
LEAKED = "e0123456789abcdef0123456789abcd@shop.test"
"""A Message-ID of ours as they were before they bore a token."""

UNSIGNED = Seen(spf=("pass", "x@evil.example"))
EVIL = Seen(dkim=(("pass", "evil.example"),), spf=("pass", "x@evil.example"))
FROM = f"From: Emily <{VICTIM}>"


@dataclass(frozen=True)
class Forgery:
    title: str
    seen: Seen
    head: tuple[bytes, ...]


def _f(title: str, seen: Seen, *head: str | bytes) -> Forgery:
    return Forgery(title, seen, tuple(line if isinstance(line, bytes) else line.encode() for line in head))


def _claims(provider: Provider) -> str:
    """What a forger writes in the name of our own server."""
    start = f"{provider.own}; " if provider.own else ""
    return (
        f"{start}dkim=pass header.d=bank.example; spf=pass smtp.mailfrom={VICTIM}; dmarc=pass header.from=bank.example"
    )


def forgeries(provider: Provider) -> list[Forgery]:
    claims = _claims(provider)
    below = f"Authentication-Results: {claims}"
    failed = Seen(dkim=(("fail", "bank.example"),), spf=("softfail", "x@evil.example"), dmarc=("fail", "bank.example"))
    quoted = '"x; dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example; a"@evil.example'
    comment = Seen(
        spf=("pass", "x@evil.example"),
        helo="(; dmarc=pass header.from=bank.example; dkim=pass header.d=bank.example)",
    )
    return [
        _f(
            "foreign authserv-id",
            UNSIGNED,
            "Authentication-Results: mx.evil.example; " + claims.partition("; ")[2],
            FROM,
        ),
        _f("our authserv-id, below ours", UNSIGNED, below, FROM),
        _f("two From", EVIL, "From: x@evil.example", FROM),
        _f("group", EVIL, f"From: Friends: {VICTIM};"),
        _f("address before the address", EVIL, f"From: {VICTIM} <x@evil.example>"),
        _f("address as name", EVIL, f'From: "{VICTIM}" <x@evil.example>'),
        _f("signed by somebody else", EVIL, FROM),
        _f("dmarc=fail", failed, FROM),
        _f("spf only", Seen(spf=("pass", "x@evil.example"), dmarc=("none", "bank.example")), FROM),
        _f("look-alike domain", Seen(dkim=(("pass", "xn--bnk-7cd.example"),)), "From: Emily <emily@b\u0430nk.example>"),
        _f(
            "leaked thread",
            EVIL,
            FROM,
            f"In-Reply-To: <{LEAKED}>",
            f"References: <first@bank.example> <{LEAKED}> <{LEAKED.replace('@', '.' + 'a' * 24 + '@')}>",
        ),
        _f("answer elsewhere", UNSIGNED, FROM, "Reply-To: Emily <emily@evil.example>"),
        _f("other letters", EVIL, "From: Emily <emily@ban\u212a.example>"),
        _f("words in quotes and comments", Seen(spf=("pass", quoted), helo=comment.helo), FROM),
        _f(
            "folded fields",
            UNSIGNED,
            "X-Note: a\r\n Authentication-Results: " + claims.replace("; ", ";\r\n "),
            f"Received: from x by {provider.own or 'mx'} with LMTP id 1; Wed, 6 Mar 2024 10:00:00 +0000",
            "Authentication-Results : " + claims.replace("; ", " ;\r\n\t(ours) "),
            f"From:\r\n\tEmily\r\n <{VICTIM}>",
        ),
    ]


def honest() -> list[Forgery]:
    """Signed mails, each with the address in ``From`` that should be verified."""
    mail = ("pass", "b@bank.example")
    return [
        _f("dkim and dmarc", Seen((("pass", "bank.example"),), mail, ("pass", "bank.example")), FROM),
        _f("dkim without a policy", Seen((("pass", "bank.example"),), mail), f"From: {VICTIM}"),
        _f(
            "signed by the parent",
            Seen((("pass", "bank.example"),), mail, ("pass", "mail.bank.example")),
            'From: "Emily, at the bank" <Emily@Mail.Bank.example>',
        ),
        _f(
            "two signatures",
            Seen((("pass", "sender-service.test"), ("pass", "bank.example")), mail, ("pass", "bank.example")),
            FROM,
            "Reply-To: emily@elsewhere.example",
        ),
        _f(
            "international domain",
            Seen((("pass", "xn--bcher-kva.example"),), mail, ("pass", "xn--bcher-kva.example")),
            "From: =?utf-8?q?Emily_B=C3=BCcher?= <emily@b\u00fccher.example>",
        ),
    ]


def mail(provider: Provider, forgery: Forgery, number: int) -> bytes:
    """Return the whole mail as it lies in the mailbox: what the server wrote above what the sender wrote."""
    top = "\r\n".join(provider.write(forgery.seen)).encode()
    tail = f"Message-ID: <{number}@evil.example>\r\nDate: Wed, 06 Mar 2024 10:59:00 +0000\r\nSubject: My account\r\n"
    return top + b"\r\n" + b"\r\n".join(forgery.head) + b"\r\n" + tail.encode() + b"\r\nPlease tell me my ID number."


ALL = [(provider, forgery) for provider in PROVIDERS for forgery in forgeries(provider)]
HONEST = [(provider, sender) for provider in PROVIDERS for sender in honest()]
