"""``make bench``: every benchmark in turn. Each prints a ratio to a peer or a floor of the same run.

A million messages: ``python -m benchmarks.size --full``.
"""

from __future__ import annotations

from benchmarks import append, choose, first_paint, size


def main() -> int:
    return max(first_paint.main(), append.main(), choose.main(), size.main([]))


if __name__ == "__main__":
    raise SystemExit(main())
