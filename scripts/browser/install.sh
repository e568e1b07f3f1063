#!/usr/bin/env bash
# Chromium and its WebDriver for check_report.py, from the system's packages, where they are missing.
set -euo pipefail

if command -v chromium > /dev/null && command -v chromedriver > /dev/null; then
    exit 0
fi
if ! command -v apt-get > /dev/null; then
    echo 'check_report.py needs the commands chromium and chromedriver, and this machine has no apt-get: install them with its own package manager' >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || { echo 'installing chromium and chromium-driver needs root or sudo' >&2; exit 1; }
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium chromium-driver
