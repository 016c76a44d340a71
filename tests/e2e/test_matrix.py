"""One conversation from a customer's Matrix client to an agent and back, over a real Synapse and a hub as a process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.installation import installed
from tests.e2e.quick import PROFILE, account, need, rows, told
from tests.folders import quick_folder
from tests.servers.synapse import Synapse, missing, start_synapse
from tests.waiting import until


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acx-") as found:
        yield found


@pytest.fixture
def synapse(folder: Path) -> Iterator[Synapse]:
    need(missing())
    with start_synapse(folder / "synapse") as running:
        yield running


class Client:
    """What a customer's client asks of the homeserver."""

    def __init__(self, line: httpx.AsyncClient) -> None:
        self._line = line

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._line.request(method, f"/_matrix/client/v3{path}", json=body or {})
        answer.raise_for_status()
        return answer.json()

    async def texts(self, room: str, sender: str) -> dict[str, str]:
        """Return what somebody wrote in a room: texts by event id."""
        chunk = (await self.ask("GET", f"/rooms/{room}/messages?dir=b&limit=30"))["chunk"]
        return {
            event["event_id"]: event["content"]["body"]
            for event in chunk
            if event["type"] == "m.room.message" and event["sender"] == sender
        }


async def test_a_customer_opens_a_room_is_answered_and_reads_it(synapse: Synapse, folder: Path) -> None:
    support, emily = await asyncio.to_thread(lambda: (synapse.register("support"), synapse.register("emily")))
    ours, hers = await asyncio.to_thread(lambda: (synapse.log_in(support), synapse.log_in(emily)))
    profile = f"""{PROFILE}
[profiles.support.channels.matrix]
kind = "matrix"
base_url = "{synapse.url}"
user = "{support}"
token = {{ env = "MATRIX_TOKEN" }}
"""
    line = httpx.AsyncClient(base_url=synapse.url, headers={"Authorization": f"Bearer {hers}"}, timeout=20)
    async with line, installed(folder, profile, {"MATRIX_TOKEN": ours}) as here:
        client = Client(line)
        await client.ask("PUT", f"/profile/{emily}/displayname", {"displayname": "Emily Kim"})
        await account(here, "matrix", "ok")
        room = (await client.ask("POST", "/createRoom", {"invite": [support], "is_direct": True}))["room_id"]
        question = {"msgtype": "m.text", "body": "예약을 옮길 수 있나요?"}
        await client.ask("PUT", f"/rooms/{room}/send/m.room.message/q1", question)

        (row,) = await rows(here, 1)
        assert (row["customer"]["name"], row["preview"], row["media"]) == (
            "Emily Kim",
            "예약을 옮길 수 있나요?",
            ["matrix"],
        )
        why = await told(here, "why", f"matrix:{emily}")
        assert (why["choice"]["medium"], why["choice"]["rule"]) == ("matrix", "live_exchange")
        sent = await told(here, "send", f"matrix:{emily}", "--text", "네, 11일 9시 어떠세요?", "--wait")
        assert sent["reply"]["state"] == "sent"

        (event, text), *more = (await client.texts(room, support)).items()
        assert (text, more) == ("네, 11일 9시 어떠세요?", [])
        await client.ask("POST", f"/rooms/{room}/receipt/m.read/{event}")

        async def read() -> Any:
            timeline = (await told(here, "show", row["customer"]["id"]))["timeline"]
            return [e for e in timeline if e["type"] == "reply" and e["state"] == "read"]

        (reply,) = await until(read, 20, "the read receipt")
        assert reply["id"] == sent["reply"]["id"]
        assert (await told(here, "inbox"))["conversations"] == []
