#!/bin/sh
# PID 1 of a pod whose image is not the job's own: opens ssh, waits for the luggage (luggage.py) and
# the word to start, installs what the job needs, and gives way to `python -m longshore.training`.
# Its text comes in a variable: bash -c 'eval "$LONGSHORE_BOOT"'. For Debian and Ubuntu images.
# Paths, ssh settings and rules for its own end are those of training/pod*.py, which takes over.

root=${LONGSHORE_ROOT:-/longshore}
lib=$root/lib
venv=$root/venv
run=/run/longshore
log=$root/outputs/train.log
child='' keeper='' minder='' job=''

say() {
    echo "longshore: $*"
}

# What takes time runs beside the shell: a trap would wait for what runs in front.
beside() {
    "$@" &
    child=$!
    wait "$child"
}

stop() {
    if [ -n "$job" ]; then
        finish 143 killed
    fi
    for process in $child $keeper $minder; do
        kill "$process" 2>/dev/null
    done
    exit 143
}
trap stop TERM INT

link() {
    mkdir -p "$2" || return
    if [ -L "$1" ]; then
        rm "$1"
    elif [ -d "$1" ]; then
        rmdir "$1" || return
    fi
    ln -s "$2" "$1"
}

folders() {
    mkdir -p "$root"
    if [ -n "${LONGSHORE_VOLUME:-}" ]; then
        for name in outputs checkpoints control; do
            link "$root/$name" "$LONGSHORE_VOLUME/${LONGSHORE_NAME:-pod}/$name"
        done
        link "$root/cache" "$LONGSHORE_VOLUME/cache"
    fi
    for name in outputs checkpoints control cache code data; do
        mkdir -p "$root/$name"
    done
}

apt_install() {
    options=''
    if [ -s "$lib/ca" ]; then
        options="-o Acquire::https::CaInfo=$lib/ca"
    fi
    # shellcheck disable=SC2086
    apt-get $options update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get $options install -y -qq --no-install-recommends "$@"
}

