# The CPU image. `longshore build` stages its context (images/context.py) and builds it.
# No syntax line, heredoc or COPY --link: any BuildKit since Docker 20.10 can build it, offline too.
ARG PYTHON=3.11
ARG BASE=python:${PYTHON}-slim
ARG PACKAGES="openssh-server rsync libgomp1"

FROM ${BASE} AS uv
ARG LS_OFFLINE
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=bind,source=.wheels/tools,target=/run/ls/wheels/tools \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/root/.cache/pip \
    . /run/ls/build/net.sh && install_uv /run/ls/build/constraints.txt

# Debian's packages are fetched while Python's are installed.
FROM ${BASE} AS debs
ARG LS_OFFLINE
ARG PACKAGES
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    . /run/ls/build/net.sh && apt_fetch $PACKAGES && touch /fetched

FROM ${BASE} AS torch
ARG LS_OFFLINE
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV VIRTUAL_ENV=/opt/longshore/venv \
    PATH=/opt/longshore/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,source=.longshore/lock,target=/run/ls/lock \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=bind,source=.wheels/torch,target=/run/ls/wheels/torch \
    --mount=type=bind,from=uv,source=/uv/bin,target=/run/ls/uv \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/root/.cache/uv \
    . /run/ls/build/net.sh \
    && /run/ls/uv/uv venv -q --python python3 "$VIRTUAL_ENV" \
    && install_torch /run/ls/lock/torch.lock "$TORCH_INDEX" \
    && python /run/ls/build/slim.py torch

FROM torch AS locked
ARG LS_OFFLINE
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,source=.longshore/lock,target=/run/ls/lock \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=bind,source=.wheels/locked,target=/run/ls/wheels/locked \
    --mount=type=bind,from=uv,source=/uv/bin,target=/run/ls/uv \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/root/.cache/uv \
    . /run/ls/build/net.sh \
    && uv_install --no-deps -r /run/ls/lock/rest.lock \
    && python /run/ls/build/slim.py locked

# ssh and rsync for providers whose machines are reached that way; nothing starts them here.
# Host keys must not be the same in every container: where files lie, the package makes none.
FROM locked AS ssh
ARG LS_OFFLINE
ARG PACKAGES
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,from=debs,source=/fetched,target=/run/ls/fetched \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    . /run/ls/build/net.sh \
    && mkdir -p /etc/ssh && touch /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key \
    && apt_install OPTIONAL $PACKAGES \
    && rm -f /etc/ssh/ssh_host_*

# Any uid may write where a job writes: a local run is started with the caller's own.
FROM ssh AS inside
RUN useradd --home-dir /longshore/home --no-create-home --uid 1000 --shell /bin/sh longshore \
    && mkdir -p /longshore && cd /longshore \
    && mkdir code data outputs checkpoints cache control home \
    && chmod 1777 . code data outputs checkpoints cache control home \
    && python -c "import sysconfig; print(sysconfig.get_path('purelib'))" >/tmp/site \
    && echo /opt/longshore/package >"$(cat /tmp/site)/longshore.pth" && rm /tmp/site
ENV LONGSHORE_ROOT=/longshore \
    HOME=/longshore/home \
    USER=longshore \
    LOGNAME=longshore \
    XDG_CACHE_HOME=/longshore/cache \
    HF_HOME=/longshore/cache/huggingface \
    TORCHINDUCTOR_CACHE_DIR=/longshore/cache/inductor \
    TRITON_CACHE_DIR=/longshore/cache/triton \
    PYTHONUNBUFFERED=1
COPY longshore /opt/longshore/package/longshore
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    python /run/ls/build/warm.py

FROM inside AS apt
ARG LS_OFFLINE
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,source=.longshore/apt,target=/run/ls/apt \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    . /run/ls/build/net.sh \
    && apt_install REQUIRED $(cat /run/ls/apt/packages.txt)

FROM apt AS requirements
ARG LS_OFFLINE
RUN --mount=type=bind,source=.longshore/build,target=/run/ls/build \
    --mount=type=bind,source=.longshore/lock,target=/run/ls/lock \
    --mount=type=bind,source=.longshore/requirements,target=/run/ls/requirements \
    --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \
    --mount=type=bind,source=.wheels,target=/run/ls/wheels \
    --mount=type=bind,from=uv,source=/uv/bin,target=/run/ls/uv \
    --mount=type=secret,id=ca --mount=type=secret,id=netrc --mount=type=secret,id=pip_conf \
    --mount=type=cache,target=/root/.cache/uv \
    . /run/ls/build/net.sh \
    && if [ -s /run/ls/requirements/requirements.txt ]; then \
        uv_install --constraint /run/ls/lock/torch.lock --constraint /run/ls/lock/rest.lock \
            -r /run/ls/requirements/requirements.txt; \
    fi

FROM requirements AS final
ARG BASE
ARG VERSION
LABEL org.opencontainers.image.title="Longshore training image (CPU)" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.base.name="${BASE}" \
      longshore.image="cpu"
# A pod is a machine: its ssh server and its volumes need root. Elsewhere the caller names a user.
ARG RUN_AS=longshore
WORKDIR /longshore
USER ${RUN_AS}
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD test -e "$LONGSHORE_ROOT/outputs/events.jsonl"
ENTRYPOINT ["python", "-m", "longshore.training"]
COPY code /longshore/code
