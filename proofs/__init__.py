"""Proofs of the promises, in two tiers: a small share in ``make test``, the whole here (``make prove-kill`` …).

Each module prints its seed, how much it did, and its figures as one table; see ``docs/reliability.md``.
"""
