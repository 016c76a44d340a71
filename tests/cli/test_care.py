"""Export, erase, redact and import on the command line, over a hub with paper channels."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agentconsole.channels.email import mime
from agentconsole.channels.email.mailbox import MESSAGE_LIMIT
from agentconsole.channels.email.options import EmailOptions, ImapServer, SmtpServer
from agentconsole.cli import exporting, mailfiles, peoplefiles
from agentconsole.cli.peoplefiles import Bad, Row
from agentconsole.desk import LARGEST_MESSAGE
from agentconsole.domain.model import Address
from agentconsole.ports import Damage, Inbound, Part
from agentconsole.secret import Secret
from agentconsole.store.memory import MemoryStore
from tests.cli.conftest import MAIL_TEXT, Office
from tests.fakes import paper
from tests.hub import conftest as hubs
from tests.waiting import until

BO = Address("email", "", "bo@example.com")


async def entries_of(office: Office, who: str = "emily@example.com") -> list[Any]:
    return list((await office.json("show", who, "--limit", "1000"))["timeline"])


# -- erase and redact ---------------------------------------------------------------------------------------


async def test_erase_asks_first_and_says_what_it_cannot_reach(office: Office):
    would = await office.json("customer", "erase", "emily@example.com", code=2)
    assert (would["customer"]["name"], would["erased"]) == ("Emily Rhodes", False)
    assert would["customer"]["addresses"] == ["emily@example.com"]
    assert would["entries"] >= 1
    plain = await office.run("customer", "erase", "emily@example.com")
    assert plain.code == 2
    assert "--yes" in plain.out
    customer = (await office.json("show", "emily@example.com"))["customer"]["id"]
    done = await office.json("customer", "erase", "emily@example.com", "--yes", "--key", "k1")
    assert (done["customer"], done["entries"]) == (customer, would["entries"])
    assert any("us@example.com" in sentence for sentence in done["left"])
    assert (await office.run("show", "emily@example.com")).code == 5
    assert (await office.json("customer", "erase", customer, "--yes", "--key", "k1"))["entries"] == done["entries"]
    assert (await office.run("customer", "erase", customer, "--yes")).code == 5
    assert (await office.run("customer", "erase", "emily@example.com", "--yes")).code == 5
    told = (await office.run("customer", "erase", "+442079460182", "--yes")).out
    assert "What this cannot reach:" in told


async def test_redact_leaves_a_line_that_says_who_when_and_why(office: Office):
    entry = next(e for e in await entries_of(office) if e["text"] == MAIL_TEXT)
    asked = await office.json("redact", entry["id"], code=2)
    assert (asked["text"], asked["redacted"]) == (MAIL_TEXT, False)
    await office.json("redact", entry["id"], "--why", "ID number by mistake", "--yes")
    found = await entries_of(office)
    emptied = next(e for e in found if e["id"] == entry["id"])
    assert (emptied["text"], emptied["subject"], emptied["type"]) == ("", None, "received")
    assert emptied["removed"]["why"] == "ID number by mistake"
    mark = next(e for e in found if e["type"] == "redacted")
    assert mark["entry"] == entry["id"]
    assert "removed on" in mark["text"]
    shown = (await office.run("show", "emily@example.com")).out
    assert "ID number by mistake]" in shown
    assert "4821" not in shown
    korean = (await office.run("show", "emily@example.com", environ={"LANG": "ko_KR.UTF-8"})).out
    assert "삭제함: ID number by mistake" in korean
    assert (await office.run("redact", "enone", "--yes")).code == 5


async def test_nobody_is_taken_back_whose_file_is_whole(office: Office):
    refused = await office.run("store", "accept", "emily@example.com")
    assert refused.code == 5
    assert "store check" in refused.err


async def test_who_is_damaged_is_shown_as_such_and_not_as_somebody_with_less(office: Office, monkeypatch):
    customer = (await office.json("show", "emily@example.com"))["customer"]["id"]
    assert (await office.json("show", "emily@example.com"))["damaged"] is None
    assert "damaged" not in (await office.run("customer", "erase", customer)).out

    async def damaged(_store: MemoryStore) -> list[Damage]:
        return [Damage(customer, "Emily Rhodes", "its checksum differs", -1, 3)]

    monkeypatch.setattr(MemoryStore, "damaged", damaged)
    assert (await office.json("show", customer))["damaged"] == "its checksum differs"
    assert "READ ONLY: the file is damaged (its checksum differs)" in (await office.run("show", customer)).out
    assert "The file is damaged" in (await office.run("customer", "erase", customer)).out
    assert (await office.json("customer", "erase", customer, code=2))["damaged"] is True


# -- export -------------------------------------------------------------------------------------------------


async def test_an_export_holds_everything_and_nothing_that_could_do_harm(office: Office, tmp_path: Path):
    evil = "../../../etc/cron.d/evil\x1b[31m"
    parts = (
        Part(evil, "text/plain", b"first"),
        Part("계약서.pdf", "application/pdf", b"second"),
        Part("계약서.pdf", "application/pdf", b"third"),
        Part("lost.bin", "application/octet-stream", b""),
    )
    text = "# not a heading\n안녕하세요 *반품* <script>x</script>\n" + "long " * 10_000
    office.hub.mail.put(paper.message("m2", hubs.EMAIL, text, office.hub.clock.now(), subject="[x](y)", parts=parts))

    async def there() -> bool:
        return len([e for e in await entries_of(office) if e["type"] == "received"]) == 2

    await until(there)
    target = tmp_path / "out"
    done = await office.json("customer", "export", "emily@example.com", str(target))
    assert (done["files"], done["missing"]) == (3 + 2, 1)
    assert sorted(p.name for p in target.iterdir()) == [
        "attachments",
        "customer.json",
        "entries.jsonl",
        "missing.txt",
        "raw",
        "transcript.md",
    ]
    found = [json.loads(line) for line in (target / "entries.jsonl").read_text().splitlines()]
    assert len(found) == done["entries"]
    (message,) = [e for e in found if e.get("subject") == "[x](y)"]
    assert message["text"] == text
    assert [a["name"] for a in message["attachments"]] == [p.name for p in parts]
    assert [(target / name).read_bytes() if name else None for name in message["files"]] == [
        b"first",
        b"second",
        b"third",
        None,
    ]
    assert all(p.resolve().is_relative_to(target.resolve()) for p in target.rglob("*"))
    assert not any("\x1b" in p.name or ".." in p.name for p in target.rglob("*"))
    assert msgspec.msgpack.decode((target / message["raw_file"]).read_bytes())["text"] == text
    assert "lost.bin" in (target / "missing.txt").read_text()
    about = json.loads((target / "customer.json").read_text())
    assert about["customer"]["name"] == "Emily Rhodes"
    assert about["customer"]["addresses"][0]["evidence"]
    script = (target / "transcript.md").read_text()
    assert "\\# not a heading" in script
    assert "안녕하세요" in script
    assert "<script" not in script.replace("\\<script", "")
    assert "\x1b" not in script
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(p.stat().st_mode) & 0o077 == 0 for p in target.rglob("*"))
    again = await office.run("customer", "export", "emily@example.com", str(target))
    assert (again.code, "not empty" in again.err) == (2, True)
    assert len((target / "entries.jsonl").read_text().splitlines()) == done["entries"]


async def test_an_export_is_never_the_part_that_an_unverified_sender_leaves_open(office: Office, tmp_path: Path):
    forged = paper.message("m2", hubs.EMAIL, "send me all you have", office.hub.clock.now())
    office.hub.mail.put(msgspec.structs.replace(forged, checked=True))

    async def closed() -> bool:
        return bool((await office.json("show", "emily@example.com"))["closed"])

    await until(closed)
    target = tmp_path / "x"
    found = await office.run("customer", "export", "emily@example.com", str(target))
    assert (found.code != 0, "Nothing was exported" in found.err, target.exists()) == (True, True, False)
    await office.json("show", "emily@example.com", "--open")
    assert (await office.json("customer", "export", "emily@example.com", str(target)))["entries"] >= 2


async def test_an_export_that_cannot_be_written_says_so_and_what_to_do(office: Office, tmp_path: Path, monkeypatch):
    def full(_folder: exporting.Folder, _number: int, _kept: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(exporting.Folder, "keep_page", full)
    found = await office.run("customer", "export", "emily@example.com", str(tmp_path / "x"))
    assert (found.code, "No space left on device. The export there is not whole." in found.err) == (1, True)
    assert (tmp_path / "x" / exporting.UNFINISHED).exists()


async def test_a_long_history_is_exported_in_order_page_by_page(office: Office, tmp_path: Path):
    clock = office.hub.clock
    batches = [
        [
            msgspec.msgpack.encode(paper.message(f"p{n}", BO, f"number {n}", paper.START.replace(year=2020)))
            for n in range(start, start + 50)
        ]
        for start in range(0, 450, 50)
    ]
    for number, batch in enumerate(batches):
        await office.hub.desk.deposit(office.hub.who, f"d{number}", office_account(), batch)
    clock.move(minutes=1)
    done = await office.json("customer", "export", "bo@example.com", str(tmp_path / "bo"))
    assert done["entries"] == 450
    lines = (tmp_path / "bo" / "entries.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == [f"number {n}" for n in range(450)]
    assert (tmp_path / "bo" / "transcript.md").read_text().count("## 2020-03-04") == 1


def office_account() -> Any:
    return "mail"


# -- mail from elsewhere ------------------------------------------------------------------------------------


def mbox(*messages: bytes) -> bytes:
    return b"".join(
        b"From bo@example.com Mon Jan  2 10:00:00 2023\n" + message.replace(b"\nFrom ", b"\n>From ") + b"\n\n"
        for message in messages
    )


OPTIONS = EmailOptions(
    address="us@example.com",
    imap=ImapServer(host="localhost", user="x", password=Secret("env", "X")),
    smtp=SmtpServer(host="localhost", user="x", password=Secret("env", "X")),
)


def letter(number: int, body: str = "hello") -> bytes:
    return f"From: bo@example.com\nMessage-ID: <{number}@x>\nSubject: n\n\n{body} {number}".encode()


def test_an_mbox_is_cut_where_messages_begin_and_quoting_is_undone(tmp_path: Path):
    body = "text\n\nFrom here on\n>From there\n\nFrom nobody in particular"
    written = body.replace("\n>From ", "\n>>From ").replace("\nFrom here", "\n>From here")
    path = tmp_path / "box"
    path.write_bytes(
        b"From a@x Mon Jan  2 10:00:00 2023\n" + letter(1, written) + b"\n\nFrom - Tue Jan 03 10:00:00 2023\r\n"
        b"Subject: crlf\r\n\r\nx\r\n\r\n"
    )
    assert mailfiles.kind_of(path) == "mbox"
    found = list(mailfiles.read(path, []))
    assert [mail.data for mail in found] == [letter(1, body) + b"\n", b"Subject: crlf\r\n\r\nx\r\n"]
    assert mailfiles.count(path) == 2


def test_a_huge_message_gives_its_header_only_and_is_never_held_whole(tmp_path: Path):
    path = tmp_path / "box"
    line = b"x" * 9_999 + b"\n"
    with path.open("wb") as file:
        file.write(b"From a@x Mon Jan  2 10:00:00 2023\nSubject: big\n\n")
        for _ in range(LARGEST_MESSAGE // len(line) + 100):
            file.write(line)
        file.write(b"\nFrom a@x Mon Jan  2 10:00:00 2023\n" + letter(2) + b"\n")
    big, small = mailfiles.read(path, [])
    assert (big.data, big.size > LARGEST_MESSAGE) == (b"Subject: big\n\n", True)
    assert small.data == letter(2) + b"\n"


def test_a_huge_message_is_the_same_entry_as_the_header_that_live_mail_keeps_of_it(tmp_path: Path):
    assert LARGEST_MESSAGE == MESSAGE_LIMIT
    for end in (b"\n", b"\r\n"):
        head = end.join(
            [b"From: bo@example.com", b"Message-ID: <1@x>", b"Date: Tue, 24 Nov 2020 09:00:00 +0000", b"", b""]
        )
        path = tmp_path / f"{len(end)}.eml"
        path.write_bytes(head + b"x" * LARGEST_MESSAGE)
        (mail,) = mailfiles.read(path, [])
        assert mail.data == head
        item = mime.archived(OPTIONS, mail.data, mail.size, paper.START)
        assert item.identity == mime.identity(head)
        (found,) = mime.parse(item)
        assert isinstance(found, Inbound)
        assert str(mail.size) in found.text


def test_maildirs_and_folders_are_read_by_name(tmp_path: Path):
    box = tmp_path / "Maildir"
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (box / folder).mkdir(parents=True)
        (box / folder / f"{folder.replace('/', '-')}:2,S").write_bytes(letter(len(folder)))
    assert [Path(mail.where).parent.name for mail in mailfiles.read(box, [])] == ["cur", "new", "cur", "new"]
    folder = tmp_path / "letters"
    (folder / "2020").mkdir(parents=True)
    (folder / "2020" / "a.eml").write_bytes(letter(1))
    (folder / "b.EML").write_bytes(letter(2))
    (folder / "readme.txt").write_text("no mail")
    assert mailfiles.count(folder) == 2


async def test_an_import_tells_its_progress_and_takes_each_message_once(office: Office, tmp_path: Path):
    messages = [msgspec.msgpack.encode(paper.message(f"p{n}", BO, f"old {n}")) for n in range(120)]
    folder = tmp_path / "old"
    folder.mkdir()
    for number, message in enumerate([*messages, b"\xc1 nothing"]):
        (folder / f"{number:04d}.eml").write_bytes(message)
    (folder / "large.eml").write_bytes(msgspec.msgpack.encode(paper.message("large", BO, "x" * 900_000)))
    assert (await office.run("import", str(folder), "--account", "none")).code == 5
    done = await office.json("import", str(folder))
    assert done == {
        "account": "mail",
        "messages": 122,
        "new": 121,
        "known": 0,
        "unreadable": 1,
        "waiting": 0,
        "unread": [],
    }
    again = await office.run("import", str(folder), "--account", "mail")
    assert "Imported 122 of 122: 0 new, 122 known, 0 unreadable." in again.out
    assert "50 of 122" in again.err
    assert len(await entries_of(office, "bo@example.com")) == 121
    assert (await office.json("inbox"))["total"] == 2
    assert (await office.run("show", "unreadable:mail")).code == 0, "what nobody could understand is found there"
    assert (await office.run("import", str(tmp_path / "nowhere"))).code == 2
    (tmp_path / "x.bin").write_bytes(b"\0\1\2")
    assert (await office.run("import", str(tmp_path / "x.bin"))).code == 2


async def test_a_file_that_cannot_be_read_is_named_and_spoils_nothing(office: Office, tmp_path: Path):
    """Pipes would be waited for, and links may lead nowhere."""
    box = tmp_path / "Maildir"
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True)
    os.mkfifo(box / "cur" / "1")
    (box / "cur" / "2").symlink_to(tmp_path / "nowhere")
    (box / "cur" / "3").write_bytes(msgspec.msgpack.encode(paper.message("p1", BO, "old")))
    done = await office.json("import", str(box), code=1)
    assert (done["messages"], done["new"], done["waiting"]) == (3, 1, 0)
    assert [Path(one["file"]).name for one in done["unread"]] == ["1", "2"]
    plain = await office.run("import", str(box))
    assert "No such file or directory" in plain.err
    assert "Files that cannot be read and were left out: 2." in plain.out
    assert (await office.run("import", str(box / "cur" / "1"))).code == 2
    (tmp_path / "empty").mkdir()
    nothing = await office.run("import", str(tmp_path / "empty"))
    assert (nothing.code, "holds no mail" in nothing.err) == (2, True)


async def test_an_import_that_is_broken_off_says_what_stays(office: Office, tmp_path: Path, monkeypatch):
    (tmp_path / "1.eml").write_bytes(msgspec.msgpack.encode(paper.message("p1", BO, "old")))

    def interrupted(_path: Path) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(mailfiles, "count", interrupted)
    told = await office.run("import", str(tmp_path))
    assert (told.code, "the same command goes on from there" in told.err) == (130, True)


# -- customers from elsewhere -------------------------------------------------------------------------------

CSV = """name;email;phone;preferred;opt_out
Bo Park;bo@example.com;+82 10 1234 5678;sms;
김민수;minsu@example.com;010-2345-6789;;전체
"Ann ""X"" Lee";ann@example.com, ann2@example.com;;whatsapp;sms
Nobody;not an address;;;
Torn;torn@example.com;;;maybe?
;;;;
Emily;emily@example.com;+44 20 7946 0199;;
Both;emily@example.com bo@example.com;;;
Strange;s@example.com;;pigeon;
"""


async def test_a_list_of_customers_comes_in_row_by_row_and_bad_rows_spoil_nothing(office: Office, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"\xef\xbb\xbf" + CSV.encode())
    done = await office.json("import", str(path), code=1)
    assert (done["rows"], done["new"], done["known"]) == (8, 2, 1)
    assert [one["line"] for one in done["bad"]] == [3, 5, 6, 9, 10]
    bo = (await office.json("show", "bo@example.com"))["customer"]
    assert (bo["name"], bo["preference"]) == ("Bo Park", "sms")
    ann = (await office.json("show", "ann2@example.com"))["customer"]
    assert ann["consents"][0]["medium"] == "sms"
    assert not ann["consents"][0]["allowed"]
    emily = (await office.json("show", "+442079460199"))["customer"]
    assert emily["name"] == "Emily Rhodes"
    plain = await office.run("import", str(path))
    assert (plain.code, "Line 5:" in plain.err) == (1, True)
    assert (await office.json("show", "bo@example.com"))["customer"]["id"] == bo["id"]
    assert len(await entries_of(office, "bo@example.com")) == 5, "named, two addresses and what joins them, one wish"
    await office.json("customer", "erase", "bo@example.com", "--yes")
    again = await office.json("import", str(path), code=1)
    assert (again["bad"][0]["line"], "erased" in again["bad"][0]["why"]) == (2, True)
    assert (await office.run("show", bo["id"])).code == 5


def test_a_row_is_read_in_several_spellings_and_encodings():
    korean = "이름,이메일,전화번호,수신거부\n김민수,minsu@example.com,010-1234-5678,예\n"
    for data in (korean.encode("cp949"), korean.encode("utf-16"), korean.encode("utf-8-sig")):
        assert peoplefiles.read_csv(peoplefiles.decode(data)) == [
            Row(2, "김민수", ("minsu@example.com", "010-1234-5678"), "", ("",))
        ]
    with pytest.raises(ValueError, match="names no column"):
        peoplefiles.read_csv("a,b\n1,2\n")
    torn = peoplefiles.read_csv('name,email\n"Bo,bo@example.com\nAnn,ann@example.com\n')
    assert all(isinstance(row, Bad) for row in torn)
    assert peoplefiles.read_csv("name,email\nBo,bo@x.com,extra\n") == [Bad(2, "3 cells under 2 columns")]


VCARD = """BEGIN:VCARD
VERSION:4.0
FN:Bo Park\\, Dr.
EMAIL;TYPE=work:bo@exam
 ple.com
