#!/bin/sh
# Make a Docker engine answer on this machine; does nothing when one does. Needs root only to start one.
set -eu

answers() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

install_engine() {
    # Packages must not start services by themselves in a container or a chroot.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
}

start_with() {
    # A pid file left by a killed engine keeps the next one from starting.
    rm -f /var/run/docker.pid
    setsid dockerd --storage-driver "$1" >"$log" 2>&1 </dev/null &
    for _ in $(seq 150); do
        if answers; then
            return 0
        fi
        if ! kill -0 $! 2>/dev/null; then
            return 1
        fi
        sleep 0.1
    done
    kill $! 2>/dev/null || true
    return 1
}

if answers; then
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "engine.sh: no Docker engine answers, and only root can start one" >&2
    exit 1
fi
command -v dockerd >/dev/null || install_engine
log=${ENGINE_LOG:-/var/log/dockerd.log}
for driver in overlay2 fuse-overlayfs vfs; do
    if start_with "$driver"; then
        echo "engine.sh: dockerd runs with $driver"
        exit 0
    fi
done
echo "engine.sh: dockerd does not start; the end of $log:" >&2
tail -n 20 "$log" >&2
exit 1
