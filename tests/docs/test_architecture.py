"""The map is true: every package is on it, every module it names exists, its layers are the enforced ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "agentconsole"


def test_every_package_and_top_module_is_named():
    names = {p.name if p.is_dir() else p.stem for p in PACKAGE.iterdir() if p.is_dir() or p.suffix == ".py"}
    missing = {n for n in names - {"__init__", "__pycache__", "locales"} if f"`{n}`" not in MAP}
    assert missing == set()


def test_every_module_that_is_named_exists():
    named = set(re.findall(r"`((?:\w+/)+\w+(?:\.py)?)`", MAP))
    absent = {
        n for n in named if not any((base / n).exists() or (base / f"{n}.py").exists() for base in (PACKAGE, ROOT))
    }
    assert absent == set()
    assert len(named) > 5


def test_its_layers_are_the_enforced_ones_in_the_same_order():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    table = MAP.split("## Layers, top to bottom")[1].split("Further rules")[0]
    drawn = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines() if row.startswith("| `")]
    assert drawn == [[name.strip() for name in layer.split("|")] for layer in layers]