item1.TEL;VALUE=uri:tel:+82-10-1234-5678
NOTE:a card with
  a folded note
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=EA=B9=80;=EB=AF=BC=
=EC=88=98;;;
EMAIL:minsu@example.com
END:VCARD
BEGIN:VCARD
FN:Nobody
END:VCARD
stray: line
BEGIN:VCARD
FN:Open
BEGIN:VCARD
FN:Ann
TEL:+442079460177
END:VCARD
"""


def test_cards_are_read_in_all_versions_and_a_broken_one_spoils_no_other():
    assert peoplefiles.read_vcard(VCARD) == [
        Row(1, "Bo Park, Dr.", ("bo@example.com", "+82-10-1234-5678")),
        Row(10, "민수 김", ("minsu@example.com",)),
        Row(16, "Nobody", ()),
        Bad(19, "outside of a card"),
        Bad(20, "a card that does not end"),
        Row(22, "Ann", ("+442079460177",)),
    ]


async def test_cards_are_imported(office: Office, tmp_path: Path):
    path = tmp_path / "people.vcf"
    path.write_text(VCARD)
    done = await office.json("import", str(path), code=1)
    assert (done["new"], len(done["bad"])) == (4, 2)
    assert (await office.json("show", "+442079460177"))["customer"]["name"] == "Ann"
