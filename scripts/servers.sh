#!/bin/sh
# The real servers that the tests talk to: Debian's mail and SMS servers, and Synapse in an environment of its own.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/venv.sh
PACKAGES="dovecot-imapd dovecot-lmtpd postfix kannel kannel-extras strace e2fsprogs faketime"

missing=""
for package in $PACKAGES; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo > /dev/null && sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root=no; fi
    fi
    if ! command -v apt-get > /dev/null || [ "$as_root" = no ]; then
        echo "Tests on real servers are skipped: not installed are$missing."
        echo "To run them: sudo apt install$missing"
    else
        echo "Installing$missing (what apt says goes to .servers.log)"
        {
            $as_root apt-get update &&
                $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
        } > .servers.log 2>&1 || {
            tail -n 5 .servers.log
            echo "apt failed; the tests that need$missing cannot run. See .servers.log"
        }
    fi
fi

file=tests/servers/synapse-constraints.txt
stamp=.servers/synapse/.stamp
if [ ! -f $stamp ] || [ $file -nt $stamp ]; then
    find_python || exit 2
    echo "Installing Synapse into .servers/synapse (what pip says goes to .servers.log)"
    {
        [ -x .servers/synapse/bin/python ] || "$PY" -m venv .servers/synapse
    } >> .servers.log 2>&1 &&
        .servers/synapse/bin/python -m pip install --disable-pip-version-check -r $file >> .servers.log 2>&1 &&
        : > $stamp || {
        tail -n 3 .servers.log
        echo "Synapse could not be installed; its tests cannot run. See .servers.log"
    }
fi
exit 0
