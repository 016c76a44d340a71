"""Rules that every test obeys: no blocking call of ours on an event loop, and no touch of the developer's own files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from agentconsole.store.embedded import head

SHARED = Path(os.environ.get("AGENTCONSOLE_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Raise where code of this package blocks a thread that runs an event loop."""
    with blockbuster_ctx("agentconsole") as guard:
        yield guard


@pytest.fixture(autouse=True)
def usual_volumes() -> Iterator[None]:
    """Let no test that seals volumes early do so for those that come after it in the same process."""
    before = head.SEAL_ENTRIES
    yield
    head.SEAL_ENTRIES = before  # type: ignore[misc]


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "AGENTCONSOLE_CONFIG", "AGENTCONSOLE_HUB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The vendors' schemas beside the checkout. Absent outside CI they skip, in CI they must be there."""
    folder = SHARED / "contracts"
    if not folder.is_dir():
        message = f"the vendor schemas are absent ({folder}); set AGENTCONSOLE_SHARED to check against them"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
