"""Replies over lines that are cut: every third byte of both directions, by FIN, RST and silence.

    python -m proofs.wire [--n STEP] [--seed N] [--only NAME]

Each dialogue is one reply through the real Dispatch and the real channel. What the store says in the end is compared
with the ledger of the receiving world, which shares no code with the channels: the dumps of smtp-sink, and servers that
write down what they accept before they answer.

A failure counts as *provably unsent* when the end of the message (a mail's dot, a request's last byte) had not left us
when the line was cut or the attempt ended. The proxy judges that by the bytes that it got from us. Behind it the table
also shows the view of somebody who sees everything: how many failures whose message never reached the server as a whole
were tried again; no client can know all of these, because whoever ends a TCP line may take bytes and forward nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from agentconsole.domain.model import Delivery
from agentconsole.secret import Secret
from proofs.cutting import HOST, CuttingProxy, cuts
from proofs.cutting_in import (
    Fetched,
    Inbox,
    all_fetched,
    fetched,
    imap_inbox,
    telegram_inbox,
    twilio_inbox,
    wrong,
)
from proofs.cutting_scenes import (
    UNHURRIED,
    Outcome,
    Scene,
    dialogue,
    dialogues,
    http_scenes,
    kannel_scene,
    length,
    mail_scene,
    matrix_scene,
    postfix_scene,
)
from proofs.cutting_worlds import no_smtp_sink, smtp_modes, smtp_sink, strict_http
from proofs.report import Report
from tests.folders import quick_folder
from tests.servers.kannel import missing as no_kannel
from tests.servers.kannel import start_kannel
from tests.servers.mail import missing as no_mail_servers
from tests.servers.mail import start_mail_servers

ARRIVED: Final = frozenset({Delivery.SENT, Delivery.DELIVERED, Delivery.READ})
AGAIN: Final = frozenset({Delivery.QUEUED, Delivery.FAILED})
WANTED_SHARE: Final = 0.95

HTTP_MANNERS: Final = (
    *("plain", "chunked", "to the end", "dies", "resets", "silent", "garbles", "empty"),
    *(f"accepts {status}" for status in (500, 502, 503, 504)),
    *(f"refuses {status}" for status in (301, 400, 401, 403, 404, 405, 413, 429)),
)
"""A refusal with 5xx is left out on purpose: no client can tell it from an acceptance."""


class Figures(NamedTuple):
    """What a set of dialogues came to.

    Args:
        provable: failures of a first attempt that were provably unsent, and how many of them are tried again.
        unseen: the same of all whose message did not reach the server as a whole.
        stuck: replies that neither arrived nor wait for a person.
    """

    dialogues: int
    cut: int
    doubled: int
    failed_but_accepted: int
    sent_but_not: int
    stuck: int
    uncertain: int
    provable: tuple[int, int]
    unseen: tuple[int, int]

    @classmethod
    def of(cls, found: Sequence[Outcome]) -> Figures:
        failed = [one for one in found if one.first.state not in ARRIVED]
        provable = [one for one in failed if not one.end_left]
        unseen = [one for one in failed if not one.end_arrived]
        return cls(
            len(found),
            sum(one.was_cut for one in found),
            sum(one.accepted > 1 for one in found),
            sum(one.accepted > 0 and Delivery.FAILED in (one.first.state, one.last.state) for one in found),
            sum(one.accepted == 0 and one.last.state in ARRIVED for one in found),
            sum(one.last.state in (Delivery.QUEUED, Delivery.SENDING) for one in found),
            sum(one.last.state == Delivery.UNCERTAIN for one in found),
            (len(provable), sum(one.first.state in AGAIN for one in provable)),
            (len(unseen), sum(one.first.state in AGAIN for one in unseen)),
        )

    def row(self, name: str) -> str:
        share, whole = ("–" if not many else f"{good}/{many}" for many, good in (self.provable, self.unseen))
        return (
            f"| {name} | {self.dialogues} | {self.cut} | {self.doubled} | {self.failed_but_accepted} |"
            f" {self.sent_but_not} | {self.uncertain} | {self.stuck} | {share} | {whole} |"
        )


HEAD: Final = (
    "| channel | dialogues | cut | arrived twice | failed but accepted | sent but not accepted | uncertain | stuck |"
    " provably unsent: again | never whole at the server: again |\n|---|---|---|---|---|---|---|---|---|---|"
)


async def swept(scene: Scene, step: int, chance: random.Random, at_once: int = 16) -> list[Outcome]:
    """Cut one scene at every ``step``-th byte of both directions, in each way."""
    out, back = await length(scene)
    every = list(cuts(out, back, step))
    chance.shuffle(every)
    return await dialogues(scene, every, at_once=at_once)


async def smtp_manners(deadline: float) -> list[tuple[str, Outcome]]:
    """Send one reply to smtp-sink in each of its modes; later attempts meet an ordinary one."""
    with smtp_sink() as clean, ThreadPoolExecutor(4) as worker:

        async def one(number: int, name: str, options: tuple[str, ...], accepts: bool) -> tuple[str, Outcome]:
            with ExitStack() as stack:
                sink = await asyncio.to_thread(stack.enter_context, smtp_sink(*options))

                def ledger() -> Counter[str]:
                    return (sink.ledger() if accepts else Counter()) + clean.ledger()

                def healed(proxy: CuttingProxy) -> None:
                    proxy.behind = clean.port

                waits = deadline if "-W" in options else UNHURRIED
                scene = replace(mail_scene(sink, waits, ledger=ledger), after_first=healed)
                outcome = await dialogue(scene, number, None, worker)
                await asyncio.to_thread(sink.settle)
                await asyncio.to_thread(clean.settle)
                outcome.accepted = scene.ledger()[scene.name_of(outcome.reply)]
                return name, outcome

        return list(await asyncio.gather(*(one(number, *mode) for number, mode in enumerate(smtp_modes(), 50_000))))


async def http_manners(deadline: float) -> list[tuple[str, Outcome]]:
    """Send one reply to a gateway and to a homeserver that answer in each manner, and as they should from then on."""
    found: list[tuple[str, Outcome]] = []
    with ThreadPoolExecutor(4) as worker:
        for number, manner in enumerate(HTTP_MANNERS, 60_000):
            for make in (kannel_scene, matrix_scene):
                async with strict_http(manner) as world:

                    def healed(_proxy: CuttingProxy) -> None:
                        world.manner = "plain"

                    scene = replace(make(world.port, world.ledger, deadline), after_first=healed)
                    outcome = await dialogue(scene, number, None, worker)
                    outcome.accepted = world.ledger()[scene.name_of(outcome.reply)]
                    found.append((f"{scene.name}: {manner}", outcome))
    return found


async def real_servers(
    report: Report, step: int, chance: random.Random, deadline: float
) -> list[tuple[str, list[Outcome]]]:
    """Send through a real Postfix with TLS and a real Kannel, cut at fewer bytes."""
    found: list[tuple[str, list[Outcome]]] = []
    with ExitStack() as stack:
        if why := no_mail_servers():
            report.add("real Postfix", why, "there", False)
        else:
            mail = await asyncio.to_thread(stack.enter_context, start_mail_servers())
            scene = postfix_scene(mail, 2 * deadline)
            found.append((scene.name, await swept(scene, 16 * step, chance)))
        if why := no_kannel():
            report.add("real Kannel", why, "there", False)
        else:
            folder = stack.enter_context(quick_folder("kannel"))
            make = start_kannel(folder / "gateway", f"http://{HOST}:1/hook/sms?secret=word")
            gateway = await asyncio.to_thread(stack.enter_context, make)
            os.environ["PROOF_KANNEL"] = gateway.password
            scene = kannel_scene(
                urlsplit(gateway.send_url).port or 0,
                lambda: Counter(heard.text for heard in gateway.heard()),
                deadline,
                "kannel, the real one",
                user=gateway.user,
                password=Secret("env", "PROOF_KANNEL"),
                sender=gateway.sender,
            )
            found.append((scene.name, await swept(replace(scene, settling=3.0), 3 * step, chance)))
    return found


def add_figures(report: Report, found: Sequence[Outcome]) -> None:
    """Add the promised figures of all dialogues to a report."""
    total = Figures.of(found)
    report.add("dialogues over a cut line", total.cut, "all of them", total.cut > 0)
    report.add("arrived twice without an agent's word", total.doubled, "0", total.doubled == 0)
    report.add("called failed but accepted", total.failed_but_accepted, "0", total.failed_but_accepted == 0)
    report.add("called sent but not accepted", total.sent_but_not, "0", total.sent_but_not == 0)
    report.add("neither arrived nor told to a person", total.stuck, "0", total.stuck == 0)
    many, good = total.provable
    share = good / many if many else 0.0
    report.add(
        "provably unsent: tried again or refused", f"{good} of {many} ({share:.1%})", "95 %", share >= WANTED_SHARE
    )
    many, good = total.unseen
    report.add("never whole at the server: tried again", f"{good} of {many} ({good / max(many, 1):.1%})", "told", True)


async def inbound(inbox: Inbox, step: int, chance: random.Random) -> list[Fetched]:
    """Cut the reading of one inbox at every ``step``-th byte of both directions, in each way."""
    with ThreadPoolExecutor(1) as worker:
        clean = await fetched(inbox, None, worker)
    every = list(cuts(clean.out, clean.back, step))
    chance.shuffle(every)
    return await all_fetched(inbox, every)


async def read(report: Report, step: int, chance: random.Random, deadline: float) -> None:
    """Add the figures of what arrives over cut lines."""
    deadline = min(deadline, 0.5)
    with ExitStack() as stack:
        inboxes = [twilio_inbox(deadline), telegram_inbox(deadline)]
        if why := no_mail_servers():
            report.add("inbound, imap", why, "a real Dovecot", False)
        else:
            inboxes.insert(0, imap_inbox(await asyncio.to_thread(stack.enter_context, start_mail_servers()), deadline))
        for inbox in inboxes:
            found = await inbound(inbox, step, chance)
            told = f"{sum(one.was_cut for one in found)} cut, lost, twice, behind the cursor: {wrong(inbox, found)}"
            report.add(f"inbound, {inbox.name}", told, "0, 0, 0", wrong(inbox, found) == (0, 0, 0))


async def main(step: int, seed: int, only: str, deadline: float) -> int:
    chance = random.Random(seed)
    report = Report(
        "Replies over cut lines",
        f"python -m proofs.wire --n {step} --seed {seed}" + (f" --only {only}" if only else ""),
    )
    everything: list[Outcome] = []
    print(HEAD, flush=True)

    def tell(name: str, found: Sequence[Outcome]) -> None:
        everything.extend(found)
        print(Figures.of(found).row(name), flush=True)

    absent = no_smtp_sink()
    if absent:
        report.add("smtp-sink", absent, "there", False)
    elif only in ("", "smtp"):
        with smtp_sink() as sink:
            tell("smtp", await swept(mail_scene(sink, deadline), step, chance))
        manners = await smtp_manners(deadline)
        tell(f"smtp-sink, {len(manners)} modes", [outcome for _, outcome in manners])
    async with http_scenes(deadline, only=only) as scenes:
        for name, scene in scenes.items():
            tell(name, await swept(scene, step, chance))
    if only in ("", "real"):
        for name, found in await real_servers(report, step, chance, deadline):
            tell(name, found)
    if not only:
        manners = await http_manners(deadline)
        tell(f"HTTP, {len(manners)} manners of answering", [outcome for _, outcome in manners])
    print(flush=True)
    if everything:
        add_figures(report, everything)
    if only in ("", "inbound"):
        await read(report, step, chance, deadline)
    return report.finish()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--n", type=int, default=3, help="cut at every N-th byte")
    arguments.add_argument("--seed", type=int, default=1, help="the order of the cuts")
    arguments.add_argument(
        "--only", default="", help="one channel, such as smtp or twilio; real (Postfix and Kannel), or inbound"
    )
    arguments.add_argument("--deadline", type=float, default=1.0, help="seconds that a silent server is waited for")
    given = arguments.parse_args()
    began = time.monotonic()
    code = asyncio.run(main(given.n, given.seed, given.only, given.deadline))
    print(f"\n{time.monotonic() - began:.0f} s")
    sys.exit(code)
