# The locked Python packages on Debian's, and a user per process; see build.py.
ARG BASE
FROM ${BASE}
RUN for user in api:64980 git:64981 worker:64982 dagster:64983 log:64984 docker-proxy:64985 \
        exporter:64986 backup:64987 signer:64991 postgres:64970; do \
        groupadd --gid "${user#*:}" "signalbox-${user%:*}" \
        && useradd --uid "${user#*:}" --gid "${user#*:}" --no-create-home --home-dir /tmp \
            --key UID_MAX=65000 --shell /usr/sbin/nologin "signalbox-${user%:*}" || exit 1; \
    done \
    && ln -s /usr/bin/python3 /usr/local/bin/python
COPY packages/ /usr/local/lib/python3.11/dist-packages/
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", \
     "/usr/local/lib/python3.11/dist-packages"]
