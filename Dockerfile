# One image for web and worker processes; compose.yaml and docs/operations.md say how to run it.
# Sandboxes are Blaxel's then: local ones need user namespaces, which a container doesn't have.

FROM python:3.12-slim AS packages
WORKDIR /manta
COPY requirements.lock ./
# An index of one's own: docker build --secret id=pip.conf,src=pip.conf . It gets into no layer.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes -r requirements.lock

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home manta \
    && install --directory --owner manta --mode 0700 /state
WORKDIR /manta
COPY --from=packages /manta/.venv .venv
COPY manage.py ./
COPY manta manta
COPY accounts accounts
COPY sandboxes sandboxes
COPY operations operations
COPY scripts scripts
COPY templates templates
COPY static static
ENV PATH=/manta/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MANTA_STATE_DIR=/state \
    HOST=0.0.0.0 \
    PORT=8000
USER manta
# Static files need no secret, but the settings want a key: this one is used for nothing else.
RUN SECRET_KEY=of-this-step-alone python manage.py collectstatic --noinput --verbosity 0
EXPOSE 8000
# For web. A container of workers alone has it switched off, as compose.yaml does.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", \
    "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=3); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
# WEB_CONCURRENCY and WORKER_CONCURRENCY say what this container is: either may be 0.
CMD ["python", "-m", "scripts.serve"]
