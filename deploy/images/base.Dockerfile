# A base on top of a registry's Debian 12, named by digest; see build.py.
ARG BASE
FROM ${BASE}
ARG PACKAGES
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ${PACKAGES} \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15 /etc/ssl/private /etc/machine-id
