#!/usr/bin/env bash
# Shares on a real HyperQueue: check.py in an environment of its own, with the wheel that has server and workers in it.
#   scripts/hyperqueue/check.sh target/release/harness
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=target/tools/hyperqueue
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install -q hyperqueue==0.27.0
exec "$venv/bin/python" scripts/hyperqueue/check.py "$@"
