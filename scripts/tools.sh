#!/bin/sh
# .venv with everything that tests and checks need.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/venv.sh
find_python || exit 2
make_venv || exit $?
if ! install constraints.txt .venv/.test-stamp > .tools.log 2>&1; then
    tail -n 5 .tools.log
    echo "The packages could not be installed; nothing outside .venv was changed. See .tools.log"
    exit 1
fi
