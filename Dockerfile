# An image of one service:  docker build --build-arg SERVICE=mapper -t mapper .
#
# The two base images belong together: what is linked against one Debian's libc runs on that Debian. The runtime one is
# Debian's libc and CA certificates without a shell or a package manager, so nothing is installed on top of it.
ARG RUST_IMAGE=docker.io/library/rust:1.94.1-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12

# Refuses a wrong SERVICE before anything is compiled. It hands on the same file whichever service it is, so all four
# share every layer of the next stage.
FROM ${RUST_IMAGE} AS asked
ARG SERVICE
RUN case "${SERVICE}" in \
        splitter|mapper|reducer|hello) touch -d @0 /known ;; \
        *) echo "there is no service '${SERVICE}': give --build-arg SERVICE=splitter, mapper, reducer or hello" >&2; exit 2 ;; \
    esac

FROM ${RUST_IMAGE} AS build
# With link-time optimisation the dependencies would be compiled to machine code once for each binary, at its linking:
# a layer of compiled dependencies would save nothing.
ENV CARGO_PROFILE_RELEASE_LTO=false
COPY --from=asked /known /known
WORKDIR /src
# The dependencies, in a layer that only a change of a manifest makes anew: our own sources are empty here. The
# manifests of the console and of its test kit complete the workspace, and the tests that they name have to be there; none of their dependencies
# is compiled or downloaded.
COPY Cargo.toml Cargo.lock ./
COPY services/core/Cargo.toml services/core/
COPY services/store/Cargo.toml services/store/
COPY services/client/Cargo.toml services/client/
COPY services/server/Cargo.toml services/server/
COPY tui/engine/Cargo.toml tui/engine/
COPY tui/cluster/Cargo.toml tui/cluster/
COPY tui/console/Cargo.toml tui/console/
COPY tui/testkit/Cargo.toml tui/testkit/
RUN for crate in services/core services/store services/client services/server tui/engine tui/cluster tui/console \
        tui/testkit; do \
        mkdir -p $crate/src && touch $crate/src/lib.rs; \
    done \
    && for test in it aws faults storm; do mkdir -p tui/tests/$test && touch tui/tests/$test/main.rs; done \
    && mkdir services/server/src/bin \
    && for service in splitter mapper reducer hello; do echo 'fn main() {}' >services/server/src/bin/$service.rs; done \
    && cargo build --locked --release -p mrdeck-services
COPY services/core/src services/core/src
COPY services/store/src services/store/src
COPY services/server/src services/server/src
# Cargo compares times, and the sources are older than the empty ones were.
RUN touch services/*/src/lib.rs services/server/src/bin/*.rs \
    && cargo build --locked --release -p mrdeck-services

FROM ${RUNTIME_IMAGE}
ARG SERVICE
COPY --from=build /src/target/release/${SERVICE} /usr/local/bin/service
ENV ADDR=:8080
EXPOSE 8080
# A number, because Kubernetes and others can tell only from a number that it is not root.
USER 65532:65532
# No shell in between: the service is process 1 and gets the signal itself.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/usr/local/bin/service", "--healthcheck"]
ENTRYPOINT ["/usr/local/bin/service"]
