#!/usr/bin/env bash
# What a stranger has of the wheel: installed into a fresh environment, run in an empty folder without a compiler or a cache.
#
#   scripts/release/check.sh                       # of the release build that is here, for this machine
#   scripts/release/check.sh target/dist/*.whl     # of build.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "error: $*" >&2
    exit 1
}

seconds() {
    python3 -c "print(f'{$(date +%s.%N) - $1:.1f} s')"
}

# What goes to others is smaller than the ordinary build by what the profile `dist` saves.
wheel=${1:-} most=15000000
if [[ -z $wheel ]]; then
    most=18000000
    scripts/release/tools.sh
    python3 scripts/release/licences.py THIRD_PARTY_LICENSES.txt
    # The ordinary build, so that next to nothing is compiled again; build.sh makes the one for other machines.
    target/tools/release/bin/maturin build --profile release --strip --compatibility linux --out "$work/wheel"
    wheel=$(ls "$work"/wheel/*.whl)
fi
wheel=$(realpath "$wheel")

bytes=$(stat -c %s "$wheel")
echo "$(basename "$wheel"): $bytes bytes"
((bytes < most)) || fail "the wheel has $most bytes or more"
inside=$(python3 -m zipfile -l "$wheel")
for file in LICENSE assets/fonts/OFL.txt THIRD_PARTY_LICENSES.txt; do
    grep -qF "dist-info/licenses/$file " <<< "$inside" || fail "the wheel lacks $file"
done

# Of the environment nothing but its programs' folder is known, and that by a link, as pipx and uv make them.
began=$(date +%s.%N)
venv=$work/venv
python3 -m venv "$venv"
"$venv/bin/pip" install -q "$wheel"
echo "installed in $(seconds "$began")"
mkdir "$work/bin" "$work/home" "$work/empty"
ln -s "$venv/bin/harness" "$work/bin/harness"
harness() {
    (cd "$work/empty" && env -i HOME="$work/home" XDG_CACHE_HOME="$work/home/cache" PATH="$work/bin" LANG=C.UTF-8 harness "$@")
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
[[ "$(harness --version)" == "harness $version" ]] || fail "--version says $(harness --version)"
before=$(find "$venv" -type f | sort)
harness run weights --demo --offline
echo "from the wheel to the first report: $(seconds "$began")"
[[ "$(find "$venv" -type f | sort)" == "$before" ]] || fail "the run changed the environment"
run=$work/empty/runs/weights
for file in report.html scores.csv; do
    [[ -s $run/$file ]] || fail "the run has no $file"
done
library=$(echo "$venv"/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*)
grep -qF "$library" <<< "$(harness providers)" || fail "harness providers does not name $library"
[[ ! -e $work/home/cache/harness/onnxruntime ]] || fail "ONNX Runtime was installed into the cache"

# The same numbers as those of the program that was built here, with the library that it installs.
(cd "$work/home" && "$root/target/release/harness" run weights --demo) > "$work/log" 2>&1 || fail "$(cat "$work/log")"
cmp "$run/scores.csv" "$work/home/runs/weights/scores.csv" || fail "the scores differ from those of target/release/harness"

# Without the library, it says what to install where.
"$venv/bin/pip" uninstall -q -y onnxruntime
said=$(harness run weights --demo --offline --fresh 2>&1) && fail "a run without a library ended well"
grep -q "install onnxruntime==.* into $venv" <<< "$said" || fail "without a library it says: $said"

"$venv/bin/pip" uninstall -q -y tasty-harness
left=$(find "$venv" -iname '*harness*')
[[ -z $left ]] || fail "pip uninstall left $left"
echo "the wheel is as it should be"
