"""The sandbox's world as a process of its own: servers on loopback, people who write and answer, and the hub.

``python -m agentconsole.sandbox.world DIR`` says one JSON line when everybody who shall wait is waiting, and ends
on SIGTERM. It outlives the terminal on purpose: a line that drops must find its draft again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agentconsole import bootstrap, config
from agentconsole.errors import AgentConsoleError
from agentconsole.remote import RemoteDesk, as_desk
from agentconsole.sandbox import control, fake_twilio, mail, past, people, place
from agentconsole.sandbox.lines import Mail, MediumServer, Sms, Telegram, WhatsApp
from agentconsole.sandbox.people import Line, Person
from agentconsole.sandbox.place import Place, Ports
from agentconsole.seams import Randomness, SystemClock, SystemRandomness

READY_SECONDS: Final = 25.0
ANSWER_SECONDS: Final = (3.0, 5.0)
LATER_SECONDS: Final = 2.0
MOST_ANSWERS: Final = 6
ORPHAN_SECONDS: Final = 30 * 60.0
"""How long a world whose terminal is gone waits for somebody to come back."""

STOP_SECONDS: Final = 8.0


PORTS: Final = range(12_000, 32_000)
"""Below those that the kernel gives to whoever connects, which could be anybody before the hub listens."""


def free_port(chance: Randomness) -> int:
    for _ in range(100):
        port = PORTS[int(chance.fraction() * len(PORTS))]
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
    raise AgentConsoleError("The sandbox finds no free port on this computer.", "Try it once more.")


class World:
    """Everything outside the console, and the hub.

    Args:
        keep: whether the folder stays when the world ends.
    """

    def __init__(self, where: Place, everybody: tuple[Person, ...], *, keep: bool) -> None:
        self.where = where
        self.keep = keep
        self.people = everybody
        self._chance = SystemRandomness()
        self.mail = Mail(everybody, self._reached("email"))
        self.sms = Sms(everybody, self._reached("sms"))
        self.whatsapp = WhatsApp(everybody, self._reached("whatsapp"))
        self.telegram = Telegram(everybody, self._reached("telegram"))
        self.media: dict[str, MediumServer] = {
            "email": self.mail,
            "sms": self.sms,
            "whatsapp": self.whatsapp,
            "telegram": self.telegram,
        }
        self._answers: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._answered: dict[str, int] = {}
        self._later_said: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hub: asyncio.subprocess.Process | None = None
        self._control: asyncio.Server | None = None
        self._sockets: Path
        self._ports: Ports
        self._parent = os.getppid()
        self._left_at = time.monotonic()
        self._here = 0
        self.ended = asyncio.Event()

    # -- beginning and end ---------------------------------------------------------------------------------

    async def start(self) -> int:
        """Start the servers, write the past, start the hub, let people write; return how many wait."""
        for medium in self.media.values():
            await medium.start()
        self._sockets = await asyncio.to_thread(place.sockets, self.where)
        self._ports = Ports(
            imap=self.mail.server.imap_port,
            smtp=self.mail.server.smtp_port,
            sms=self.sms.server.url,
            whatsapp=self.whatsapp.server.url,
            telegram=self.telegram.server.url,
            hook=await asyncio.to_thread(free_port, self._chance),
        )
        await asyncio.to_thread(place.write_config, self.where, self._ports, self.hub_socket, self._given())
        known = await asyncio.to_thread((self.where.store / "customers").is_dir)
        if not known:
            await self._write_past()
        await self._start_hub()
        self._control = await control.serve(self._sockets / "control.sock", self._do, self._gone)
        await self._tell_where()
        if not known:
            await self._everybody_writes(live=False)
        await self._connect_whatsapp()
        if known:
            return await self._waiting(0)
        await self._everybody_writes(live=True)
        return await self._waiting(sum(1 for person in self.people for _ in person.now))

    @property
    def hub_socket(self) -> Path:
        return self._sockets / "hub.sock"

    def _given(self) -> dict[str, dict[str, str]]:
        whatsapp, telegram = self.whatsapp.server, self.telegram.server
        return {
            "email": {"address": mail.ADDRESS, "password": mail.PASSWORD},
            "sms": {
                "account_sid": fake_twilio.ACCOUNT_SID,
                "auth_token": fake_twilio.AUTH_TOKEN,
                "sender": self.sms.server.number,
            },
            "whatsapp": {
                "phone_number_id": whatsapp.phone_number_id,
                "number": f"+{whatsapp.number}",
                "access_token": whatsapp.access_token,
                "app_secret": whatsapp.app_secret,
                "verify_token": whatsapp.verify_token,
            },
            "telegram": {"token": telegram.token, "username": f"@{telegram.username}"},
        }

    async def _write_past(self) -> None:
        profile = (await asyncio.to_thread(config.load, self.where.config)).profile(place.PROFILE)
        async with bootstrap.open_store(profile, SystemClock(), self._chance) as store:
            await past.write(store, self.people, datetime.now(UTC), str(self.telegram.server.bot))

    async def _start_hub(self) -> None:
        log = await asyncio.to_thread(open, self.where.folder / "hub.txt", "ab")
        with log:
            self._hub = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "agentconsole", "--config", str(self.where.config)),
                *("--profile", place.PROFILE, "serve", "--solo"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )

    async def _tell_where(self) -> None:
        told = {
            "pid": os.getpid(),
            "hub": self._hub.pid if self._hub is not None else 0,
            "control": str(self._sockets / "control.sock"),
            "keep": self.keep,
        }
        await asyncio.to_thread(place.write_private, self.where.about, json.dumps(told))

    async def _connect_whatsapp(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while not await self.whatsapp.server.connect(f"http://127.0.0.1:{self._ports.hook}/hook/whatsapp"):
            if time.monotonic() > end or (self._hub is not None and self._hub.returncode is not None):
                said = await asyncio.to_thread(self._hubs_last_words)
                raise AgentConsoleError(f"The sandbox's hub does not answer. {said}", "Try it once more.")
            await asyncio.sleep(0.1)

    def _hubs_last_words(self) -> str:
        """What it said before its store was open, and after."""
        files = (self.where.folder / "hub.txt", self.where.store / "hub.log")
        said = "".join(file.read_text("utf-8", "replace") for file in files if file.is_file())
        return said.strip()[-600:]

    async def _everybody_writes(self, *, live: bool) -> None:
        """Let people write what stands in ``now``, the oldest first; WhatsApp needs the hub's listener."""
        lines = [(line, person) for person in self.people for line in person.now]
        for line, person in sorted(lines, key=lambda pair: -pair[0].ago):
            if (line.medium == "whatsapp") == live:
                await self.media[line.medium].says(person, line)

    async def _waiting(self, wanted: int) -> int:
        """Wait until as many wait as shall, and return how many do."""
        end = time.monotonic() + READY_SECONDS
        found = -1
        while time.monotonic() < end:
            with contextlib.suppress(AgentConsoleError, OSError, TimeoutError):
                async with self._desk() as (desk, who):
                    while time.monotonic() < end:
                        found = (await as_desk(desk).queue(who, "waiting", 0, 1)).counts.waiting
                        if found >= wanted:
                            return found
                        await asyncio.sleep(0.1)
            await asyncio.sleep(0.1)
        return found

    @contextlib.asynccontextmanager
    async def _desk(self) -> Any:
        desk = await RemoteDesk.connect(self.hub_socket, deadline=5.0)
        try:
            yield desk, desk.who
        finally:
            await desk.aclose()

    async def stop(self) -> None:
        """End the hub and the servers and remove the folder unless it is kept."""
        if self._control is not None:
            self._control.close()
        await self._stop_hub()
        for task in (*self._answers.values(), *self._tasks):
            task.cancel()
        for medium in self.media.values():
            await medium.stop()
        await asyncio.to_thread(self._clear)

    async def _stop_hub(self) -> None:
        with contextlib.suppress(AgentConsoleError, OSError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS), self._desk() as (desk, who):
                # A hub that a console started after ours died is not our child; asking ends that one too.
                await as_desk(desk).stop(who, now=True, restart=False)
        if self._hub is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hub.wait(), STOP_SECONDS)
        if self._hub.returncode is None:
            self._hub.kill()
            await self._hub.wait()

    def _clear(self) -> None:
        if self._sockets.parent != self.where.folder or self.keep:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self.keep:
            self.where.about.unlink(missing_ok=True)
        else:
            shutil.rmtree(self.where.folder, ignore_errors=True)

    # -- people --------------------------------------------------------------------------------------------

    def _reached(self, medium: str) -> Any:
        def reached(person: Person, text: str, answers: object) -> None:
            key = (person.name, medium)
            before = self._answers.pop(key, None)
            if before is not None:
                before.cancel()
            self._answers[key] = asyncio.create_task(self._answer(person, medium, text, answers))

        return reached

    async def _answer(self, person: Person, medium: str, text: str, answers: object) -> None:
        """Answer after a few seconds, as people do, but not for ever."""
        if self._answered.get(person.name, 0) >= MOST_ANSWERS:
            return
        least, most = ANSWER_SECONDS
        await asyncio.sleep(least + (most - least) * self._chance.fraction())
        self._answered[person.name] = self._answered.get(person.name, 0) + 1
        said = Line(timedelta(), ours=False, medium=medium, subject="", text=person.reply_to(text))
        await self.media[medium].says(person, said, answers)

    def _in_the_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, medium: str) -> None:
        """Somebody writes while the server is away; it arrives when it heals."""
        await asyncio.sleep(LATER_SECONDS)
        if medium in self._later_said:
            return
        self._later_said.add(medium)
        for person in self.people:
            if person.later is not None and person.later[0] == medium:
                subject = "One more question" if medium == "email" else ""
                await self.media[medium].says(person, Line(timedelta(), False, medium, subject, person.later[1]))

    # -- those who play with it ----------------------------------------------------------------------------

    async def _do(self, asked: dict[str, Any]) -> dict[str, Any]:
        medium = self.media.get(str(asked.get("medium", "")))
        match asked.get("do"):
            case "here":
                self._here += 1
            case "cut" if medium is not None:
                await medium.cut()
                self._in_the_background(self._later(str(asked["medium"])))
            case "heal" if medium is not None:
                await medium.heal()
            case "cut_mid_send" if medium is not None:
                medium.cut_mid_send()
            case "bye":
                return {"ok": True, "alone": self._orphaned(), "keep": self.keep}
            case _:
                return {"ok": False}
        return {"ok": True}

    def _gone(self, bye: bool) -> None:
        self._here -= 1
        self._left_at = time.monotonic()
        if bye and self._orphaned() and not self._here:
            self.ended.set()

    def _orphaned(self) -> bool:
        return os.getppid() != self._parent

    async def watch(self) -> None:
        """Return when it was told to end, or when nobody came back for long."""
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), 2.0)
            if self._orphaned() and not self._here and time.monotonic() - self._left_at > ORPHAN_SECONDS:
                return


async def _run(where: Place, everybody: tuple[Person, ...], *, keep: bool) -> int:
    world = World(where, everybody, keep=keep)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, world.ended.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    try:
        starting = asyncio.ensure_future(world.start())
        ending = asyncio.ensure_future(world.ended.wait())
        await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not starting.done():
            starting.cancel()
            return 1
        told = {"waiting": starting.result(), "customers": len(everybody) + sum(len(p.strangers) for p in everybody)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await world.watch()
    except AgentConsoleError as exc:
        sys.stdout.write(json.dumps({"error": exc.message, "hint": exc.hint}) + "\n")
        return 1
    finally:
        await world.stop()
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run a world in a folder until SIGTERM."""
    parser = argparse.ArgumentParser(prog="agentconsole.sandbox.world")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seed", type=int, default=people.SEED)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR)
    return asyncio.run(_run(Place(args.folder), people.everybody(args.seed), keep=args.keep))


if __name__ == "__main__":
    sys.exit(main())
