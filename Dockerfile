# syntax=docker/dockerfile:1
# docker build -t palisade .
# docker run --read-only --cap-drop ALL -p 443:8443 -p 80:8080 -v palisade:/var/lib/palisade palisade

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
RUN rustup component add llvm-tools
WORKDIR /src
COPY . .
# The rule set is part of the image: an edge in production fetches nothing. A .tar.gz in the build's folder spares
# the download: --build-arg PALISADE_CRS_FROM=crs.tar.gz. Its regression tests are of no use here.
ARG PALISADE_CRS_FROM=
# Built twice, the second time with the profile of a minute's load (docs/decisions/0051-built-with-a-profile.md).
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    scripts/dist.sh && cp target/pgo/palisade /palisade
RUN /palisade rules install --dir /crs && rm -rf /crs/tests && /palisade rules verify --dir /crs
RUN mkdir /data

# glibc, CA certificates, no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /palisade /usr/bin/palisade
COPY --from=build /crs /usr/share/palisade/crs
COPY LICENSE NOTICE /usr/share/doc/palisade/
COPY config/container.toml /etc/palisade/palisade.toml
COPY --from=build --chown=65532:65532 /data /var/lib/palisade
USER 65532:65532
VOLUME /var/lib/palisade
EXPOSE 8443 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/bin/palisade", "health"]
# SIGTERM drains for [server].grace, 25 s: give it the time with `docker stop -t 30`.
ENTRYPOINT ["/usr/bin/palisade"]
CMD ["run"]