# The programs that ssh and the watching side need, unless the image has them.
programs() {
    set --
    command -v python3 >/dev/null || set -- "$@" python3
    command -v rsync >/dev/null || set -- "$@" rsync
    [ -x /usr/sbin/sshd ] || set -- "$@" openssh-server
    [ $# = 0 ] && return
    say "installing $*"
    until beside apt_install "$@" >"$run/apt.log" 2>&1; do
        cat "$run/apt.log"
        beside sleep 10
    done
}

allow() {
    home=$(awk -F: '$3 == 0 { print $6; exit }' /etc/passwd)
    mkdir -p "$home/.ssh"
    touch "$home/.ssh/authorized_keys"
    chmod 700 "$home/.ssh"
    chmod 600 "$home/.ssh/authorized_keys"
    printf '%s\n' "${PUBLIC_KEY:-}" | while IFS= read -r key; do
        if [ -n "$key" ] && ! grep -qxF -e "$key" "$home/.ssh/authorized_keys"; then
            printf '%s\n' "$key" >>"$home/.ssh/authorized_keys"
        fi
    done
}

settings() {
    cat <<END
Port 22
HostKey $run/host_key
PidFile $run/sshd.pid
AuthorizedKeysFile .ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
AllowTcpForwarding local
AllowAgentForwarding no
X11Forwarding no
MaxSessions 100
MaxStartups 100
ClientAliveInterval 30
ClientAliveCountMax 10
PrintMotd no
END
}

open_ssh() {
    mkdir -p /run/sshd "$run"
    chmod 700 "$run"
    programs
    allow
    (umask 077 && printf '%s' "${LONGSHORE_HOST_KEY:-}" | base64 -d >"$run/host_key")
    settings >"$run/sshd_config"
    keep_ssh &
    keeper=$!
}

keep_ssh() {
    while :; do
        env -i PATH="$PATH" /usr/sbin/sshd -D -e -f "$run/sshd_config" >>"$root/control/sshd.log" 2>&1
        sleep 2
    done
}

now() {
    cut -d. -f1 /proc/uptime
}

touched() {
    stat -L -c %y "$root/control/lease" 2>/dev/null
}

installing() {
    [ -e "$root/control/start" ] && [ ! -e "$root/control/started" ] && [ ! -e "$root/control/done.json" ]
}

# over SINCE SECONDS: whether so much time has passed; no number is no limit.
over() {
    [ "${2:-0}" -gt 0 ] 2>/dev/null && [ $(($(now) - $1)) -ge "$2" ]
}

# The dead-man's switch.
mind() {
    moved=$booted
    stamp=$(touched)
    pause=10
    while sleep 2; do
        seen=$(touched)
        if [ "$seen" != "$stamp" ] || installing; then
            stamp=$seen
            moved=$(now)
        fi
        if over "$booted" "${LONGSHORE_LIFETIME:-}" || over "$moved" "${LONGSHORE_IDLE:-}"; then
            end_machine
            sleep "$pause"
            pause=$((pause < 300 ? pause * 2 : 600))
        fi
    done
}

# A machine whose job had begun is stopped, so that its volume keeps what was made.
end_machine() {
    ask='podTerminate(input: {podId: "'${RUNPOD_POD_ID:-}'"})'
    if [ -e "$root/control/started" ]; then
        ask='podStop(input: {podId: "'${RUNPOD_POD_ID:-}'"}) { id }'
    fi
    say "nobody needs this machine: $ask"
    python3 -c '
import json, os, sys, urllib.request
base = os.environ.get("RUNPOD_API_BASE_URL") or "https://api.runpod.io"
headers = {
    "Authorization": "Bearer " + os.environ.get("RUNPOD_API_KEY", ""),
    "Content-Type": "application/json",
    "User-Agent": "longshore",
}
body = json.dumps({"query": "mutation { %s }" % sys.argv[1]}).encode()
request = urllib.request.Request(base.rstrip("/") + "/graphql", body, headers)
try:
    print("longshore: answer:", urllib.request.urlopen(request, timeout=20).read().decode())
except OSError as error:
    print("longshore: refused:", error)
' "$ask"
}

finish() {
    printf '{"code": %s, "reason": "%s", "at": %s}\n' "$1" "$2" "$(date +%s)" >"$root/control/.done.draft"
    mv "$root/control/.done.draft" "$root/control/done.json"
}

tell() {
    printf '{"t": %s, "kind": "error", "text": "%s", "hint": "see %s", "code": 5}\n' \
        "$(date +%s)" "$1" "outputs/train.log" >>"$root/outputs/events.jsonl"
}

stay() {
    while :; do
        beside sleep 3600
    done
}

# The first Python that the locked packages run on.
newer_python() {
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    echo "longshore: this image has no Python 3.11 or newer: choose another in runpod.base" >&2
    return 1
}

make_venv() {
    python=$(newer_python) || return
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "installing venv"
        apt_install "$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')" || return
    fi
    "$python" -m venv --clear "$venv"
}

pip_install() {
    if [ -e "$lib/offline" ]; then
        set -- --no-index "$@"
    fi
    if [ -d "$lib/wheels" ]; then
        set -- --find-links "$lib/wheels" "$@"
    fi
    "$venv/bin/python" -m pip --disable-pip-version-check install \
        -q --no-input --root-user-action ignore "$@"
}

install_torch() {
    [ -s "$lib/torch.lock" ] || return 0
    echo "installing torch"
    if [ -s "$lib/torch-index" ] && ! ls "$lib"/wheels/torch-*.whl >/dev/null 2>&1; then
        set -- --extra-index-url "$(cat "$lib/torch-index")"
    fi
    pip_install --no-deps "$@" -r "$lib/torch.lock"
}

install_rest() {
    echo "installing the libraries"
    if [ -s "$lib/rest.lock" ]; then
        pip_install --no-deps -r "$lib/rest.lock" || return
    fi
    if [ -s "$lib/requirements.txt" ]; then
        echo "installing the requirements"
        pip_install -c "$lib/torch.lock" -c "$lib/rest.lock" -r "$lib/requirements.txt"
    fi
}

install_apt() {
    set --
    while IFS= read -r package; do
        set -- "$@" "$package"
    done <"$lib/apt.txt"
    [ $# = 0 ] && return
    echo "installing $*"
    apt_install "$@" >"$run/apt.log" 2>&1 || {
        cat "$run/apt.log"
        return 1
    }
}

# Secrets become settings of this subshell alone.
install_all() {
    if [ -s "$lib/ca" ]; then
        export PIP_CERT="$lib/ca" SSL_CERT_FILE="$lib/ca" REQUESTS_CA_BUNDLE="$lib/ca"
    fi
    if [ -s "$lib/netrc" ]; then
        export NETRC="$lib/netrc"
    fi
    if [ -s "$lib/pip_conf" ]; then
        export PIP_CONFIG_FILE="$lib/pip_conf"
    fi
    install_apt && make_venv && install_torch && install_rest &&
        echo "$lib" >"$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/longshore.pth"
}

booted=$(now)
folders
mind &
minder=$!
if [ -e "$root/control/started" ] && [ ! -e "$root/control/done.json" ]; then
    finish 137 killed
fi
open_ssh
if [ -e "$root/control/done.json" ]; then
    say "the job of this machine has ended: waiting for its end"
    stay
fi
say "waiting for the job"
until [ -e "$root/control/start" ]; do
    beside sleep 1
done
# A stop that comes while packages are installed ends the job that waits for them.
job=yes
echo $$ >"$root/control/pid"
if ! beside install_all >>"$log" 2>&1; then
    job=''
    rm -f "$lib/ca" "$lib/netrc" "$lib/pip_conf"
    say "the packages of the job cannot be installed: see outputs/train.log"
    tell "the packages of the job cannot be installed"
    finish 5 failed
    stay
fi
rm -f "$lib/ca" "$lib/netrc" "$lib/pip_conf"
kill "$keeper" "$minder"
if [ "${LONGSHORE_LIFETIME:-0}" -gt 0 ] 2>/dev/null; then
    export LONGSHORE_LIFETIME=$((LONGSHORE_LIFETIME - ($(now) - booted)))
fi
export LONGSHORE_ROOT="$root" VIRTUAL_ENV="$venv" PATH="$venv/bin:$PATH" PYTHONUNBUFFERED=1
export XDG_CACHE_HOME="$root/cache" HF_HOME="$root/cache/huggingface"
export TORCHINDUCTOR_CACHE_DIR="$root/cache/inductor" TRITON_CACHE_DIR="$root/cache/triton"
cd "$root" || exit
exec "$venv/bin/python" -m longshore.training
