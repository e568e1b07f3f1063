#!/usr/bin/env bash
# Every graph of the demo on WebGPU without a graphics card: on SwiftShader, the Vulkan in software that Debian's package
# chromium brings. It takes about a minute on two cores. Not a part of CI: it says that the graphs run there, not how fast.
#
#   scripts/demo/webgpu.sh HARNESS
set -euo pipefail
harness=$1
driver=${VK_DRIVER_FILES:-/usr/lib/chromium/vk_swiftshader_icd.json}
if [[ ! -f $driver ]]; then
    echo "there is no $driver; install Debian's packages chromium and libvulkan1, or name a driver with VK_DRIVER_FILES" >&2
    exit 1
fi
export VK_DRIVER_FILES=$driver
"$harness" setup --ep webgpu
"$harness" providers --check --ep webgpu
