# The image of a node: `docker build -t asg4img .` (the classic builder will do).
#
# Where no image registry can be reached, deploy/make-base makes the base first.

FROM debian:bookworm-slim AS build
WORKDIR /thence
COPY tools tools
RUN tools/setup build
COPY CMakeLists.txt CMakeLists.txt
COPY cmake cmake
COPY src src
RUN tools/build gcc thence-node && tools/build gcc thence \
    && strip build/gcc/bin/thence-node build/gcc/bin/thence

FROM debian:bookworm-slim
RUN apt-get -qq update \
    && apt-get -qq install -y --no-install-recommends libuv1 >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    && useradd --system --uid 8090 --user-group --no-create-home --home-dir /data thence \
    && install -d -o thence -g thence -m 0750 /data
COPY --from=build /thence/build/gcc/bin/thence-node /thence/build/gcc/bin/thence /usr/local/bin/
COPY LICENSE /usr/share/doc/thence/LICENSE
USER thence
WORKDIR /data
ENV DATA_DIR=/data
VOLUME ["/data"]
EXPOSE 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
    CMD ["thence-node", "healthcheck"]
ENTRYPOINT ["thence-node"]
