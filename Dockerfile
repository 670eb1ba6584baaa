# One image for every process of Antrian; the command says which: `consume`, `admin`, `receipts`, `sandbox`, or any other.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# For a package index of one's own; this stage is thrown away, and its address with it.
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python3 -m venv /opt/antrian
# The dependencies first: they change less often than the code.
COPY requirements/run.lock requirements/run.lock
RUN /opt/antrian/bin/pip install --require-hashes -r requirements/run.lock
COPY . .
RUN /opt/antrian/bin/pip install --no-deps --no-build-isolation --no-index . \
    && /opt/antrian/bin/pip uninstall --yes setuptools wheel pip \
    && python3 -m compileall -q /opt/antrian/lib

FROM ${PYTHON_IMAGE}
# A number as well as a name, so that Kubernetes and others can see that this is not root.
RUN groupadd --gid 10001 antrian \
    && useradd --uid 10001 --gid antrian --home-dir /var/lib/antrian --no-create-home --shell /usr/sbin/nologin antrian \
    && install --directory --owner antrian --group antrian --mode 0700 /var/lib/antrian
COPY --from=build /opt/antrian /opt/antrian
COPY deploy/container/healthcheck.py /usr/local/bin/antrian-health
ENV PATH=/opt/antrian/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ANTRIAN_HOME=/var/lib/antrian \
    ADMIN_HOST=0.0.0.0 \
    HEALTH_URL=http://127.0.0.1:8080/healthz
USER 10001:10001
WORKDIR /var/lib/antrian
# Tokens and history. The rest of the file system may be read-only, with a tmpfs at /tmp.
VOLUME /var/lib/antrian
EXPOSE 8080 8089 8090 9101 9102
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python3", "/usr/local/bin/antrian-health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["antrian"]
CMD ["admin"]
