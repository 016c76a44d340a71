# make demo   a sandbox on this computer, with the console on it (first thing to try)
# make test   everything that is tested, on real servers where they can be installed
# make check  format, lint, types, import rules
.PHONY: help demo demo-drop test check tools servers bench pictures lock

PYTEST_WORKERS ?= 2

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo:
	@sh scripts/demo.sh

demo-drop:
	@.venv/bin/agentconsole demo --drop

tools:
	@sh scripts/tools.sh

servers:
	@sh scripts/servers.sh

test: tools servers
	.venv/bin/python -m pytest -n $(PYTEST_WORKERS)

check: tools
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy --strict
	.venv/bin/lint-imports
	.venv/bin/python -m pytest -p no:cacheprovider tests/docs tests/cli/test_imports.py

bench: tools
	.venv/bin/python -m benchmarks

pictures: tools
	.venv/bin/python scripts/pictures.py

# The versions and hashes of all packages; no addresses. Needs uv.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --all-extras --group dev --group build \
		pyproject.toml -o constraints.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra demo --group build \
		-c constraints.txt pyproject.toml -o constraints-demo.txt

# make prove-kill      kills at every border and at random, with real servers
# make prove-wire      lines that are cut at every third byte
# make prove-disk      failing disks, power loss, damage
# make prove-clock     clocks that jump, a day without servers
# make prove-care      backups of a store at work, restored
# make prove-consent   opt-outs against everything that happens at the same time
# make prove-identity  merges that are ended as if they had never been
# make prove-soak      half an hour of use, and what the console keeps of it
PROOFS = prove-kill prove-wire prove-disk prove-clock prove-care prove-consent prove-identity prove-soak
.PHONY: $(PROOFS)
$(PROOFS): prove-%: tools servers
	.venv/bin/python -m proofs.$*
