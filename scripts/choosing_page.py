"""Print ``docs/choosing.md``: ``python scripts/choosing_page.py > docs/choosing.md``."""

from __future__ import annotations

import sys

from agentconsole.config import facts
from agentconsole.text import choosing_page


def page() -> str:
    """Return the page with the data that ships."""
    shipped = facts.laws()
    return choosing_page.page(shipped.laws, shipped.as_of, facts.regions())


if __name__ == "__main__":
    sys.stdout.write(page())
