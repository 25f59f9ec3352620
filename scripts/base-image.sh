#!/bin/sh
# Make a stand-in for python:3.11-slim from Debian packages, for machines that cannot reach a registry.
# Does nothing when the image is there. `base-image.sh NAME` gives it another name.
set -eu

name=${1:-python:3.11-slim}
suite=bookworm
packages=python3,python3-venv,ca-certificates,libgomp1

if docker image inspect "$name" >/dev/null 2>&1; then
    exit 0
fi
if [ -z "${BASE_FROM_DEBIAN:-}" ] && timeout 60 docker pull -q "$name" >/dev/null 2>&1; then
    exit 0
fi
if ! command -v mmdebstrap >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

# The mirror this machine's own apt uses for the suite.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "base-image.sh: apt on this machine has no source for $suite (run apt-get update first)" >&2
    exit 1
fi

mmdebstrap --quiet --variant=minbase --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin' \
    "$suite" - "$mirror" |
    docker import \
        -c 'ENV LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        -c 'CMD ["python3"]' \
        - "$name"
