//! The health check of a container: asks the service on the same machine from outside its process.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::config::{ConfigError, ListenAddr};
use mrdeck_core::api;
use mrdeck_core::human::excerpt;

/// The longest the whole check may take. A healthy service needs milliseconds, even on a quarter of a CPU.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// The most bytes that are read of an answer; that of a service is much shorter.
const LONGEST_ANSWER: u64 = 16 << 10;

/// The reasons why a service does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "ADDR '{0}' lets the system choose the port, so the health check can't find it; name a port"
    )]
    AnyPort(ListenAddr),
    #[error("nothing can be reached at {addr}: {source}")]
    Unreachable { addr: ListenAddr, source: io::Error },
    #[error("what listens at {addr} broke the connection off: {source}")]
    BrokenOff { addr: ListenAddr, source: io::Error },
    #[error("what listens at {addr} did not answer within {} s", DEADLINE.as_secs())]
    Stalled { addr: ListenAddr },
    #[error(
        "what listens at {addr} answered /health with '{answer}' instead of 'ok'; it may be another program"
    )]
    Other { addr: ListenAddr, answer: String },
}

/// Checks that a healthy service listens at `addr` on this machine.
///
/// # Errors
///
/// Returns an error if no service answers in time, or not with `ok`.
pub fn check(addr: &ListenAddr) -> Result<(), Unhealthy> {
    if addr.port == 0 {
        return Err(Unhealthy::AnyPort(addr.clone()));
    }
    // One deadline covers everything, the resolution of the name too. A request that is stuck ends with the process.
    let (sender, answered) = mpsc::sync_channel(1);
    let asked = addr.clone();
    thread::spawn(move || sender.send(ask(&asked)));
    let stalled = |_| Unhealthy::Stalled { addr: addr.clone() };
    answered.recv_timeout(DEADLINE).map_err(stalled)?
}

fn ask(addr: &ListenAddr) -> Result<(), Unhealthy> {
    let unreachable = |source| Unhealthy::Unreachable {
        addr: addr.clone(),
        source,
    };
    let broken_off = |source| Unhealthy::BrokenOff {
        addr: addr.clone(),
        source,
    };
    let reachable = reachable_at(addr).map_err(unreachable)?;
    let stream = TcpStream::connect(&reachable[..]).map_err(unreachable)?;
    let answer = exchange(stream, addr).map_err(broken_off)?;
    if is_healthy(&answer) {
        return Ok(());
    }
    Err(Unhealthy::Other {
        addr: addr.clone(),
        answer: excerpt(&answer, 80),
    })
}

/// Returns the addresses at which a service that listens at `addr` can be reached from its own machine.
fn reachable_at(addr: &ListenAddr) -> io::Result<Vec<SocketAddr>> {
    let Some(host) = &addr.host else {
        // The same order in which the service tries to listen.
        let both: [IpAddr; 2] = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        return Ok(both.map(|ip| SocketAddr::new(ip, addr.port)).into());
    };
    let mut found: Vec<_> = (host.as_str(), addr.port).to_socket_addrs()?.collect();
    for at in &mut found {
        match at.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => at.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => at.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
    }
    Ok(found)
}

fn exchange(mut stream: TcpStream, addr: &ListenAddr) -> io::Result<String> {
    let path = api::HEALTH;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn is_healthy(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    head.starts_with("HTTP/1.1 200 ") && body == "ok"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn at(addr: &str) -> Vec<String> {
        let found = reachable_at(&addr.parse().unwrap()).unwrap();
        found.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn every_interface_is_asked_on_loopback_and_one_address_there() {
        assert_eq!(at(":8080"), ["[::1]:8080", "127.0.0.1:8080"]);
        assert_eq!(at("0.0.0.0:8080"), ["127.0.0.1:8080"]);
        assert_eq!(at("[::]:8080"), ["[::1]:8080"]);
        assert_eq!(at("127.0.0.9:1"), ["127.0.0.9:1"]);
    }

    #[test]
    fn only_our_answer_is_healthy() {
        assert!(is_healthy("HTTP/1.1 200 OK\r\nx: y\r\n\r\nok"));
        for other in [
            "",
            "ok",
            "HTTP/1.1 200 OK\r\n\r\nfine",
            "HTTP/1.1 404 Not Found\r\n\r\nok",
            "220 mail.example ESMTP\r\n\r\nok",
        ] {
            assert!(!is_healthy(other), "{other}");
        }
    }
}
