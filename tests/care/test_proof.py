"""A few live backups in every push: the whole proof is ``python -m proofs.care``."""

from __future__ import annotations

import pytest

from proofs.care import prove
from tests.folders import quick_folder


@pytest.mark.timeout(900)
def test_backups_of_a_store_at_work_restore_clean_and_cause_nothing():
    with quick_folder("acc-") as folder:
        found = prove(5, 11, folder)
    assert found.faults == []
    assert found.backups == 5
    assert min(found.messages, found.replies, found.held, found.erased, found.outs) > 0
