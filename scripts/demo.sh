#!/bin/sh
# What "make demo" does: .venv, the packages (once), the sandbox. What pip says goes to .demo.log.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/venv.sh

seconds() { date +%s; }

echo "agentconsole demo: nothing leaves this machine, no account is needed."
began=$(seconds)
find_python || exit 2
printf '%-60s' "[1/3] Python $VERSION found, virtual environment .venv"
make_venv > .demo.log 2>&1
code=$?
if [ $code -ne 0 ]; then
    echo failed
    tail -n 1 .demo.log
    exit $code
fi
printf '  done %3d s\n' $(($(seconds) - began))

began=$(seconds)
printf '%-50s' "[2/3] packages (first time only)"
wanted=$(grep -c '^[a-z].*==' constraints-demo.txt)
if ! install constraints-demo.txt .venv/.demo-stamp >> .demo.log 2>&1; then
    echo "    failed"
    grep -E '^ERROR' .demo.log | tail -n 1
    echo "The packages could not be installed; nothing outside .venv was changed. See .demo.log, then: make demo"
    exit 1
fi
there=$(.venv/bin/python -m pip list --disable-pip-version-check --format freeze 2>> .demo.log | grep -c ==)
[ "$there" -lt "$wanted" ] || there=$wanted
printf '  %2d of %2d  done %3d s\n' "$there" "$there" $(($(seconds) - began))

AGENTCONSOLE_DEMO_STEP="[3/3]" exec .venv/bin/agentconsole demo "$@"
