#!/bin/sh
# Play a RunPod here and deploy to it with the command one would use there: demo-runpod.sh BIN
# BIN is the folder of a virtual environment with `longshore` and its extra `emulators`.
set -eu

bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
port=${PORT:-8642}
example=examples/stdlib-docs

"$bin/python" "$example/prepare.py"
mkdir -p "$example/wheels"
if [ -z "$(ls "$example/wheels")" ]; then
    "$bin/pip" download -q --no-deps -d "$example/wheels" "torch==2.13.0+cpu" 2>/dev/null || true
fi

"$bin/longshore" emulate runpod --port "$port" &
emulator=$!
trap 'kill $emulator 2>/dev/null; wait $emulator' EXIT
export RUNPOD_API_BASE_URL="http://127.0.0.1:$port" RUNPOD_API_KEY=rpa_emulated
until "$bin/python" -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()" 2>/dev/null; do
    kill -0 $emulator
    sleep 0.2
done

cd "$example"
set -x
"$bin/deploy" --provider runpod --gpu "RTX 4090" --bid-price 0.50
"$bin/longshore" report
"$bin/longshore" gc
