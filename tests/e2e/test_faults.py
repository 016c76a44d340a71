"""What breaks in an ordinary week, on real parts: each fault has a sentence, and everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import (
    PROFILE,
    account,
    ask,
    letters,
    mailbox,
    need,
    rows,
    secrets,
    told,
    whatsapp_account,
    write,
)
from tests.folders import quick_folder
from tests.ports import free_port
from tests.servers import mail as mail_server
from tests.waiting import DEADLINE, until

EMILY = "442079460182"
MINSU = "821012345678"


@pytest.fixture(scope="module")
def mail_world() -> Iterator[mail_server.MailServers]:
    need(mail_server.missing())
    with mail_server.start_mail_servers() as servers:
        yield servers


@pytest.fixture
def mail(mail_world: mail_server.MailServers) -> mail_server.MailServers:
    for box in mail_server.BOXES:
        mail_world.empty(box)
    return mail_world


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acf-") as found:
        yield found


@pytest.fixture
async def whatsapp() -> AsyncIterator[FakeWhatsApp]:
    fake = FakeWhatsApp(retry_seconds=0.2)
    await fake.start()
    yield fake
    await fake.stop()


@contextlib.asynccontextmanager
async def office(
    folder: Path, accounts: str, environment: dict[str, str], whatsapp: FakeWhatsApp, profile: str = PROFILE
) -> AsyncIterator[Installation]:
    """Run a hub with a WhatsApp number and further accounts."""
    port = free_port()
    listener = f'http = {{ host = "127.0.0.1", port = {port} }}\n'
    text = profile + listener + whatsapp_account(whatsapp) + accounts
    async with installed(folder, text, environment) as here:
        assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
        yield here


async def says(whatsapp: FakeWhatsApp, phone: str, text: str, name: str = "Emily") -> None:
    whatsapp.customer_says(phone, text, name)
    async with asyncio.timeout(DEADLINE):
        await whatsapp.settled()


# -- accounts that cannot sign in ---------------------------------------------------------------------------


async def test_a_wrong_password_is_named_and_the_others_go_on(
    mail: mail_server.MailServers, whatsapp: FakeWhatsApp, folder: Path
) -> None:
    accounts = mailbox(mail, "mail", variable="WRONG") + mailbox(mail, "billing", box="minsu")
    environment = secrets(mail, whatsapp, WRONG="swordfish")
    await write(mail, "Emily <emily@example.test>", "minsu", "Invoice", "Where is it?", "invoice")
    async with office(folder, accounts, environment, whatsapp) as here:
        bad = await account(here, "mail", "signed_out")
        await says(whatsapp, EMILY, "hello?")
        assert {row["customer"]["name"] for row in await rows(here, 2)} == {"Emily"}

        assert mail.address("support") in bad["error"]
        assert "password" in f"{bad['error']} {bad['hint']}".lower()
        assert (bad["hint"], bad["retry_at"]) != ("", None)
        assert (await account(here, "billing", "ok"))["error"] is None
        assert (await account(here, "whatsapp", "ok"))["received"] == 1

        human = (await here.run("status")).out
        assert f"\n  {bad['error']} {bad['hint']}\n" in human, human
        assert "Account mail (email): signed out, next try " in human
        assert "Account billing (email): ok, last answer " in human
        assert "\nNot affected: whatsapp, billing\n" in human
        assert "swordfish" not in human + (folder / "serve.log").read_text()

        sent = await told(here, "send", f"+{EMILY}", "--text", "Here I am.", "--wait")
        assert (sent["reply"]["state"], [s.text for s in whatsapp.sent]) == ("sent", ["Here I am."])

        synced = await told(here, "sync", code=1)
        assert {one["account"]: one["error"] for one in synced["accounts"]} == {
            "mail": bad["error"],
            "billing": None,
            "whatsapp": None,
        }
        doctor = await here.run("doctor")
        assert (doctor.code, doctor.out.count("FAILED: ")) == (1, 1), doctor
        assert f"FAILED: account mail: {bad['error']}\n  {bad['hint']}" in doctor.out


async def test_an_untrusted_certificate_gets_a_sentence_and_no_password(
    mail: mail_server.MailServers, whatsapp: FakeWhatsApp, folder: Path
) -> None:
    accounts = (
        mailbox(mail, "stranger", box="minsu", ca_file=mail.other_ca_file)
        + mailbox(mail, "misnamed", box="emily", host="127.0.0.1")
        + mailbox(mail, "mail", smtp_host="127.0.0.1")
    )
    before = len(mail.log_text())
    async with office(folder, accounts, secrets(mail, whatsapp), whatsapp) as here:
        stranger = await account(here, "stranger", "unreachable")
        assert ("localhost" in stranger["error"], "ca_file" in stranger["hint"]) == (True, True)
        misnamed = await account(here, "misnamed", "unreachable")
        assert "127.0.0.1" in misnamed["error"]
        assert "nothing was sent" in misnamed["error"]
        await account(here, "mail", "ok")

        await write(mail, "Emily <emily@example.test>", "support", "Hello", "Are you there?", "hello")
        await rows(here, 1)
        waiting = await ask(here, "send", "emily@example.test", "--text", "Yes.", "--wait", "--timeout", "1.5")
        assert waiting.code == 4, waiting
        assert "127.0.0.1" in waiting.out
        assert "  What waits, and why: agentconsole outbox list\n" in (await ask(here, "status")).out
        (line,) = (await told(here, "outbox", "list"))["replies"]
        assert (line["state"], line["reason"]) == ("queued", "tls_name")

        await says(whatsapp, MINSU, "and here?", "Minsu")

        async def heard() -> bool:
            return "Minsu" in {row["customer"]["name"] for row in (await told(here, "inbox"))["conversations"]}

        await until(heard, 10, "WhatsApp, which goes on")
    log = mail.log_text()[before:]
    assert f"user=<{mail.address('support')}>" in log
    assert f"user=<{mail.address('minsu')}>" not in log
    assert f"user=<{mail.address('emily')}>" not in log
    assert "sasl_method" not in log


async def test_dead_servers_that_come_back_are_caught_up_with_and_the_reply_leaves_once(
    mail: mail_server.MailServers, whatsapp: FakeWhatsApp, folder: Path
) -> None:
    async with office(folder, mailbox(mail), secrets(mail, whatsapp), whatsapp) as here:
        await write(mail, "Emily <emily@example.test>", "support", "Hello", "Are you there?", "first")
        await rows(here, 1)
        await asyncio.to_thread(mail.stop_postfix)
        await asyncio.to_thread(mail.stop_dovecot, kill=True)
        try:
            dead = await account(here, "mail", "unreachable")
            waiting = await ask(here, "send", "emily@example.test", "--text", "Yes.", "--wait", "--timeout", "1")
        finally:
            await asyncio.to_thread(mail.start_dovecot)
            await asyncio.to_thread(mail.start_postfix)
        assert ("localhost" in dead["error"], bool(dead["hint"])) == (True, True)
        assert waiting.code == 4
        assert "localhost" in waiting.out
        await says(whatsapp, MINSU, "meanwhile", "Minsu")
        await write(mail, "Minsu <minsu@example.test>", "support", "Later", "I wrote while it was down.", "second")

        healed = await account(here, "mail", "ok", 30)
        assert (healed["error"], healed["retry_at"]) == (None, None)
        assert len(await rows(here, 2)) == 2

        async def arrived() -> list[bytes]:
            return await asyncio.to_thread(letters, mail, "emily")

        await until(arrived, 20, "the reply that waited")
        await told(here, "sync")
        assert len(await arrived()) == 1
        shown = await told(here, "show", "emily@example.test")
        assert [e["state"] for e in shown["timeline"] if e["type"] == "reply"] == ["sent"]
        assert (await told(here, "outbox", "list"))["replies"] == []


# -- the disk -----------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 24 MB for the store."""
    if os.geteuid() != 0:
        need("a disk that can be filled up needs root, to mount a tmpfs")
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        need("this machine allows no mount, so no small disk can be filled up")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return ballast


