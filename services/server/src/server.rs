//! Starts a service: its address, its configuration, its signals.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, ListenAddr, environment, listen_addr};
use crate::connections::{HEAD_DEADLINE, Limits, serve};
use crate::descriptors;
use crate::hello;
use crate::http::{ServiceState, full, router};
use crate::memory;
use mrdeck_core::role::Role;
use mrdeck_store::aws::{AwsOptions, Retries, s3_client, sdk_config, warm_up};
use mrdeck_store::regional::RegionalStore;
use mrdeck_store::settings::SettingsError;

/// The time that requests in flight have after the service is told to stop; ECS kills it after 30 s.
pub const GRACE: Duration = Duration::from_secs(25);

/// The reasons why a service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}; {}", .0, .0.advice())]
    Settings(#[from] SettingsError),
    #[error(
        "the address {addr} is taken by another process; stop that one, or choose another with ADDR=HOST:PORT"
    )]
    AddrInUse { addr: ListenAddr },
    #[error("can't listen on {addr}: {source}; choose another address with ADDR=HOST:PORT")]
    Bind { addr: ListenAddr, source: io::Error },
    #[error("can't start the runtime: {0}")]
    Runtime(io::Error),
    #[error("can't listen for signals: {0}")]
    Signals(io::Error),
    #[error("the service stopped: {0}")]
    Stopped(io::Error),
}

/// Options of a service on top of the environment. The default adds none.
pub struct RunOptions {
    aws: AwsOptions,
    addr: Option<ListenAddr>,
    on_listening: Box<dyn FnOnce(SocketAddr) + Send>,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Default for RunOptions {
    fn default() -> Self {
        let shutdown = Box::pin(pending());
        Self {
            aws: AwsOptions::default(),
            addr: None,
            on_listening: Box::new(|_| ()),
            shutdown,
        }
    }
}

impl RunOptions {
    /// Sets the region, endpoint and credentials, which override the environment's.
    #[must_use]
    pub fn aws(mut self, aws: AwsOptions) -> Self {
        self.aws = aws;
        self
    }

    /// Sets the address, which overrides `ADDR`.
    #[must_use]
    pub fn addr(mut self, addr: ListenAddr) -> Self {
        self.addr = Some(addr);
        self
    }

    /// Sets a callback that is called once, as soon as connections are accepted.
    #[must_use]
    pub fn on_listening(mut self, call: impl FnOnce(SocketAddr) + Send + 'static) -> Self {
        self.on_listening = Box::new(call);
        self
    }

    /// Sets a future that stops the service when it completes, like SIGTERM and SIGINT.
    #[must_use]
    pub fn shutdown(mut self, when: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Box::pin(when);
        self
    }
}

/// Runs a service as the environment configures it, until SIGTERM, SIGINT or [`RunOptions::shutdown`].
///
/// # Errors
///
/// Returns an error for an invalid configuration, an address that can't be listened on, and a server that fails.
pub async fn run(role: Role, options: RunOptions) -> Result<(), ServeError> {
    let mut config = Config::from_env(role, environment)?;
    if let Some(addr) = &options.addr {
        config.addr = addr.clone();
    }
    config.max_table_bytes = config.max_table_bytes.or_else(memory::for_a_table);
    let addr = config.addr.clone();
    let aws = options.aws.clone();
    let service = async move {
        let aws = Box::pin(sdk_config(&aws)).await?;
        // The caller retries the work as a whole, on another task; a second layer of retries here would only hide the
        // reason for a delay.
        let client = s3_client(&aws, Retries::None);
        let warming = client.clone();
        // Beside the start, which it must not delay.
        tokio::spawn(async move { warm_up(&warming).await });
        let store = RegionalStore::new(client);
        Ok(router(role, ServiceState::new(Arc::new(store), config)))
    };
    run_service(role.as_str(), &addr, service, options).await
}

/// Runs the deployment check, whose only configuration is its address.
///
/// # Errors
///
/// Returns an error as [`run`] does.
pub async fn run_hello(options: RunOptions) -> Result<(), ServeError> {
    let addr = match &options.addr {
        Some(addr) => addr.clone(),
        None => listen_addr(environment("ADDR").as_deref())?,
    };
    run_service("hello", &addr, async { Ok(hello::router()) }, options).await
}

/// Binds the port before it creates the service, so that a port in use is reported at once.
async fn run_service(
    name: &'static str,
    addr: &ListenAddr,
    service: impl Future<Output = Result<Router, ServeError>>,
    options: RunOptions,
) -> Result<(), ServeError> {
    let stop = stop_signal().map_err(ServeError::Signals)?;
    let listener = bind(addr).await?;
    let addr = listener.local_addr().map_err(ServeError::Stopped)?;
    let service = service.await?;
    let connections = descriptors::connections();
    tracing::info!(role = name, %addr, version = env!("CARGO_PKG_VERSION"), "listening");
    (options.on_listening)(addr);
    let shutdown = async move {
        tokio::select! {
            () = stop => {}
            () = options.shutdown => {}
        }
        tracing::info!(role = name, "stopping");
    };
    let limits = Limits {
        connections,
        head: HEAD_DEADLINE,
        grace: GRACE,
    };
    serve(listener, service, full(connections), shutdown, limits).await;
    Ok(())
}

async fn bind(addr: &ListenAddr) -> Result<TcpListener, ServeError> {
    let bound = match &addr.host {
        Some(host) => TcpListener::bind((host.as_str(), addr.port)).await,
        // `::` accepts IPv4 as well, but does not exist where IPv6 is disabled.
        None => match TcpListener::bind(("::", addr.port)).await {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                TcpListener::bind(("0.0.0.0", addr.port)).await
            }
            bound => bound,
        },
    };
    bound.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::AddrInUse { addr: addr.clone() },
        _ => ServeError::Bind {
            addr: addr.clone(),
            source,
        },
    })
}

/// Completes at the first SIGTERM or SIGINT; the handlers are in place when this returns.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes at the first Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            pending().await
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_told_apart() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = taken.local_addr().unwrap().to_string().parse().unwrap();
        assert!(matches!(
            bind(&addr).await,
            Err(ServeError::AddrInUse { .. })
        ));
        let every = ListenAddr {
            host: None,
            port: 0,
        };
        assert_ne!(bind(&every).await.unwrap().local_addr().unwrap().port(), 0);
    }
}
