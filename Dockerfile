# The image of every service. docker-compose.yml builds them; by hand:
#   docker build --build-arg SERVICE=payment-service --tag caisse/payment-service .
FROM python:3.11-slim-bookworm AS build
ARG SERVICE
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv --without-pip /opt/caisse

COPY requirements/${SERVICE}.txt requirements.txt
RUN pip --python /opt/caisse install --require-hashes --requirement requirements.txt

# setuptools, one of the pins, builds our packages and has done its work then.
COPY service-kit service-kit
COPY ${SERVICE} service
RUN pip --python /opt/caisse install --no-deps --no-build-isolation ./service-kit ./service \
    && pip --python /opt/caisse uninstall --yes setuptools

# pip gives what it installs the usual modes; what is copied has those of the checkout, perhaps made with umask 077.
RUN mkdir /app && cp -r service/gunicorn.conf.py service/migrations /app/ && chmod -R a+rX /app


FROM python:3.11-slim-bookworm
RUN pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && rm -r /usr/local/lib/python3.11/ensurepip \
    && groupadd --gid 10001 caisse && useradd --uid 10001 --gid caisse --home-dir /app caisse \
    && mkdir -p /app/.run && chown caisse:caisse /app/.run
COPY --from=build /opt/caisse /opt/caisse
COPY --from=build /app /app

WORKDIR /app
ENV PATH=/opt/caisse/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MIGRATIONS_DIR=/app/migrations
# By number, so that an orchestrator sees that it is not root.
USER 10001:10001
CMD ["gunicorn"]
