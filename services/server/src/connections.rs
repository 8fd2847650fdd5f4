//! The connections of a service: accepts them within a limit, gives each a deadline for its requests, and ends them in
//! good order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// The longest that a connection may take for the head of a request, and be idle before it.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes. A `GET /reduce` names its map outputs there; more of them are for `POST`.
const LARGEST_HEAD: usize = 128 << 10;
/// The connections beyond the limit that are told so. Any more wait until one of these is gone.
const TOLD: usize = 64;
/// After a failed `accept`, so that waiting for file descriptors does not take all the time there is.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection without a request in work goes on after the service is told to stop, for an answer on its way.
const LINGER: Duration = Duration::from_millis(500);

/// What a service allows its callers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections that are served at the same time.
    pub connections: usize,
    pub head: Duration,
    /// The time that requests in flight have after the service is told to stop.
    pub grace: Duration,
}

/// Serves until `shutdown` completes; then accepts no more connections, and waits for requests in flight.
///
/// What is beyond the limit of connections is served by `refusing`.
pub async fn serve(
    listener: TcpListener,
    service: Router,
    refusing: Router,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) {
    let places = Arc::new(Semaphore::new(limits.connections + TOLD));
    let stopping = CancellationToken::new();
    let connections = TaskTracker::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok()?;
            let accepted = listener.accept().await;
            Some((place, accepted))
        };
        let next = tokio::select! {
            next = next => next,
            () = &mut shutdown => None,
        };
        let Some((place, accepted)) = next else {
            break;
        };
        match accepted {
            Ok((socket, _)) => {
                let is_beyond = places.available_permits() < TOLD;
                let service = if is_beyond { &refusing } else { &service };
                let (service, stopping) = (service.clone(), stopping.clone());
                connections.spawn(async move {
                    connection(socket, service, stopping, limits.head).await;
                    drop::<OwnedSemaphorePermit>(place);
                });
            }
            Err(error) => {
                log_failed_accept(&error);
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    if timeout(limits.grace, connections.wait()).await.is_err() {
        let seconds = limits.grace.as_secs();
        tracing::warn!(seconds, "requests still in flight were abandoned");
    }
}

fn log_failed_accept(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
}

/// Serves one connection to its end. Once `stopping`, it ends as soon as no request on it is in work.
async fn connection(
    socket: TcpStream,
    service: Router,
    stopping: CancellationToken,
    head_deadline: Duration,
) {
    // Without it the end of an answer may wait for the delayed acknowledgement of its beginning, about 40 ms.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let in_work = AtomicUsize::new(0);
    let answer = service_fn(|request: Request<Incoming>| {
        in_work.fetch_add(1, Ordering::Relaxed);
        let answer = service.clone().oneshot(request.map(Body::new));
        let in_work = &in_work;
        async move {
            let answer = answer.await;
            in_work.fetch_sub(1, Ordering::Relaxed);
            answer as Result<_, Infallible>
        }
    });
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_deadline)
            .max_header_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(socket), answer)
    );
    tokio::select! {
        result = served.as_mut() => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection ended early");
            }
            return;
        }
        () = stopping.cancelled() => served.as_mut().graceful_shutdown(),
    }
    loop {
        tokio::select! {
            _ = served.as_mut() => return,
            () = sleep(LINGER) => {
                if in_work.load(Ordering::Relaxed) == 0 {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::{Notify, oneshot};
    use tokio::task::JoinHandle;

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 8,
        head: Duration::from_secs(30),
        grace: Duration::from_secs(30),
    };

    struct Server {
        addr: SocketAddr,
        stop: oneshot::Sender<()>,
        served: JoinHandle<()>,
        /// Told when the path `/wait` was entered.
        entered: Arc<Notify>,
        /// What it waits for.
        leave: Arc<Notify>,
    }

    async fn start(limits: Limits) -> Server {
        let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let notify = (entered.clone(), leave.clone());
        let waiting = move || {
            let (entered, leave) = notify.clone();
            async move {
                entered.notify_one();
                leave.notified().await;
                "done"
            }
        };
        let service = Router::new()
            .route("/", get(async || "here"))
            .route("/wait", get(waiting));
        let refusing = Router::new().fallback(async || "full");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap() };
        let served = tokio::spawn(serve(listener, service, refusing, shutdown, limits));
        Server {
            addr,
            stop,
            served,
            entered,
            leave,
        }
    }

    async fn send(addr: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn request(addr: SocketAddr, path: &str) -> TcpStream {
        send(addr, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
    }

    async fn rest(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn expect_answer(stream: &mut TcpStream, expected: &str) {
        let mut answer = Vec::new();
        while !answer.ends_with(expected.as_bytes()) {
            let read = stream.read_buf(&mut answer).await.unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        }
    }

    #[tokio::test]
    async fn a_request_in_flight_is_finished_and_no_other_taken() {
        let server = start(LIMITS).await;
        let stream = request(server.addr, "/wait").await;
        server.entered.notified().await;
        server.stop.send(()).unwrap();
        while TcpStream::connect(server.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
        // Longer than a connection without a request in work would live.
        sleep(LINGER * 3).await;
        server.leave.notify_one();
        let answer = rest(stream).await;
        assert!(answer.ends_with("done"), "{answer}");
        server.served.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_without_end_is_abandoned() {
        let grace = Duration::from_millis(20);
        let server = start(Limits { grace, ..LIMITS }).await;
        let _stream = request(server.addr, "/wait").await;
        server.entered.notified().await;
        server.stop.send(()).unwrap();
        server.served.await.unwrap();
    }

    #[tokio::test]
    async fn neither_half_a_head_nor_an_idle_connection_delays_the_end() {
        let hour = Duration::from_hours(1);
        let limits = Limits {
            head: hour,
            grace: hour,
            ..LIMITS
        };
        let server = start(limits).await;
        let half = send(server.addr, "GET / HTTP/1.1\r\nhost: ").await;
        let mut idle = request(server.addr, "/").await;
        expect_answer(&mut idle, "here").await;
        server.stop.send(()).unwrap();
        server.served.await.unwrap();
        drop(half);
    }

    #[tokio::test]
    async fn half_a_head_is_waited_for_within_its_deadline_only() {
        let head = Duration::from_millis(50);
        let server = start(Limits { head, ..LIMITS }).await;
        assert_eq!(rest(send(server.addr, "GET / HT").await).await, "");
        assert_eq!(rest(send(server.addr, "").await).await, "");
    }

    #[tokio::test]
    async fn whoever_is_beyond_the_limit_is_told_so() {
        let server = start(LIMITS).await;
        let mut held = Vec::new();
        for _ in 0..LIMITS.connections {
            let mut stream = request(server.addr, "/").await;
            expect_answer(&mut stream, "here").await;
            held.push(stream);
        }
        let mut beyond = request(server.addr, "/").await;
        expect_answer(&mut beyond, "full").await;
        held.clear();
        // Its place is free as soon as the server has seen the end.
        loop {
            let mut stream = request(server.addr, "/").await;
            let mut answer = [0; 512];
            let length = stream.read(&mut answer).await.unwrap();
            if answer[..length].ends_with(b"here") {
                break;
            }
        }
    }

    #[tokio::test]
    async fn a_head_beyond_the_limit_is_refused() {
        let server = start(LIMITS).await;
        let long = "x".repeat(LARGEST_HEAD);
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {long}\r\n\r\n");
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        // It may be closed before all of it is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test]
    async fn accepted_connections_send_without_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(addr), listener.accept());
        let (accepted, _) = accepted.unwrap();
        let watched = std::os::fd::AsFd::as_fd(&accepted)
            .try_clone_to_owned()
            .unwrap();
        let watched = TcpStream::from_std(std::net::TcpStream::from(watched)).unwrap();
        let mut client = client.unwrap();
        let service = Router::new().route("/", get(async || "here"));
        let stopping = CancellationToken::new();
        let served = connection(accepted, service, stopping, LIMITS.head);
        let asked = async {
            let head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            client.write_all(head).await.unwrap();
            rest(client).await
        };
        let ((), answer) = tokio::join!(served, asked);
        assert!(answer.ends_with("here"), "{answer}");
        assert!(watched.nodelay().unwrap());
    }
}
