#!/usr/bin/env bash
# Makes what others install: a wheel for any Linux with glibc 2.28 or later, an archive of the source, and SHA256SUMS, all in
# target/dist. Publishes nothing.
#
#   scripts/release/build.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD out=$PWD/target/dist

if [[ -n "$(git status --porcelain)" ]]; then
    echo "there are changes that no commit has; commit them first, so that what is built can be named" >&2
    exit 1
fi
scripts/release/tools.sh
python3 scripts/release/licences.py THIRD_PARTY_LICENSES.txt
export PATH="$root/target/tools/release/bin:$PATH"

# The same bytes again from the same commit and tools, wherever the checkout is.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$root=/harness"
export SOURCE_DATE_EPOCH RUSTFLAGS
rm -rf "$out"
mkdir -p "$out"

maturin sdist --out "$out"
# All that the commit has, but for a program of its own that only a decision needed.
expected=$(git ls-files | grep -v '^scripts/decisions/'; echo PKG-INFO; echo THIRD_PARTY_LICENSES.txt)
found=$(tar -tzf "$out"/*.tar.gz | cut -d / -f 2-)
diff <(sort <<< "$expected") <(sort <<< "$found") || { echo "the archive has other files than the commit" >&2; exit 1; }

# Zig links against the glibc that the platform's name tells, whatever this machine has, and maturin looks at the result.
platform=$(uname -m)-unknown-linux-gnu
maturin build --zig --target "$platform" --target-dir target/manylinux --out "$out"

cd "$out"
sha256sum -- *.tar.gz *.whl > SHA256SUMS
ls -l
