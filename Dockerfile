# Two stages: the first installs the wheel and its dependencies; the second has neither pip's cache nor build tools,
# and runs as a user without rights.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
COPY tools/slim.py ./
RUN python -m venv /opt/watchpost \
 && /opt/watchpost/bin/python -m pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[events]' \
 && /opt/watchpost/bin/python -m pip uninstall --yes --quiet pip setuptools \
 && /opt/watchpost/bin/python slim.py /opt/watchpost/lib/python3.*/site-packages \
 && /opt/watchpost/bin/watchpost --version

FROM python:3.13-slim
# The same layout as in a clone: config, seeds and var side by side, so that relative paths mean the same.
RUN groupadd --gid 10001 watchpost \
 && useradd --uid 10001 --shell /usr/sbin/nologin --gid watchpost --home-dir /srv/watchpost watchpost \
 && mkdir -p /srv/watchpost/var \
 && chown watchpost:watchpost /srv/watchpost/var \
 && chmod 700 /srv/watchpost/var
COPY --from=build /opt/watchpost /opt/watchpost
COPY config /srv/watchpost/config
COPY seeds /srv/watchpost/seeds
WORKDIR /srv/watchpost
ENV PATH=/opt/watchpost/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WATCHPOST_CONFIG=/srv/watchpost/config/watchpost.yaml \
    WATCHPOST_DATA=/srv/watchpost/var \
    WATCHPOST_HTTP_LISTEN=127.0.0.1:8080
USER watchpost
VOLUME /srv/watchpost/var
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
ENTRYPOINT ["watchpost"]
CMD ["run"]
