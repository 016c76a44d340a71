"""Reading mail: what it says, who wrote it, and that nothing hostile gets further."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentconsole.channels.email.charsets import decode, decode_header
from agentconsole.channels.email.headers import safe_name
from agentconsole.channels.email.mime import identity, parse
from agentconsole.domain.model import Delivery, Trust
from agentconsole.ports import AddressEvent, Inbound, Opaque, OwnCopy, RawItem, StatusReport
from tests.effort import costs_at_most

NOW = datetime(2024, 3, 6, 12, 0, tzinfo=UTC)
TAKEN = "2024-03-06T11:00:00+00:00"


def item(payload: bytes, **meta: str) -> RawItem:
    return RawItem(identity(payload), payload, NOW, {"own_address": "support@example.test", **meta})


def mail(head: str | bytes = "", body: str | bytes = "hello") -> bytes:
    raw_head = head.encode() if isinstance(head, str) else head
    raw_body = body.encode() if isinstance(body, str) else body
    first = b"" if b"From:" in raw_head else b"From: Emily <emily@example.com>\n"
    return first + raw_head.strip(b"\n") + b"\n\n" + raw_body


def read(payload: bytes, **meta: str) -> Inbound:
    [found] = parse(item(payload, **meta))
    assert isinstance(found, Inbound)
    return found


# -- text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("euc-kr", "cp949"),
        ("ks_c_5601-1987", "cp949"),
        ("KS_C_5601-1989", "cp949"),
        ("windows-949", "cp949"),
        ("x-windows-949", "cp949"),
        ("MS949", "cp949"),
        ("johab", "johab"),
        ("utf-8", "utf-8"),
        ("UTF-16", "utf-16"),
        ("us-ascii", "cp949"),
        ("no-such-charset", "utf-8"),
        ("", "cp949"),
        ("utf-8", "cp949"),
    ],
)
def test_korean_under_any_label(label: str, codec: str) -> None:
    text = "똠방각하 펲시콜라 안녕하세요"
    assert decode(text.encode(codec), label) == text


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("gb2312", "gbk", "朱镕基 臺灣"),
        ("iso-2022-jp", "iso2022_jp", "日本語"),
        ("iso-2022-kr", "iso2022_kr", "한국어"),
        ("shift_jis", "cp932", "①髙島屋"),
        ("big5", "big5", "繁體中文"),
        ("iso-8859-1", "cp1252", "“naïve” – €5"),
        ("koi8-r", "koi8_r", "Привет"),
        ("iso-8859-8-i", "iso8859_8", "שלום"),
    ],
)
def test_other_charsets(label: str, codec: str, text: str) -> None:
    assert decode(text.encode(codec), label) == text


@pytest.mark.parametrize(
    ("label", "data"),
    [("unicode_escape", b"\\x1b[2J"), ("utf-7", b"+ABs-[2J"), ("idna", b"xn--a"), ("rot13", b"uryyb")],
)
def test_codecs_that_are_no_charsets_are_not_obeyed(label: str, data: bytes) -> None:
    assert decode(data, label) == data.decode()


def test_one_broken_byte_does_not_turn_a_text_into_another_language() -> None:
    data = "안녕하세요, 잘 지내세요?".encode() * 5
    assert decode(data[:40] + b"\xff" + data[40:], "utf-8").count("안녕하세요") >= 4


B_EUC = base64.b64encode("가나".encode("cp949")).decode()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (f"=?euc-kr?B?{B_EUC}?=", "가나"),
        ("=?utf-8*ko?Q?=EA=B0=80?=", "가"),
        ("=?UTF-8?Q?=EA=B0?= =?utf-8?Q?=80_b?=", "가 b"),
        (f"=?euc-kr?B?{B_EUC}?==?euc-kr?B?{B_EUC}?=", "가나가나"),
        ("Re: =?utf-8?Q?a_b?= c", "Re: a b c"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?B?6rCA?= =?euc-kr?B?sKE=?=", "가가"),
        ("=?utf-8?B?6rCA6rCB?", "=?utf-8?B?6rCA6rCB?"),
        ("=?utf-8?B?6rCA6rCBYQ?=", "가각a"),
        ("=?x-unknown?Q?abc?=", "abc"),
    ],
)
def test_encoded_words(raw: str, text: str) -> None:
    assert decode_header(raw.encode()) == text


@pytest.mark.parametrize("codec", ["cp949", "utf-8", "iso2022_jp"])
def test_raw_8_bit_subjects(codec: str) -> None:
    text = "日本語" if codec == "iso2022_jp" else "똠방각하"
    assert read(mail(b"Subject: " + text.encode(codec))).subject == text


def test_a_subject_is_one_clean_line() -> None:
    head = "Subject: =?utf-8?Q?a=0D=0ABcc:_x=E2=80=A8b=C2=85c=0Bd=1B[2J?="
    assert read(mail(head)).subject == "a Bcc: x b c d [2J"


# -- sender -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "address", "name", "trust"),
    [
        ("From: Emily <Emily@Example.COM>", "emily@example.com", "Emily", Trust.CLAIMED),
        ("From: emily@example.com (Emily)", "emily@example.com", "", Trust.CLAIMED),
        ('From: "Kim, Emily" <e@x.test>', "e@x.test", "Kim, Emily", Trust.CLAIMED),
        ("From: e@x.test <E@x.test>", "e@x.test", "", Trust.CLAIMED),
        ("From: =?utf-8?B?6rmA7JeQ66aE?= <e@x.test>", "e@x.test", "김에름", Trust.CLAIMED),
        ("From: =?utf-8?Q?ceo=40bank.test?= <x@evil.test>", "x@evil.test", "", Trust.AMBIGUOUS),
        ("From: =?utf-8?Q?=3Cceo=40bank.test=3E?= <x@evil.test>", "x@evil.test", "", Trust.AMBIGUOUS),
        ("From: alice@bank.test <x@evil.test>", "x@evil.test", "", Trust.AMBIGUOUS),
        ("From: Kim, Emily <e@x.test>", "e@x.test", "Emily", Trust.AMBIGUOUS),
        ("From: grp: a@b.test, c@d.test;", "a@b.test", "", Trust.AMBIGUOUS),
        ("From: a@b.test, c@d.test", "a@b.test", "", Trust.AMBIGUOUS),
        ("From: a@b.test\nFrom: c@d.test", "a@b.test", "", Trust.AMBIGUOUS),
        ("From: <a@b.test> <c@d.test>", "a@b.test", "", Trust.AMBIGUOUS),
        ("From: nobody\nSender: s@x.test", "s@x.test", "", Trust.AMBIGUOUS),
        ("From: 민수 <m@한국.test>", "m@xn--3e0b707e.test", "민수", Trust.CLAIMED),
        ("From: 민수@x.test", "민수@x.test", "", Trust.CLAIMED),
        ("From: =?utf-8?Q?Em=0D=0Aily?= <e@x.test>", "e@x.test", "Em ily", Trust.CLAIMED),
    ],
)
def test_who_wrote(head: str, address: str, name: str, trust: Trust) -> None:
    found = read(mail(head))
    assert (found.sender.value, found.sender_name, found.trust) == (address, name, trust)


def test_reply_to_is_a_participant_and_never_the_sender() -> None:
    found = read(mail("To: support@example.test, Bo <bo@x.test>\nCc: bo@x.test, c@x.test\nReply-To: r@evil.test"))
    assert found.sender.value == "emily@example.com"
    assert [(p.role, p.address.value, p.name) for p in found.participants] == [
        ("to", "bo@x.test", "Bo"),
        ("cc", "c@x.test", ""),
        ("reply-to", "r@evil.test", ""),
    ]


def test_own_mail_is_our_copy_and_a_doubtful_one_is_not() -> None:
    own = mail("From: Shop <Support@Example.test>\nMessage-ID: <k1@example.test>")
    assert parse(item(own)) == [OwnCopy(identity(own), "k1@example.test")]
    doubtful = mail("From: support@example.test, x@evil.test\nMessage-ID: <k1@example.test>")
    assert read(doubtful).trust is Trust.AMBIGUOUS


def test_mail_of_a_form_that_writes_from_our_own_address_says_who_asked() -> None:
    form = mail("From: support@example.test\nReply-To: support@example.test, Em <em@x.test>\nSubject: form")
    [copy] = parse(item(form))
    assert isinstance(copy, OwnCopy)
    assert copy.message is not None
    assert (copy.message.sender.value, copy.message.sender_name) == ("em@x.test", "Em")
    assert (copy.message.subject, copy.message.trust) == ("form", Trust.AMBIGUOUS)
    assert copy.message.identity == copy.identity
    [nobody] = parse(item(mail("From: support@example.test\nReply-To: Support@example.test")))
    assert isinstance(nobody, OwnCopy)
    assert (nobody.key, nobody.message) == ("", None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"just words", "no sender"),
        (b"From: \n\nx", "no sender"),
        (b"Subject: x\n" + b"X: y\n" * 300_000 + b"\nbody", "megabyte"),
    ],
)
def test_what_cannot_be_read_says_why(payload: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(item(payload))


@pytest.mark.parametrize(
    "payload",
    [
        b"From someone Tue Mar  5 15:15:00 2024\nFrom: emily@example.com\nSubject: x\n\nhello",
        b"\n\nFrom: emily@example.com\nSubject: x\n\nhello",
        b"From: emily@example.com\rSubject: x\r\rhello",
        b"From: emily@example.com\nthis is no field\nSubject: x\n\nhello",
        b"From: emily@example.com\nX-Nul: a\0b\nSubject: x\n\nhello",
        b"From: emily@example.com\n" + b"X-A: y\n" * 10_000 + b"Subject: x\n\nhello",
    ],
    ids=["mbox", "leading blanks", "CR only", "no colon", "NUL", "10,000 fields"],
)
def test_strange_header_blocks(payload: bytes) -> None:
    found = read(payload)
    assert (found.sender.value, found.subject, found.text) == ("emily@example.com", "x", "hello")


# -- dates, ids, threads ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "hour"),
    [
        ("Wed, 6 Mar 2024 18:00:00 +0900", 9),
        ("6 Mar 2024 09:00:00 GMT", 9),
        ("", 11),
        ("어제 오후", 11),
        ("Wed, 6 Mar 2024 09:00:00 +99999", 11),
        ("Wed, 6 Mar 2099 09:00:00 +0000", 11),
        ("Fri, 1 Jan 1904 09:00:00 +0000", 11),
        ("Wed, 99 Mar 2024 09:00:00 +0000", 11),
    ],
)
def test_dates_that_cannot_be_believed_give_way_to_the_servers(date: str, hour: int) -> None:
    found = read(mail(f"Date: {date}"), internaldate=TAKEN)
    assert found.sent_at == datetime(2024, 3, 6, hour, 0, tzinfo=UTC)
    if hour == 11:
        assert read(mail(f"Date: {date}")).sent_at is None


def test_thread_keys_newest_first() -> None:
    found = read(
        mail("Message-ID: <own@x>\nIn-Reply-To: Your letter <b@x> of Monday\nReferences: <a@x>\n <b@x> <c@x><own@x>")
    )
    assert found.message_ids == ("b@x", "c@x", "a@x")
    assert found.external_id == "own@x"


def test_endless_references_are_bounded() -> None:
    found = read(mail("References: " + " ".join(f"<{number}@x>" for number in range(20_000))))
    assert len(found.message_ids) == 100
    assert found.message_ids[0] == "19999@x"


def test_identity() -> None:
    one = mail("Message-ID: <a@x>\nDate: d")
    same = b"Received: by other\r\n" + one.replace(b"\n", b"\r\n") + b"\r\n"
    assert identity(one) == identity(same)
    assert identity(one).startswith("a@x:")
    assert identity(mail("Message-ID: <a@x>\nDate: d", "other")) != identity(one)
    assert identity(mail("Message-ID: <a@x>\nDate: e")) != identity(one)
    assert identity(one.replace(b"emily@", b"eve@")) != identity(one)
    without = mail("Date: d")
    assert identity(without) == identity(without.replace(b"\n", b"\r\n"))
    assert identity(without) != identity(mail("Date: e"))


# -- bodies -------------------------------------------------------------------------------------------------


def multipart(kind: str, *parts: str, more: str = "") -> bytes:
    body = "".join(f"--BB\n{part}\n" for part in parts)
    return mail(f'Content-Type: multipart/{kind}; boundary="BB"{more}', f"preamble\n{body}--BB--\nepilogue")


PLAIN = "Content-Type: text/plain; charset=utf-8\n\n평문"
HTML = "Content-Type: text/html; charset=utf-8\n\n<p>서식 <a href='https://a.test/x'>여기</a></p>"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (multipart("alternative", PLAIN, HTML), "평문"),
        (multipart("alternative", HTML, PLAIN), "평문"),
        (multipart("alternative", HTML), "서식 여기 <https://a.test/x>"),
        (multipart("alternative", "Content-Type: text/plain\n\n \n", HTML), "서식 여기 <https://a.test/x>"),
        (multipart("alternative", "\nPlease view this in an HTML mail client.", HTML), "서식 여기 <https://a.test/x>"),
        (
            multipart("mixed", PLAIN, "Content-Type: image/png\n\nx", "Content-Type: text/plain\n\nafter"),
            "평문\n\nafter",
        ),
        (multipart("mixed", PLAIN)[:-15], "평문"),
        (
            mail("Content-Type: multipart/mixed; boundary=XX", "--BB\nContent-Type: text/plain\n\nsniffed\n--BB--"),
            "sniffed",
        ),
        (mail("Content-Type: multipart/mixed", "no boundary"), "no boundary"),
        (mail("Content-Type: text", "half a type"), "half a type"),
        (mail("Content-Transfer-Encoding: base64", "7JWI64WV!!!7ZWY\nA"), "안녕하"),
        (mail("Content-Transfer-Encoding: quoted-printable", "=EC=95=88=\n=EB=85=95 =ZZ="), "안녕 =ZZ"),
        (mail("Content-Transfer-Encoding: 7-bit", "plain"), "plain"),
        (mail("Content-Type: text/plain; format=flowed", "a \nb\n-- \nsig"), "a b\n-- \nsig"),
        (mail("Content-Type: text/plain; format=flowed; delsp=yes", "가 \n나"), "가나"),
        (
            mail("Content-Type: text/html", '<meta charset="euc-kr"><p>똠방각하'.encode("cp949")),
            "똠방각하",
        ),
        (mail("Content-Type: text/html", "<div style='display:none'>trap</div>seen"), "seen"),
        (mail("Content-Type: text/plain; charset=utf-8", b"\xef\xbb\xbfbom"), "bom"),
    ],
)
def test_what_a_person_wrote(payload: bytes, text: str) -> None:
    assert read(payload).text == text


def test_files_inside_the_version_that_is_not_shown_are_kept() -> None:
    inner = (
        'Content-Type: multipart/related; boundary="CC"\n\n--CC\n'
        + HTML
        + "\n--CC\nContent-Type: image/png\n\nP\n--CC--"
    )
    found = read(multipart("alternative", PLAIN, inner))
    assert (found.text, [(part.name, part.data) for part in found.parts]) == ("평문", [("image1.png", b"P")])


def test_a_mail_inside_a_mail_is_a_file() -> None:
    inner = "Content-Type: message/rfc822\n\nFrom: x@y.test\nSubject: =?utf-8?Q?=EA=B0=80/b?=\n\ninner text"
    found = read(multipart("mixed", PLAIN, inner))
    assert found.text == "평문"
    assert [(part.name, part.type) for part in found.parts] == [("b.eml", "message/rfc822")]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename=a.pdf", "a.pdf"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\temp\\\\x.exe"', "x.exe"),
        ("filename*=UTF-8''%EA%B0%80.pdf", "가.pdf"),
        ("filename*0*=euc-kr''%B0%A1; filename*1=b; filename*2*=%2Epdf", "가b.pdf"),
        ('filename="=?euc-kr?B?sKE=?=.pdf"', "가.pdf"),
        ('filename="=?utf-8?Q?a=0D=0A=1B[2J=00b.pdf?="', "a[2Jb.pdf"),
        ('filename="invoice\u202efdp.exe"', "invoicefdp.exe"),
        ('filename=".bashrc"', "bashrc"),
        ('filename="-rf"', "rf"),
        ('filename="CON.txt. "', "_CON.txt"),
        ('filename="a.tar.gz"', "a.tar.gz"),
        ('filename=""', "application1.pdf"),
        ('filename="..."', "application1.pdf"),
    ],
)
def test_names_of_files(disposition: str, name: str) -> None:
    part = f"Content-Type: application/pdf\nContent-Disposition: attachment; {disposition}\n\nx"
    [found] = read(multipart("mixed", part)).parts
    assert found.name == name


def test_a_long_korean_name_keeps_its_ending_and_fits_a_file_system() -> None:
    name = safe_name("한" * 300 + ".pdf", "x")
    assert name.endswith(".pdf")
    assert len(name.encode()) <= 200


@given(st.text(max_size=60))
def test_any_name_becomes_safe(name: str) -> None:
    safe = safe_name(name, "file")
    assert safe
    assert safe not in (".", "..")
    assert not set(safe) & set('/\\:*?"<>|\0\n\r\x1b')
    assert safe.isprintable() or " " in safe or all(mark.isprintable() or ord(mark) > 0x7F for mark in safe)


def test_truncated_and_withheld_mail() -> None:
    assert "30000000 bytes" in read(mail("Subject: x", ""), truncated="30000000").text
    with pytest.raises(ValueError, match="SERVERBUG"):
        parse(item(b"x", unreadable="SERVERBUG"))


# -- machine mail -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "automatic"),
    [
        ("Auto-Submitted: auto-replied (vacation)", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("X-Autoreply: yes", True),
        ("X-Auto-Response-Suppress: All", True),
        ("Return-Path: <>", True),
        ("Return-Path: <emily@example.com>", False),
        ("From: MAILER-DAEMON@x.test", True),
        ("Subject: [자동응답] 부재중입니다", True),
        ("Subject: Automatic reply: Hi", True),
        ("Subject: 자동 회신: 안녕", True),
        ("Subject: about your automatic reply", False),
        ("Subject: Hi", False),
    ],
)
def test_machines_are_told_from_people(head: str, automatic: bool) -> None:
    assert read(mail(head)).automatic is automatic


def dsn(recipients: str, original: str = "Message-ID: <k1@example.test>", kind: str = "message/rfc822") -> bytes:
    return multipart(
        "report",
        "Content-Type: text/plain\n\nIt did not work.",
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n{recipients}",
        f"Content-Type: {kind}\n\nFrom: support@example.test\n{original}\n\nbody",
        more="; report-type=delivery-status",
    )


GONE = "Final-Recipient: rfc822; Gone@x.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown"
FULL = "Final-Recipient: rfc822; full@x.test\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 full"


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_bounce_names_the_reply_and_the_dead_address(kind: str) -> None:
    report, event = parse(item(dsn(GONE, kind=kind)))
    assert isinstance(report, StatusReport)
    assert (report.key, report.state, report.reason) == ("k1@example.test", Delivery.FAILED, "bounced")
    assert report.detail.startswith("5.1.1")
    assert isinstance(event, AddressEvent)
    assert (event.address.value, event.dead) == ("gone@x.test", "bounced")


def test_a_full_mailbox_fails_the_reply_and_keeps_the_address() -> None:
    [report] = parse(item(dsn(FULL)))
    assert isinstance(report, StatusReport)
    assert report.detail.startswith("5.2.2")


def test_a_bounce_of_two_recipients_is_one_report() -> None:
    found = parse(item(dsn(f"{FULL}\n\n{GONE}")))
    assert [type(one).__name__ for one in found] == ["StatusReport", "AddressEvent"]


@pytest.mark.parametrize("action", ["delayed\nStatus: 4.4.1", "delivered\nStatus: 2.0.0", "relayed\nStatus: 2.0.0"])
def test_reports_of_no_failure_change_nothing(action: str) -> None:
    [found] = parse(item(dsn(f"Final-Recipient: rfc822; a@x.test\nAction: {action}")))
    assert isinstance(found, Opaque)


def test_a_bounce_that_names_nothing_is_shown() -> None:
    found = read(dsn(GONE, original="Subject: x"))
    assert found.automatic
    assert "It did not work." in found.text


# -- bombs --------------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    body = b"deep"
    for level in range(depth):
        body = b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n%s\n--b%d--' % (level, level, body, level)
    return b"From: e@x.test\n" + body


BOMBS: dict[str, Any] = {
    "10,000 parts": lambda: multipart("mixed", *["Content-Type: text/plain\n\nx"] * 10_000),
    "300 deep": lambda: nested(300),
    "2,000 deep": lambda: nested(2_000),
    "10,000 parameters": lambda: mail("Content-Type: text/plain" + "".join(f"; a{i}=b" for i in range(10_000))),
    "open quotes": lambda: mail('Content-Type: text/plain; a="' + '\\"' * 8_000),
    "one boundary a line": lambda: mail("Content-Type: multipart/mixed; boundary=B", "--B\n" * 300_000),
    "nearly a boundary": lambda: mail("Content-Type: multipart/mixed; boundary=B", "--Bx\n" * 300_000),
    "encoded words": lambda: mail("Subject: " + "=?utf-8?q?" * 50_000),
    "comments": lambda: mail("From: " + "(" * 10_000 + " <a@b.test>"),
    "commas": lambda: mail("To: " + "a@b.test," * 50_000),
    "newlines": lambda: mail("", "\n" * 4_000_000),
    "one line": lambda: mail("", "x" * 8_000_000),
    "nested div": lambda: mail("Content-Type: text/html", "<div>" * 50_000),
    "rfc822 in rfc822": lambda: mail("Content-Type: message/rfc822", "Content-Type: message/rfc822\n\n" * 5_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_read_in_bounded_time(name: str) -> None:
    payload = item(BOMBS[name]())

    def read() -> list[Any]:
        try:
            return list(parse(payload))
        except ValueError:
            return []

    for one in costs_at_most(2.0, read):
        assert not isinstance(one, Inbound) or len(one.text) <= 500_000


def test_what_was_left_out_is_said() -> None:
    assert "left out" in read(BOMBS["10,000 parts"]()).text
    assert "left out" in read(nested(300)).text


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *[b"From: a@b.test\n", b"From: ", b"<", b"\n", b"\r", b"\n\n", b"--B", b"--B\n", b"--B--\n", b"; "],
                *[b"Content-Type: multipart/mixed", b"; boundary=B", b"=?utf-8?q?", b"?=", b"\xff\x00"],
                *[b"Content-Type: text/html\n", b"Content-Transfer-Encoding: base64\n", b"charset*0*=utf-7''"],
                b"Content-Type: multipart/report; report-type=delivery-status",
                b"Content-Type: message/delivery-status\n\nAction: failed\n",
            ]
        ),
        max_size=40,
    )
)
def test_parse_raises_nothing_but_value_error(parts: list[bytes]) -> None:
    payload = b"From: e@x.test\n" + b"".join(parts)
    try:
        found = parse(item(payload))
    except ValueError:
        return
    assert found
