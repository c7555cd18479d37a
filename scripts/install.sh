#!/usr/bin/env bash
# Makes .venv from the pins of pyproject.toml and installs the system programs the product (run)
# or its tests (test) start. Does nothing, quickly, when all of it is there.
#   usage: scripts/install.sh run|test
set -euo pipefail
cd "$(dirname "$0")/.."
purpose="${1:-run}"

# program:debian-package. Without the first list the product does not work; without the second
# some tests are skipped, except on a CI machine, where they must run.
needed=(tesseract:tesseract-ocr)
wanted=()
if [[ "$purpose" == test ]]; then
    wanted=(chromium:chromium initdb:postgresql redis-server:redis-server
        rabbitmq-server:rabbitmq-server node:nodejs npm:npm)
fi
if [[ -n "${CI:-}" ]]; then
    needed+=("${wanted[@]}")
    wanted=()
fi

has() {
    case "$1" in
    # Debian keeps the server's programs out of PATH, one folder a version
    initdb) compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null ;;
    rabbitmq-server) command -v rabbitmq-server >/dev/null || [[ -x /usr/sbin/rabbitmq-server ]] ;;
    python-venv) [[ -n "$(python_found)" ]] && "$(python_found)" -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

python_found() {
    local candidate
    for candidate in python3.11 python3; do
        if "$candidate" -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

missing() { # prints the package of each program that is not there
    local pair
    for pair in "$@"; do
        has "${pair%%:*}" || echo "${pair#*:}"
    done
}

[[ -x .venv/bin/python ]] || needed+=(python-venv:python3.11-venv)
mapfile -t packages < <(missing "${needed[@]}" "${wanted[@]}")
if ((${#packages[@]})) && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    echo "Installing system packages: ${packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
fi
mapfile -t packages < <(missing "${needed[@]}")
if ((${#packages[@]})); then
    echo "Missing: ${packages[*]} (names of Debian packages). Install them and run this again." >&2
    exit 1
fi
mapfile -t packages < <(missing "${wanted[@]}")
if ((${#packages[@]})); then
    echo "Not installed, so their tests will be skipped: ${packages[*]} (Debian packages)." >&2
fi

[[ -x .venv/bin/python ]] || "$(python_found)" -m venv .venv

# The pins themselves are the stamp: other edits of pyproject.toml install nothing.
pins="$(.venv/bin/python - <<'PYTHON'
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = project["optional-dependencies"]
print("\n".join(project["dependencies"] + extras["dev"] + extras["train"]))
PYTHON
)"
if [[ "$(cat .venv/installed-pins.txt 2>/dev/null)" != "$pins" ]]; then
    echo "Installing the pinned Python packages into .venv (minutes, once)." >&2
    # all in one go, so that nothing pulls in another torch than the pinned one
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r <(echo "$pins")
    echo "$pins" >.venv/installed-pins.txt
fi

# HAPI FHIR's strict parser is one of the judges; this package carries it in one Java archive.
# Without its own dependencies (Spark, hundreds of megabytes), which parsing does not need.
if [[ "$purpose" == test ]] && command -v java >/dev/null &&
    ! .venv/bin/python -c 'import importlib.util as u; raise SystemExit(u.find_spec("pathling") is None)'; then
    echo "Installing HAPI FHIR for the tests (pathling 5.4.0)." >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps pathling==5.4.0 ||
        echo "pathling could not be installed, so the tests with HAPI will be skipped." >&2
fi

# From the lock files: the judges of the FHIR tests and the accessibility rules of the browser tests
# are the same everywhere.
for judges in tests/fhir/validators tests/e2e/axe; do
    stamp=$judges/node_modules/installed-lock.json
    if [[ "$purpose" == test ]] && command -v npm >/dev/null && ! cmp -s $judges/package-lock.json $stamp; then
        echo "Installing what $judges names (npm)." >&2
        if npm ci --prefix $judges --no-audit --no-fund --loglevel=error >&2; then
            cp $judges/package-lock.json $stamp
        else
            rm -rf $judges/node_modules # half of them would fail the tests instead of skipping
            [[ -z "${CI:-}" ]] || exit 1
            echo "npm could not install $judges, so its tests will be skipped." >&2
        fi
    fi
done
