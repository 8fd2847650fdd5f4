# An image of one service:  docker build --build-arg SERVICE=mapper -t mapper .
#
# The two base images belong together: what is linked against one Debian's libc runs on that Debian. The runtime one is
# Debian's libc and CA certificates without a shell or a package manager, so nothing is installed on top of it.
ARG RUST_IMAGE=docker.io/library/rust:1.94.1-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12

# Refuses a wrong SERVICE before anything is compiled. It hands on the same file whichever service it is, so all four
# images share the program of the next stage.
FROM ${RUST_IMAGE} AS asked
ARG SERVICE
RUN case "${SERVICE}" in \
        splitter|mapper|reducer|hello) touch -d @0 /known && echo "${SERVICE}" >/name ;; \
        *) echo "there is no service '${SERVICE}': give --build-arg SERVICE=splitter, mapper, reducer or hello" >&2; exit 2 ;; \
    esac

# What is compiled is gathered in stages that hold nothing else, so that each is one layer of the next one.
#
# The manifests of the console and of its test kit complete the workspace; none of their dependencies is compiled or
# downloaded.
FROM scratch AS manifests
COPY Cargo.toml Cargo.lock ./
COPY services/core/Cargo.toml services/core/
COPY services/store/Cargo.toml services/store/
COPY services/client/Cargo.toml services/client/
COPY services/server/Cargo.toml services/server/
COPY tui/engine/Cargo.toml tui/engine/
COPY tui/cluster/Cargo.toml tui/cluster/
COPY tui/console/Cargo.toml tui/console/
COPY tui/testkit/Cargo.toml tui/testkit/

FROM scratch AS sources
COPY services/core/src services/core/src
COPY services/store/src services/store/src
COPY services/server/src services/server/src

FROM ${RUST_IMAGE} AS build
COPY --from=asked /known /known
WORKDIR /src
COPY --from=manifests / ./
# The dependencies, in a layer that only a change of a manifest makes anew: our own sources are empty here, and what the
# manifests name by path has to be there.
RUN for manifest in services/*/Cargo.toml tui/*/Cargo.toml; do \
        crate=$(dirname $manifest) && mkdir -p $crate/src && touch $crate/src/lib.rs \
        && for path in $(sed -n 's/^path = "\(.*\)"$/\1/p' $manifest); do \
            mkdir -p $crate/$(dirname $path) && echo 'fn main() {}' >$crate/$path || exit 1; \
        done || exit 1; \
    done \
    && cargo build --locked --release -p mrdeck-services
COPY --from=sources / ./
# Cargo compares times, and the sources are older than the empty ones were.
RUN touch services/*/src/lib.rs services/server/src/main.rs \
    && cargo build --locked --release -p mrdeck-services

FROM ${RUNTIME_IMAGE}
ARG SERVICE
COPY --from=build /src/target/release/mrdeck-service /usr/local/bin/service
# Some versions of buildah take an ENV from their cache whatever its arguments are. A file that differs keeps them from it.
COPY --from=asked /name /etc/mrdeck-service
ENV SERVICE=${SERVICE} ADDR=:8080
EXPOSE 8080
# A number, because Kubernetes and others can tell only from a number that it is not root.
USER 65532:65532
# No shell in between: the service is process 1 and gets the signal itself.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/usr/local/bin/service", "--healthcheck"]
ENTRYPOINT ["/usr/local/bin/service"]
