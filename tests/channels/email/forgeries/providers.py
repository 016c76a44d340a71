"""Twenty ways in which mail systems write down what they found out about a sender, from RFC 8601 and their manners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """What a server found: each DKIM signature (result, domain), SPF (result, envelope sender), DMARC (result, From's
    domain); an empty result leaves the method out."""

    dkim: tuple[tuple[str, str], ...] = ()
    spf: tuple[str, str] = ("none", "bounce@elsewhere.test")
    dmarc: tuple[str, str] = ("none", "")
    helo: str = "mail.sender.test"


@dataclass(frozen=True)
class Provider:
    """``names`` is what an operator writes into ``authserv_id``, ``own`` a name under which its fields stand."""

    title: str
    names: str
    own: str
    write: Callable[[Seen], list[str]]


def _field(name: str, *parts: str, fold: str = "\r\n\t", end: str = "") -> str:
    return "Authentication-Results: " + f";{fold}".join([*([name] if name else []), *parts]) + end


def _received(host: str, seen: Seen, by: str = "with ESMTPS id 4abc") -> str:
    return (
        f"Received: from {seen.helo} ({seen.helo} [192.0.2.7])\r\n\tby {host} {by}\r\n\tfor <support@shop.test>;"
        " Wed, 06 Mar 2024 10:59:58 +0000"
    )


def _gmail(seen: Seen) -> list[str]:
    parts = [
        *(f"dkim={r} header.i=@{d} header.s=s1 header.b=AbC1d2Ef" for r, d in seen.dkim),
        f"spf={seen.spf[0]} (google.com: domain of {seen.spf[1]} designates 192.0.2.7 as permitted sender)"
        f" smtp.mailfrom={seen.spf[1]}",
        *(
            [f"dmarc={seen.dmarc[0]} (p=REJECT sp=REJECT dis=NONE) header.from={seen.dmarc[1]}"]
            if seen.dmarc[1]
            else ()
        ),
    ]
    return [
        "Delivered-To: support@shop.test",
        "Received: by 2002:a05:6a10:1 with SMTP id x1csp1; Wed, 06 Mar 2024 11:00:00 +0000 (GMT)",
        "ARC-" + _field("i=1; mx.google.com", *parts, fold="\r\n       "),
        "Return-Path: <bounce@sender.test>",
        _received("mx.google.com", seen),
        _field("mx.google.com", *parts, fold="\r\n       "),
    ]


def _outlook(seen: Seen) -> list[str]:
    result, domain = seen.dkim[0] if seen.dkim else ("none", "none")
    said = {"pass": "signature was verified", "none": "message not signed"}.get(result, "signature did not verify")
    dmarc = f"dmarc={seen.dmarc[0]} action=none\r\n header.from={seen.dmarc[1] or 'sender.test'}"
    more = "".join(f"; dkim={r} (signature was verified)\r\n header.d={d}" for r, d in seen.dkim[1:])
    return [
        "Received: from AM0.eurprd.prod.outlook.test (::1) by DB9.prod.outlook.test with HTTPS;"
        " Wed, 6 Mar 2024 11:00:01 +0000",
        f"Authentication-Results: spf={seen.spf[0]} (sender IP is 192.0.2.7)\r\n smtp.mailfrom={seen.spf[1]};"
        f" dkim={result} ({said})\r\n header.d={domain}{more};{dmarc};compauth=pass reason=100",
        "Received-SPF: Pass (protection.outlook.test: domain designates 192.0.2.7)",
        _received("AM7EUR.mail.protection.outlook.test", seen, "(10.1.1.1) with Microsoft SMTP Server id 15.20"),
    ]


def _plain(
    name: str, *, identity: bool = False, mailfrom: str = "{}", fold: str = " ", below: bool = True, dmarc: bool = True
) -> Callable[[Seen], list[str]]:
    """A server that writes one field, under its Received or above it."""

    def write(seen: Seen) -> list[str]:
        parts = [
            f"spf={seen.spf[0]} smtp.mailfrom={mailfrom.format(seen.spf[1])}",
            *(f"dkim={r} header.{'i=@' if identity else 'd='}{d}" for r, d in seen.dkim),
            *([f"dmarc={seen.dmarc[0]} (p=none) header.from={seen.dmarc[1]}"] if dmarc and seen.dmarc[1] else ()),
        ]
        lines = [_received(name, seen), _field(name, *parts, fold=fold)]
        return lines if below else lines[::-1]

    return write


def _yahoo(seen: Seen) -> list[str]:
    name = "atlas-production.v2-mail-prod1-gq1.omega.yahoo.test"
    parts = [
        *(f"dkim={r} header.i=@{d} header.s=s1" for r, d in seen.dkim),
        f"spf={seen.spf[0]} smtp.mailfrom={seen.spf[1]}",
        *([f"dmarc={seen.dmarc[0]}(p=REJECT,sp=REJECT) header.from={seen.dmarc[1]}"] if seen.dmarc[1] else ()),
    ]
    return ["X-Apparently-To: support@shop.test", _field(name, *parts, fold="\r\n ", end=";"), _received(name, seen)]


def _proton(seen: Seen) -> list[str]:
    name = "mail.protonmail.test"
    return [
        "Return-Path: <bounce@sender.test>",
        "X-Original-To: support@shop.test",
        "Delivered-To: support@shop.test",
        *(
            [_field(name, f"dmarc={seen.dmarc[0]} (p=none dis=none) header.from={seen.dmarc[1]}", fold=" ")]
            if seen.dmarc[1]
            else ()
        ),
        _field(name, f"spf={seen.spf[0]} smtp.mailfrom={seen.spf[1]}", fold=" "),
        _field(name, "arc=none smtp.remote-ip=192.0.2.7", fold=" "),
        *(
            _field(name, f'dkim={r} (2048-bit key) header.d={d} header.i=@{d}\r\n header.b="AbC+1/2="', fold=" ")
            for r, d in seen.dkim
        ),
        _received("mailin1.protonmail.test", seen),
    ]


def _fastmail(seen: Seen) -> list[str]:
    parts = [
        "arc=none (no signatures found)",
        "bimi=skipped (DMARC Policy is not at enforcement)",
        *(
            f"dkim={r} (2048-bit rsa key sha256) header.d={d} header.i=@{d}\r\n      header.b=AbC1d2Ef"
            " header.a=rsa-sha256 header.s=s1"
            for r, d in seen.dkim
        ),
        *(
            [
                f"dmarc={seen.dmarc[0]} policy.published-domain-policy=reject\r\n      policy.applied-disposition=none"
                f" (p=reject,d=none,d.eval=none)\r\n      policy.policy-from=p header.from={seen.dmarc[1]}"
            ]
            if seen.dmarc[1]
            else ()
        ),
        f"iprev=pass smtp.remote-ip=192.0.2.7 ({seen.helo})",
        f"spf={seen.spf[0]} smtp.mailfrom={seen.spf[1]}\r\n      smtp.helo={seen.helo}",
    ]
    return [
        "Received: from compute5.internal (compute5.internal [10.202.2.45])\r\n\t by store1 (Cyrus 3.11) with LMTPA;"
        "\r\n\t Wed, 06 Mar 2024 06:00:00 -0500",
        "Received: from mx5 ([10.202.2.204])\r\n  by compute5.internal (LMTPProxy); Wed, 06 Mar 2024 06:00:00 -0500",
        "X-ME-Authentication-Results: mx5.messagingengine.test; dmarc=pass header.from=anything.test",
        _field("mx5.messagingengine.test", *parts, fold="\r\n    "),
        _received("mx5.messagingengine.test", seen),
    ]


def _icloud(seen: Seen) -> list[str]:
    return [
        _received("mx02.icloud.test", seen, "(Postfix) with ESMTPS id 4abc"),
        _field("bimi.icloud.test", 'bimi=skipped reason="insufficient dmarc"', fold=" "),
        _field("arc.icloud.test", "arc=none", fold=" "),
        _field("dmarc.icloud.test", f"dmarc={seen.dmarc[0]} header.from={seen.dmarc[1] or 'sender.test'}"),
        "X-DMARC-Info: pass=pass; dmarc-policy=reject; s=u0; d=r0",
        _field(
            "dkim-verifier.icloud.test", *(f"dkim={r} (2048-bit key) header.d={d} header.i=@{d}" for r, d in seen.dkim)
        )
        if seen.dkim
        else _field("dkim-verifier.icloud.test", "dkim=none"),
        _field("spf.icloud.test", f"spf={seen.spf[0]} (spf.icloud.test: domain) smtp.mailfrom={seen.spf[1]}", fold=" "),
    ]


def _mailru(seen: Seen) -> list[str]:
    parts = [
        f"spf={seen.spf[0]} (mx.mail.test: domain of {seen.spf[1]} designates 192.0.2.7 as permitted sender)"
        f" smtp.mailfrom={seen.spf[1]} smtp.helo={seen.helo}",
        *(f"dkim={r} header.d={d}" for r, d in seen.dkim),
        *([f"dmarc={seen.dmarc[0]} header.from=emily@{seen.dmarc[1]}"] if seen.dmarc[1] else ()),
    ]
    return [_received("mx.mail.test", seen), _field("mxs.mail.test", *parts, fold="\r\n\t ")]


def _ses(seen: Seen) -> list[str]:
    parts = [
        f"spf={seen.spf[0]} (spfCheck: domain of {seen.spf[1]} designates 192.0.2.7 as permitted sender)"
        f" client-ip=192.0.2.7; envelope-from={seen.spf[1]}; helo={seen.helo}",
        *(f"dkim={r} header.i=@{d}" for r, d in seen.dkim),
        *([f"dmarc={seen.dmarc[0]} header.from={seen.dmarc[1]}"] if seen.dmarc[1] else ()),
    ]
    return [_received("inbound-smtp.ses.test", seen), _field("amazonses.test", *parts, fold="\r\n ", end=";")]


def _milters(seen: Seen) -> list[str]:
    """Postfix with opendkim, opendmarc and policyd-spf before Dovecot: a field each, above the Received of Postfix."""
    name = "mx.shop.test"
    return [
        "Return-Path: <bounce@sender.test>",
        f"Received: from {name}\r\n\tby {name} with LMTP\r\n\tid 4Zabc (envelope-from <b@sender.test>)\r\n\tfor"
        " <support@shop.test>; Wed, 06 Mar 2024 11:00:00 +0000",
        *(
            [_field(name, f"dmarc={seen.dmarc[0]} (p=none dis=none) header.from={seen.dmarc[1]}", fold=" ")]
            if seen.dmarc[1]
            else ()
        ),
        f'Authentication-Results: {name}; spf={seen.spf[0]} (sender SPF authorized) smtp.mailfrom="{seen.spf[1]}"',
        *(
            [_field(name, *(f"dkim={r} (2048-bit key; unprotected) header.d={d} header.i=@{d}" for r, d in seen.dkim))]
            if seen.dkim
            else ()
        ),
        _received(name, seen, "(Postfix) with ESMTPS id 4Zabc"),
    ]


def _rspamd(seen: Seen) -> list[str]:
    name = "mx.shop.test"
    parts = [
        *(f"dkim={r} header.d={d} header.s=s1 header.b=AbC1d2Ef" for r, d in seen.dkim),
        *([f"dmarc={seen.dmarc[0]} (policy=reject) header.from={seen.dmarc[1]}"] if seen.dmarc[1] else ()),
        f"spf={seen.spf[0]} ({name}: domain of {seen.spf[1]} designates 192.0.2.7 as permitted sender)"
        f" smtp.mailfrom={seen.spf[1]}",
    ]
    return ["Envelope-To: support@shop.test", _field(name, *parts), _received(name, seen, "with esmtps (Exim 4.97)")]


def _version(seen: Seen) -> list[str]:
    """authentication_milter before dovecot-lmtp: the name with a version, quoted, and methods with versions."""
    parts = [
        *(f'dkim/1={r} reason="good; really" header.d={d}' for r, d in seen.dkim),
        *([f"DMARC={seen.dmarc[0].upper()} header.from={seen.dmarc[1]}"] if seen.dmarc[1] else ()),
        f"spf = {seen.spf[0]} smtp.mailfrom = {seen.spf[1]}",
    ]
    return [
        "Received: from mail.shop.test ([127.0.0.1])\r\n\tby mail.shop.test (Dovecot) with LMTP\r\n\tid xyz; Wed, 6 Mar"
        " 2024 11:00:00 +0000",
        _field('"MX.Shop.Test" 1 (a (nested) comment)', *parts),
        _received("mx.shop.test", seen),
    ]


def _one(title: str, name: str, write: Callable[[Seen], list[str]]) -> Provider:
    return Provider(title, name, name, write)


PROVIDERS = (
    _one("gmail", "mx.google.com", _gmail),
    Provider("outlook", "none", "", _outlook),
    _one("naver", "mx.naver.test", _plain("mx.naver.test", identity=True)),
    _one("daum", "mx.hanmail.test", _plain("mx.hanmail.test", fold="\r\n  ")),
    Provider("yahoo", "*.yahoo.test", "atlas-production.v2-mail-prod1-gq1.omega.yahoo.test", _yahoo),
    _one("proton", "mail.protonmail.test", _proton),
    _one("fastmail", "mx5.messagingengine.test", _fastmail),
    Provider("icloud", "dmarc.icloud.test dkim-verifier.icloud.test", "dmarc.icloud.test", _icloud),
    _one("zoho", "mx.zohomail.test", _plain("mx.zohomail.test", fold="\r\n\t")),
    _one("gmx", "gmx.test", _plain("gmx.test", identity=True, dmarc=False)),
    _one("web.de", "web.test", _plain("web.test", identity=True, dmarc=False, below=False)),
    _one("mail.ru", "mxs.mail.test", _mailru),
    _one("qq", "mx.qq.test", _plain("mx.qq.test", mailfrom="<{}>")),
    _one("163", "mx163", _plain("mx163", identity=True, fold="\r\n ")),
    _one("amazonses", "amazonses.test", _ses),
    _one("sendgrid", "mx.sendgrid.test", _plain("mx.sendgrid.test", below=False)),
    _one("mailgun", "mxa.mailgun.test", _plain("mxa.mailgun.test", fold="\r\n\t\t")),
    _one("postfix+opendkim", "mx.shop.test", _milters),
    _one("exim+rspamd", "mx.shop.test", _rspamd),
    _one("dovecot-lmtp", "mx.shop.test", _version),
)
