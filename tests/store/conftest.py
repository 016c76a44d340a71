"""Nothing that one test of the store sets may change another."""

from collections.abc import Iterator

import pytest

from agentconsole.store.embedded import head


@pytest.fixture(autouse=True)
def _usual_volumes() -> Iterator[None]:
    before = head.SEAL_ENTRIES
    yield
    head.SEAL_ENTRIES = before  # type: ignore[misc]
