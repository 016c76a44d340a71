"""The part of the double that prepares what is written: templates, and files in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentconsole.desk import Agent
from agentconsole.domain import templates
from agentconsole.domain.model import Attachment, BlobId, ConversationId, CustomerId
from agentconsole.domain.templates import Filled, Template
from agentconsole.errors import NotFound


class ComposingDouble:
    """``parts`` is how much of a file was taken so far; a set ``stuck`` keeps every part waiting."""

    written: tuple[Template, ...] = ()
    stuck: Any = None

    def begin_composing(self) -> None:
        self.files: dict[str, bytes] = {}

    async def _enter(self, name: str, *arguments: Any) -> None:
        raise NotImplementedError

    async def templates(
        self, who: Agent, customer: CustomerId, conversation: ConversationId, values: Mapping[str, str]
    ) -> tuple[Filled, ...]:
        await self._enter("templates", customer, conversation)
        known = {"customer.first_name": "Emily", "date": "3 Mar"}
        return tuple(
            templates.fill(one, next(iter(one.texts)), lambda name: known.get(name, "")) for one in self.written
        )

    async def attach_part(
        self, who: Agent, request: str, customer: CustomerId, name: str, type: str, size: int, offset: int, data: bytes
    ) -> Attachment | None:
        await self._enter("attach_part", name, size, offset)
        if self.stuck is not None:
            await self.stuck.wait()
        self.files[request] = self.files.get(request, b"") + data
        if len(self.files[request]) < size:
            return None
        return self.keep(name, type, self.files.pop(request))

    def keep(self, name: str, type: str, data: bytes) -> Attachment:
        self.files[f"blob-{len(self.files)}"] = data
        return Attachment(name, type, len(data), BlobId(list(self.files)[-1]))

    async def blob(self, who: Agent, customer: CustomerId, blob: BlobId, offset: int, length: int) -> bytes:
        await self._enter("blob", blob, offset)
        if blob not in self.files:
            raise NotFound("This attachment was not kept.", "")
        return self.files[blob][offset : offset + length]
