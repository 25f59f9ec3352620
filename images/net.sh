# Sourced by every build step that uses the network: optional secrets become settings of pip, uv
# and apt. A secret is a BuildKit secret, or (when the engine's API builds) a file of the context.
# Nothing here is written into the image.

secret() {
    for folder in /run/secrets /run/ls/secrets; do
        if [ -s "$folder/$1" ]; then
            echo "$folder/$1"
            return
        fi
    done
}

ca=$(secret ca)
netrc=$(secret netrc)
pip_conf=$(secret pip_conf)

if [ -n "$ca" ]; then
    export PIP_CERT="$ca" SSL_CERT_FILE="$ca" REQUESTS_CA_BUNDLE="$ca" CURL_CA_BUNDLE="$ca"
fi
if [ -n "$netrc" ]; then
    export NETRC="$netrc"
fi
if [ -n "$pip_conf" ]; then
    export PIP_CONFIG_FILE="$pip_conf"
    # uv does not read pip's files.
    settings=$(python3 -c '
import configparser, shlex, sys
pip = configparser.RawConfigParser()
pip.read(sys.argv[1])
for key, name in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX"),
                  ("trusted-host", "UV_INSECURE_HOST"), ("find-links", "UV_FIND_LINKS")):
    value = pip.get("global", key, fallback="")
    if value:
        print(f"export {name}={shlex.quote(chr(32).join(value.split()))}")
' "$pip_conf")
    eval "$settings"
fi

wheels=""
for folder in /run/ls/wheels/*; do
    if ls "$folder"/*.whl >/dev/null 2>&1; then
        wheels="$wheels --find-links $folder"
    fi
done
index=""
if [ -n "${LS_OFFLINE:-}" ]; then
    index="--no-index"
fi

export UV_CACHE_DIR=/root/.cache/uv UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never

# install_uv CONSTRAINTS: uv into /uv/bin, by the pip that comes with Python for new environments.
install_uv() {
    bundled=$(python3 -c 'import ensurepip, os; print(os.path.dirname(ensurepip.__file__))')/_bundled
    pip=$(ls "$bundled"/pip-*.whl /usr/share/python-wheels/pip-*.whl 2>/dev/null | head -n 1)
    PYTHONPATH="$pip" python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-compile \
        --target /uv $index $wheels --constraint "$1" uv
}

# uv_install ARGUMENT...: into the image's environment.
uv_install() {
    /run/ls/uv/uv pip install --python "$VIRTUAL_ENV" $index $wheels "$@"
}

# install_torch LOCK TORCH_INDEX: torch and, for GPUs, the CUDA libraries its wheel asks for.
install_torch() {
    if ls /run/ls/wheels/torch/torch-*.whl >/dev/null 2>&1; then
        if [ "$(wc -l <"$1")" = 1 ]; then
            # The wheel lies at hand: unpacked inside this layer and linked, it is written once.
            export UV_CACHE_DIR="$VIRTUAL_ENV/.uv" UV_LINK_MODE=hardlink
            index="--no-index"
        fi
    elif [ -n "$2" ]; then
        index="$index --index $2"
    fi
    uv_install --no-deps -r "$1"
    rm -rf "$VIRTUAL_ENV/.uv"
}

apt_options() {
    # Keep what the cache mounts hold: a Debian image deletes every package after its installation.
    rm -f /etc/apt/apt.conf.d/docker-clean
    options="-o APT::Keep-Downloaded-Packages=true"
    if [ -n "$ca" ]; then
        options="$options -o Acquire::https::CaInfo=$ca"
    fi
}

# apt_fetch PACKAGE...: into the cache mounts, for a later apt_install.
apt_fetch() {
    if [ -z "${LS_OFFLINE:-}" ]; then
        apt_options
        apt-get $options update -qq
        apt-get $options install -y -qq --no-install-recommends --download-only "$@" >/dev/null
    fi
}

# apt_install OPTIONAL|REQUIRED PACKAGE...: an optional one may be missing where there is no network.
apt_install() {
    need=$1
    shift
    if [ $# = 0 ] || dpkg-query -W "$@" >/dev/null 2>&1; then
        return 0
    fi
    if [ -n "${LS_OFFLINE:-}" ]; then
        echo "offline: no package $*"
        [ "$need" = OPTIONAL ]
        return
    fi
    apt_options
    # A stage beside this one may have fetched lists and packages a moment ago.
    if [ ! -e /run/ls/fetched ] || ! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1; then
        apt-get $options update -qq
    fi
    DEBIAN_FRONTEND=noninteractive apt-get $options install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io "$@" >/tmp/apt.log 2>&1 || {
        cat /tmp/apt.log
        return 1
    }
    rm -rf /tmp/apt.log /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old /usr/share/doc/* /usr/share/man/*
}

# python_headers: the package with Python.h, nothing where the base has the file.
python_headers() {
    python3 -c 'import os, sysconfig
if not os.path.exists(sysconfig.get_path("include") + "/Python.h"):
    print("python3-dev")'
}
