#!/usr/bin/env bash
# Holds the dependencies to deny.toml: licences, bans, sources, and known advisories where their database can be had.
# Takes the cargo-deny that is there, in this version, or builds it once into target/tools (about 3 minutes on two cores).
#
#   scripts/deny.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.20.2
tools=$PWD/target/tools
export PATH="$tools/bin:$PATH"
if [[ "$(cargo deny --version 2> /dev/null || true)" != "cargo-deny $version" ]]; then
    cargo install --locked --quiet --version "$version" --root "$tools" cargo-deny
fi

check() {
    cargo deny check --hide-inclusion-graph "$@"
}

check licenses bans sources
# The database is a git repository on GitHub, which not every machine may reach.
if fetched=$(timeout 120 cargo deny fetch db 2>&1); then
    check --disable-fetch advisories
else
    echo "left out: advisories, because their database could not be fetched: $(tail -n 1 <<< "$fetched")"
fi
