"""The push share of ``python -m proofs.wire``: the same dialogues, cut at fewer bytes."""

from __future__ import annotations

import random

import pytest

from agentconsole.domain.model import Delivery
from proofs.cutting import Cut
from proofs.cutting_scenes import UNHURRIED, Outcome, dialogues, http_scenes, mail_scene
from proofs.cutting_worlds import no_smtp_sink, smtp_modes, smtp_sink
from proofs.wire import Figures, smtp_manners, swept

DEADLINE = 0.5
PATIENT = 4.0
"""Where it must not pass before the server's answer that comes too late was asked for."""


@pytest.fixture(scope="module")
def sink_here() -> None:
    if why := no_smtp_sink():
        pytest.skip(why)


def check(found: list[Outcome]) -> Figures:
    total = Figures.of(found)
    wrong = [(str(o.cut), str(o.first.state), str(o.last.state), o.accepted, o.first.detail) for o in found]
    assert (total.doubled, total.failed_but_accepted, total.sent_but_not, total.stuck) == (0, 0, 0, 0), wrong
    many, again = total.provable
    assert again >= 0.95 * many, wrong
    return total


async def test_a_submission_that_is_cut_anywhere(sink_here: None) -> None:
    with smtp_sink() as sink:
        found = await swept(mail_scene(sink, DEADLINE), 60, random.Random(1))
    total = check(found)
    assert total.cut == total.dialogues > 30
    assert total.provable[0] > 20
    assert {one.last.state for one in found} == {Delivery.SENT, Delivery.UNCERTAIN}


async def test_only_the_time_in_which_the_server_thinks_about_a_whole_mail_is_open_to_doubt(sink_here: None) -> None:
    """Every cut of the client's bytes by FIN or RST is provably unsent, up to the last byte of the dot's line."""
    with smtp_sink() as sink:
        scene = mail_scene(sink, UNHURRIED)
        (whole,) = await dialogues(scene, [None])
        said, answered = (bytes(text) for text in (whole.lines[0].said, whole.lines[0].answered))
        end = said.index(b"\r\n.\r\n") + len("\r\n.\r\n")
        unsent = [Cut("out", at, kind) for at in (*range(0, end - 3, 60), end - 4) for kind in ("close", "reset")]
        found = await dialogues(scene, unsent, start=1)
        asked = answered.index(b"\r\n", answered.index(b"354 ")) + 2
        doubtful = await dialogues(scene, [Cut("back", asked + 3, "reset")], start=1000)
    assert {one.first.state for one in found} == {Delivery.QUEUED}
    assert {(one.last.state, one.accepted) for one in found} == {(Delivery.SENT, 1)}
    assert {(one.last.state, one.accepted) for one in doubtful} == {(Delivery.UNCERTAIN, 1)}


async def test_every_mode_of_smtp_sink(sink_here: None) -> None:
    found = dict(await smtp_manners(PATIENT))
    assert len(found) == len(smtp_modes())
    check(list(found.values()))
    for name, one in found.items():
        if name in ("hangs up after .", "late answer to ."):
            assert (one.last.state, one.accepted) == (Delivery.UNCERTAIN, 1), name
        elif name == "hangs up within the content":
            # Its 550 follows the go-ahead at once, and may come before anybody asked what is said to the content.
            assert (one.last.state, one.accepted) in ((Delivery.FAILED, 0), (Delivery.SENT, 1)), name
        elif name.startswith("5xx to") and not name.endswith(("EHLO", "QUIT")):
            assert (one.last.state, one.accepted) == (Delivery.FAILED, 0), name
        else:
            assert (one.last.state, one.accepted) == (Delivery.SENT, 1), name


@pytest.mark.parametrize("channel", ["twilio", "matrix chunked"])
async def test_a_request_that_is_cut_anywhere(channel: str) -> None:
    async with http_scenes(DEADLINE, only=channel) as scenes:
        found = await swept(scenes[channel], 160, random.Random(1))
    total = check(found)
    assert total.cut == total.dialogues > 10
    idempotent = channel.startswith("matrix")
    assert (total.uncertain == 0) is idempotent
