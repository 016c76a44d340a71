# Makes .venv. Sourced by the other scripts; sets PY (a Python that is new enough) and VERSION.

find_python() {
    for PY in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$PY" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            VERSION=$("$PY" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            return 0
        fi
    done
    echo "Python 3.11 or newer is needed and was not found. Run: sudo apt install python3 python3-venv" >&2
    return 2
}

make_venv() {
    [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null && return 0
    if ! "$PY" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "Python is there, but its venv part is not. Run: sudo apt install python3-venv" >&2
        return 2
    fi
    "$PY" -m venv .venv
}

# install FILE STAMP: the locked packages of FILE and this package, unless STAMP is newer than what it depends on.
install() {
    if [ -f "$2" ] && [ ! "$1" -nt "$2" ] && [ ! pyproject.toml -nt "$2" ]; then
        return 0
    fi
    .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$1" &&
        .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e . &&
        : > "$2"
}
