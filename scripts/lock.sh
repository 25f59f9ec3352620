#!/bin/sh
# Resolve images/cpu.lock and images/gpu.lock: all packages of the images, with their exact versions.
# Arguments go to `uv pip compile` (for instance --find-links DIR where a CPU build of torch lies).
set -eu
cd "$(dirname "$0")/../images"

train='accelerate nvidia-ml-py peft psutil safetensors torch transformers'
torch_cpu=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

lock() {
    kind=$1
    packages=$2
    shift 2
    {
        echo "# Made by scripts/lock.sh from constraints.txt; do not edit."
        # A local version (+cpu) names one build of torch; the lock is for any of them.
        echo "$packages" | tr ' ' '\n' |
            uv pip compile --quiet --no-header --no-annotate --no-config \
                --python-version 3.11 --python-platform linux --constraint constraints.txt "$@" - |
            sed 's/+cpu//'
    } >"$kind.lock.new"
    mv "$kind.lock.new" "$kind.lock"
}

lock cpu "$train" --index-strategy unsafe-best-match --index "$torch_cpu" "$@"
lock gpu "$train bitsandbytes liger-kernel"
