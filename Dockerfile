# One image for all services: `args: ["router"]`. It runs as nobody, writes nowhere but /tmp and needs no shell.
ARG PYTHON=3.13-slim-trixie

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv --without-pip /opt/paquebot && python -m venv /opt/build
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY hack/lock_part.py hack/
# What the lock names, by hash, in a layer that only a changed lock makes anew.
RUN python hack/lock_part.py > /tmp/runs.lock && python hack/lock_part.py hatchling > /tmp/builds.lock \
    && python -m pip --python /opt/paquebot install --require-hashes --no-deps -r /tmp/runs.lock \
    && python -m pip --python /opt/build install --require-hashes --no-deps -r /tmp/builds.lock
COPY services services
COPY operator operator
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheels . \
    && python -m pip --python /opt/paquebot install --no-deps /tmp/wheels/*.whl \
    && /opt/paquebot/bin/python -m compileall -q /opt/paquebot/lib

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="paquebot" \
      org.opencontainers.image.description="Kubernetes-native outbound mail platform" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/paquebot /opt/paquebot
ENV PATH=/opt/paquebot/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 1587 1465 4000 9090
ENTRYPOINT ["python", "-m", "paquebot"]
