"""``make bench``: every benchmark in turn. Each prints a ratio to a peer or a floor of the same run.

A million messages: ``python -m benchmarks.size --full``. The console on 100,000 conversations beside neomutt and aerc,
where they are installed, comes last; ``python -m benchmarks.console --customers 2000`` is its short form.
"""

from __future__ import annotations

from benchmarks import append, choose, console, first_paint, size


def main() -> int:
    return max(first_paint.main(), append.main(), choose.main(), size.main([]), console.main([]))


if __name__ == "__main__":
    raise SystemExit(main())
