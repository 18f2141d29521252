# All of Easel except the generator, in one image; the command selects the part.
#   docker build -t easel .
#   docker run --rm easel python -m functions.gateway      the site and the API (the default)
#   docker run --rm easel python -m poller worker          moves jobs through the generators
#   docker run --rm easel python -m alembic upgrade head   migrates the database to this version
#   docker run --rm easel easel --help                     the operator's command
# --target web is nginx with the site's files: the one origin in front of gateways.
FROM python:3.13.11-slim-trixie AS build
COPY requirements/app.txt /build/requirements.txt
# The environment is made without pip, so that the final image has none.
RUN python -m venv --without-pip /opt/easel \
 && python -m pip --python /opt/easel/bin/python install --quiet --no-cache-dir --only-binary :all: \
      --require-hashes -r /build/requirements.txt
WORKDIR /opt/easel/app
COPY docker/easel /opt/easel/bin/easel
COPY docker/migrate.sh docker/
COPY alembic.ini ./
COPY web ./web
COPY localstack ./localstack
COPY migrations ./migrations
COPY cli ./cli
COPY poller ./poller
COPY shared ./shared
COPY functions ./functions
# Compile now: the file system is read-only at run time.
RUN /opt/easel/bin/python -m compileall -q /opt/easel/app

FROM build AS site
COPY infra ./infra
RUN /opt/easel/bin/python -m infra.site /site --nginx /headers

FROM nginx:1.28.0-bookworm AS web
COPY docker/nginx /opt/easel
COPY --from=site /site /opt/easel/site
COPY --from=site /headers /opt/easel/headers
USER 10001:10001
EXPOSE 8080 9000
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/favicon.svg"]
STOPSIGNAL SIGQUIT
ENTRYPOINT ["sh", "/opt/easel/start.sh"]

FROM python:3.13.11-slim-trixie AS app
# The base image's pip is not needed.
RUN rm -rf /usr/local/bin/pip* /usr/local/bin/idle* /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip
ENV PATH=/opt/easel/bin:$PATH PYTHONPATH=/opt/easel/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 EASEL_HOST=0.0.0.0
COPY --from=build /opt/easel /opt/easel
WORKDIR /opt/easel/app
# With a read-only root file system, a volume mounted here has this folder's permissions.
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8080
CMD ["python", "-m", "functions.gateway"]