async def test_a_full_disk_loses_nothing_sends_nothing_and_needs_nobody_once_it_has_room(
    whatsapp: FakeWhatsApp, folder: Path, small_disk: Path
) -> None:
    profile = PROFILE.replace("STORE", str(small_disk / "store")) + "free_space_mb = 2\n"
    async with office(folder, "", secrets(fake=whatsapp), whatsapp, profile) as here:
        await says(whatsapp, EMILY, "before")
        await rows(here, 1)
        await told(here, "note", f"+{EMILY}", "--text", "An old note.")
        await whatsapp.cut()
        reply = (await told(here, "send", f"+{EMILY}", "--text", "The one that waits."))["reply"]["id"]

        async def tried() -> bool:
            (line,) = (await told(here, "outbox", "list"))["replies"]
            return line["reason"] == "unreachable"

        await until(tried, 10, "the first attempt")
        ballast = await asyncio.to_thread(fill, small_disk)
        await whatsapp.heal()
        whatsapp.customer_says(EMILY, "while it was full", "Emily")

        async def refused() -> bool:
            return "not accepted" in (folder / "serve.log").read_text()

        await until(refused, 10, "a webhook that was refused")
        synced = await told(here, "sync", "whatsapp", code=1)
        assert "free" in synced["accounts"][0]["error"]

        async def rests() -> bool:
            return (await told(here, "status"))["banner"] == "sending_rests"

        await until(rests, 10, "sending that rests")
        human = (await ask(here, "status")).out
        assert "Attention: The disk refuses: sending rests. Nothing was lost; free some disk." in human
        failed = await ask(here, "note", f"+{EMILY}", "--text", "cannot be kept")
        assert (failed.code, "No space left" in failed.err, "Free some space" in failed.err) == (1, True, True)
        assert whatsapp.sent == []
        shown = await told(here, "show", f"+{EMILY}")
        assert [e["text"] for e in shown["timeline"] if e["type"] in ("received", "note")] == ["before", "An old note."]

        ballast.unlink()
        async with asyncio.timeout(DEADLINE):
            await whatsapp.settled()

        async def sent() -> bool:
            timeline = (await told(here, "show", f"+{EMILY}"))["timeline"]
            return any(e["id"] == reply and e["state"] == "sent" for e in timeline)

        await until(sent, 20, "the reply that waited")
        assert [s.text for s in whatsapp.sent] == ["The one that waits."]

        async def calm() -> bool:
            status = await told(here, "status")
            return status["banner"] is None and all(a["state"] == "ok" for a in status["accounts"])

        await until(calm, 20, "a hub without a complaint")
        shown = await told(here, "show", f"+{EMILY}")
        texts = [e["text"] for e in shown["timeline"] if e["type"] in ("received", "note", "reply")]
        assert sorted(texts) == ["An old note.", "The one that waits.", "before", "while it was full"]


