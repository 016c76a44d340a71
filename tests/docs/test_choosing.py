"""``docs/choosing.md`` is what the code says."""

from __future__ import annotations

from pathlib import Path

from agentconsole.config import facts
from agentconsole.domain import permission, preference
from agentconsole.text import choosing_page

PAGE = Path(__file__).parents[2] / "docs" / "choosing.md"


def test_the_page_is_made_of_the_code() -> None:
    shipped = facts.laws()
    made = choosing_page.page(shipped.laws, shipped.as_of, facts.regions())
    assert PAGE.read_text("utf-8") == made, "run: python scripts/choosing_page.py > docs/choosing.md"


def test_every_rule_and_every_veto_has_its_row() -> None:
    text = PAGE.read_text("utf-8")
    for code in (*preference.ORDER_REPLY, *permission.ORDER):
        assert f"| `{code}` |" in text
