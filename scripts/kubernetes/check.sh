#!/usr/bin/env bash
# The jobs that `harness submit --to kubernetes` writes, against the schema of the API, strictly. No cluster runs them here.
#   scripts/kubernetes/check.sh target/release/harness
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$(realpath "$1") experiment=$PWD/experiments/gen_spanio_base.yaml venv=$PWD/target/tools/kubernetes
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install -q kubernetes-validate==1.37.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$binary" submit "$experiment" --demo --to kubernetes --shards 8 -- registry/harness:0.1 work
for version in 1.33 1.37; do
  "$venv/bin/kubernetes-validate" --strict -k "$version" runs/gen_spanio_base/submit/jobs.yaml
done