# -- what the provider leaves open --------------------------------------------------------------------------


async def test_a_line_cut_in_mid_send_is_uncertain_until_a_person_or_the_provider_says(
    whatsapp: FakeWhatsApp, folder: Path
) -> None:
    async with office(folder, "", secrets(fake=whatsapp), whatsapp) as here:
        await says(whatsapp, EMILY, "hello?")
        await says(whatsapp, MINSU, "여보세요", "민수")
        await rows(here, 2)

        whatsapp.cut_mid_send()
        first = await here.run("send", f"+{EMILY}", "--text", "one", "--wait")
        assert first.code == 6, first
        assert "may have" in first.out
        assert "outbox mark-sent" in first.out + first.err
        whatsapp.cut_mid_send()
        second = await told(here, "send", f"+{MINSU}", "--text", "two", "--wait", code=6)
        assert second["reply"]["state"] == "uncertain"

        found = (await told(here, "outbox", "list", "--state", "uncertain"))["replies"]
        assert {line["text"]: line["state"] for line in found} == {"one": "uncertain", "two": "uncertain"}
        assert (await told(here, "status"))["outbox"]["uncertain"] == 2
        (mine,) = (line["id"] for line in found if line["text"] == "one")
        marked = await ask(here, "outbox", "mark-sent", mine)
        assert (marked.code, mine in marked.out) == (0, True), marked

        whatsapp.report(next(s.wamid for s in whatsapp.sent if s.text == "two"), "delivered")

        async def none_left() -> bool:
            return (await told(here, "outbox", "list"))["replies"] == []

        await until(none_left, 15, "an outbox that is empty")
        for phone, state in ((EMILY, "sent"), (MINSU, "delivered")):
            timeline = (await told(here, "show", f"+{phone}"))["timeline"]
            assert [e["state"] for e in timeline if e["type"] == "reply"] == [state]
        assert [s.text for s in whatsapp.sent] == ["one", "two"]


