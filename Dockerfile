# move-tables as an image: docker build -t move-tables . && docker run --rm move-tables version
#
#   BASE    a Debian that has the real libmysqlclient, which is sid. Where it can't be pulled:
#           script/move-tables/image --base move-tables-base:local, then --build-arg BASE=…
#   COMMIT  what `move-tables version` shows
ARG BASE=debian:sid-slim

FROM ${BASE} AS build
WORKDIR /src
COPY script/packages script/packages
# sid's Release file may have expired on a frozen mirror.
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && sed -n '/^[^#].*\[build\]/s/[[:space:]].*//p' script/packages \
  | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends
COPY Makefile ./
COPY cmd cmd
COPY src src
ARG COMMIT=unknown
RUN MT_COMMIT="$COMMIT" make -j"$(nproc)" all
# Which packages carry the libraries that it was linked with: their names change, so they
# are asked for and not listed.
RUN ldd build/move-tables | awk '$3 ~ "^/" { print $3 }' | xargs -n 1 readlink -f \
  | sed 'p; s,^/usr,,' | xargs dpkg-query -S 2>/dev/null | cut -d: -f1 | sort -u >runtime-packages

FROM ${BASE}
COPY --from=build /src/runtime-packages /usr/share/move-tables/runtime-packages
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && DEBIAN_FRONTEND=noninteractive xargs -a /usr/share/move-tables/runtime-packages \
      apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/move-tables /usr/local/bin/move-tables
RUN move-tables version
USER nobody
WORKDIR /moves
ENTRYPOINT ["move-tables"]
CMD ["--help"]
