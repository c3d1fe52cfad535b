#!/bin/sh
# Makes .venv from requirements.lock, every file checked against its hash. Run by the Makefile.
set -eu
cd "$(dirname "$0")"

say() { printf '%s\n' "$*" >&2; }

# It was made where it stands, and its Python finds what it was given: neither holds for a copy of
# another folder, nor when the machine's Python has been replaced. ./setup.sh --fits only asks.
fits() {
    [ "$(cat .venv/place 2>/dev/null)" = "$(cd .venv 2>/dev/null && pwd -P)" ] &&
        .venv/bin/python -c 'import uv' 2>/dev/null
}
if [ "${1:-}" = --fits ]; then
    fits
    exit
fi

python=${PYTHON:-}
for candidate in ${python:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
    python=
done
if [ -z "$python" ]; then
    say "需要 Python 3.11 或更新版本 Python 3.11 or newer is needed (make PYTHON=/path/to/python run)."
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "正在安装 installing python3-venv …"
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            python3-venv >/dev/null
    else
        say "缺少 Python 的 venv 模块 Python's venv module is missing." \
            "Debian, Ubuntu: sudo apt-get install python3-venv"
        exit 1
    fi
fi

if ! fits; then
    [ ! -e .venv/ready ] || say "重新创建 .venv：不能确定它建于此处，或其 Python 已不在" \
        ".venv is made again: nothing says that it was made here, or its Python has gone"
    say "正在创建 making .venv ($("$python" --version)) …"
    "$python" -m venv --clear .venv
    sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements.lock > .venv/uv.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --requirement .venv/uv.lock
    (cd .venv && pwd -P) > .venv/place
fi
say "正在安装依赖 installing what requirements.lock names …"
VIRTUAL_ENV=.venv .venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode \
    requirements.lock
touch .venv/ready