# -- the configuration and the store ------------------------------------------------------------------------

RIGHT = """\
default_profile = "support"
[profiles.support]
store = "tinydb:{store}"
[profiles.support.channels.bot]
kind = "telegram"
token = {{ env = "TOKEN" }}
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("store =", "stoer =", "config.toml:3: profiles.support.stoer: unknown key (nearest: store)."),
        ("token =", "tokne =", "config.toml:6: profiles.support.channels.bot.tokne: unknown key (nearest: token)."),
        ('"telegram"', '"telegarm"', "there is no channel kind telegarm (nearest: telegram)."),
        ('"tinydb:', 'true\nlanguage = 7 # "', "config.toml:4: profiles.support.language: "),
        ('{{ env = "TOKEN" }}'.format(), '"1234:hunter2"', "config.toml:6: profiles.support.channels.bot.token: "),
        ("[profiles.support]", "[profiles.support", "config.toml:2: "),
    ],
    ids=["unknown key", "unknown option", "unknown kind", "wrong type", "literal secret", "syntax"],
)
async def test_a_broken_configuration_starts_nothing_and_says_where(
    folder: Path, was: str, now: str, said: str
) -> None:
    config, store = folder / "config.toml", folder / "store"
    text = RIGHT.format(store=store)
    assert was in text
    config.write_text(text.replace(was, now), encoding="utf-8")
    here = Installation(folder, config)
    (here.folder / "home").mkdir()
    served, machine = await asyncio.gather(here.run("serve"), here.run("--json", "serve"))
    for found in (served, await ask(here, "config", "check"), await ask(here, "status")):
        assert (found.code, found.out) == (2, ""), found
        assert said in found.err, found.err
        assert "hunter2" not in found.err
    assert (machine.code, machine.json["error"]["code"]) == (2, "config")
    assert sorted(path.name for path in folder.rglob("*")) == ["config.toml", "home"]


async def test_a_second_hub_on_the_same_store_is_refused(whatsapp: FakeWhatsApp, folder: Path) -> None:
    async with office(folder, "", secrets(fake=whatsapp), whatsapp) as here:
        assert here.hub is not None
        other = folder / "other.toml"
        text = here.config.read_text().replace("/store", "/./store")
        other.write_text(text.replace(f"port = {text.partition('port = ')[2].split(' ')[0]}", "port = 0"))
        second = await Installation(folder, other, here.environment).run("serve")
        assert second.code == 4, second
        assert f"process {here.hub.pid}" in second.err
        assert "agentconsole stop" in second.err
        again = await here.run("--json", "serve")
        assert (again.code, again.json["error"]["code"]) == (4, "store_busy")
        await says(whatsapp, EMILY, "still there?")
        await rows(here, 1)
