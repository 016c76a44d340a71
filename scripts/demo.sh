#!/bin/sh
# What "make demo" does: .venv, the packages (once), the sandbox. What pip says goes to .demo.log.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/venv.sh

seconds() { date +%s; }

case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
    ko*)
        hello="agentconsole 데모: 이 컴퓨터 밖으로 나가는 것이 없고 계정도 필요 없습니다."
        python_found="[1/3] Python %s, 가상 환경 .venv"
        packages="[2/3] 패키지 (처음 한 번만)"
        of="%d개  %d초\n"
        took="  %d초\n"
        offline="패키지 저장소에 연결되지 않음."
        failed="패키지를 설치하지 못함. .venv 밖은 바뀌지 않음. .demo.log를 보고 다시: make demo"
        ;;
    *)
        hello="agentconsole demo: nothing leaves this machine, no account is needed."
        python_found="[1/3] Python %s, virtual environment .venv"
        packages="[2/3] packages (first time only)"
        of="%d  %d s\n"
        took="  %d s\n"
        offline="The package index cannot be reached."
        failed="The packages could not be installed; nothing outside .venv was changed. See .demo.log, then: make demo"
        ;;
esac

echo "$hello"
began=$(seconds)
find_python || exit 2
printf "$python_found" "$VERSION"
if ! make_venv > .demo.log 2>&1; then
    echo
    tail -n 1 .demo.log
    exit 2
fi
printf "$took" $(($(seconds) - began))

began=$(seconds)
printf '%s  ' "$packages"
if ! install constraints-demo.txt .venv/.demo-stamp >> .demo.log 2>&1; then
    echo
    if grep -q 'connection broken' .demo.log; then echo "$offline"; else grep -E '^ERROR' .demo.log | tail -n 1; fi
    echo "$failed"
    exit 1
fi
printf "$of" "$(grep -c '^[a-z].*==' constraints-demo.txt)" $(($(seconds) - began))

AGENTCONSOLE_DEMO_STEP="[3/3]" exec .venv/bin/agentconsole demo "$@"
