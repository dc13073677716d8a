#!/usr/bin/env bash
# Makes .venv and installs a hashed requirements file into it: setup.sh requirements.txt
# Says what it does; as root on Debian it installs what the system lacks, else it names the command. Exit 3: something is missing.
set -eu
cd "$(dirname "$0")"
requirements=${1:?usage: setup.sh requirements.txt}
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

missing=()
if ! command -v "$python" >/dev/null; then
    missing+=(python3 python3-venv python3-dev)
else
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "Onecard needs Python 3.11 or later; $python is $("$python" -V 2>&1). Name another: make PYTHON=python3.12 ..."
        exit 3
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    # crcmod's C extension; without the header it would install a pure Python that is 28 times slower, without a word
    "$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || missing+=(python3-dev)
fi
command -v cc >/dev/null || command -v gcc >/dev/null || missing+=(gcc libc6-dev)
# The tests of the ledger start a PostgreSQL of their own (tests/postgres.py); what only runs needs none.
if [ "$requirements" = requirements-dev.txt ] && ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
    missing+=(postgresql)
fi

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing ${missing[*]} (apt-get) ..."
        apt-get update -qq
        case " ${missing[*]} " in *" postgresql "*)
            # Debian would start a server of its own, which nobody asked for; the tests' servers come and go with the tests.
            DEBIAN_FRONTEND=noninteractive apt-get install -qq -y postgresql-common >/dev/null
            pg_conftool /etc/postgresql-common/createcluster.conf set create_main_cluster off ;;
        esac
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${missing[@]}" >/dev/null
    else
        say "Missing: ${missing[*]}. Install them, then run make again:"
        say "    sudo apt-get install ${missing[*]}"
        exit 3
    fi
fi

if [ ! -x .venv/bin/python ]; then
    say "Making a virtual environment in .venv ..."
    "$python" -m venv .venv
fi
say "Installing the Python packages of $requirements (about a minute the first time) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
.venv/bin/python -c 'import crcmod._crcfunext' 2>/dev/null || {
    say "crcmod was built without its C extension. Remove .venv, check that 'cc' works, and run make again."
    exit 3
}
