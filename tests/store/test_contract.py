"""Both stores under the shipped contract suite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentconsole.ports import Store
from agentconsole.seams import Steps, SystemClock, SystemRandomness
from agentconsole.store.embedded import EmbeddedStore
from agentconsole.store.memory import MemoryStore
from agentconsole.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        async with MemoryStore(SystemClock(), SystemRandomness()) as store:
            yield store


class TestEmbeddedStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        root = tmp_path / "store"
        async with EmbeddedStore(root, clock=SystemClock(), random=SystemRandomness(), steps=Steps()) as store:
            yield store
