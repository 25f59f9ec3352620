#!/bin/sh
# Make a virtual environment with Longshore and all that training needs: setup.sh VENV WHAT [EXTRA...]
# WHAT is `-e .` or a wheel. Does nothing when the same thing was installed before.
set -eu

venv=$1
what=$2
shift 2
python=${PYTHON:-python3}
constraints=images/constraints.txt
torch=$(sed -n 's/^torch==//p' "$constraints")

fail() {
    echo "setup.sh: $1" >&2
    exit 1
}

has_nvidia_gpu() {
    command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU
}

install() {
    "$venv/bin/pip" install -qq --disable-pip-version-check --constraint "$constraints" "$@"
}

# The general Linux build brings gigabytes of CUDA libraries that a machine without a GPU never loads.
install_torch() {
    if has_nvidia_gpu || [ "$(uname -s)" != Linux ]; then
        install "torch==$torch"
    elif ! install --only-binary torch "torch==$torch+cpu" 2>/dev/null; then
        install "torch==$torch+cpu" --extra-index-url https://download.pytorch.org/whl/cpu ||
            { echo "setup.sh: no CPU build of torch $torch can be had, taking the general one" >&2
              install "torch==$torch"; }
    fi
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is older than 3.11; name another with PYTHON=python3.11"
stamp="$venv/.installed"
wanted=$(cat pyproject.toml "$constraints" "$0"; echo "$what" "$@"; [ -f "$what" ] && cksum "$what" || true)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(printf '%s' "$wanted" | cksum)" ]; then
    exit 0
fi
echo "setting up $venv …"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" ||
    fail "no virtual environment could be made (on Debian: apt-get install python3-venv)"
install --upgrade pip
install_torch
if [ "$what" = "-e ." ]; then
    install -e '.[train]' "$@"
else
    install --force-reinstall --no-deps "$what"
    install "$what[train]" "$@"
fi
printf '%s' "$wanted" | cksum >"$stamp"
