#!/usr/bin/env bash
# The demo under every provider and precision that a CPU can run: pieces are made, and the scores of the same pieces are
# within 0.01 of those on the CPU in fp32. OpenVINO computes in bf16 only on a CPU that can.
#
#   scripts/demo/pairs.sh HARNESS FOLDER
set -euo pipefail
harness=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder"

run() {
    "$harness" run experiments/weights.yaml --demo --out "$folder/weights-$1-$2" --ep "$1" --precision "$2" \
        --set "audio.from=$folder/pieces"
}

"$harness" run experiments/gen_spanio_base.yaml --demo --out "$folder/pieces"
run cpu fp32
for pair in "cpu int8" "openvino fp32" "openvino bf16"; do
    read -r ep precision <<< "$pair"
    if [[ $precision == bf16 ]] && ! grep -qE 'avx512_bf16|amx_bf16' /proc/cpuinfo; then
        echo "left out: $pair, which this CPU cannot run"
        continue
    fi
    "$harness" run experiments/gen_spanio_base.yaml --demo --out "$folder/pieces-$ep-$precision" --ep "$ep" --precision "$precision"
    run "$ep" "$precision"
    "$harness" diff "$folder/weights-cpu-fp32" "$folder/weights-$ep-$precision" --tolerance 0.01
done
