#!/usr/bin/env bash
# maturin and zig, in an environment of their own: target/tools/release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=target/tools/release
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install -q -r scripts/release/requirements.txt
