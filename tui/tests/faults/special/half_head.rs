//! Requests of which only half the headers arrive, many at a time, straight at the services.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::words::LIBER_PRIMUS;
use mrdeck_testkit::{process, wait_until};

/// More than a service has places for requests.
const CALLERS: usize = 100;

pub fn half_sent_headers() -> Option<Duration> {
    let lab = Lab::new([]);
    let services = [&lab.splitter, &lab.mappers[0], &lab.reducer];
    let held: Vec<TcpStream> = services
        .iter()
        .flat_map(|service| (0..CALLERS).map(|_| half_sent(service.address)))
        .collect();
    lab.expect_exact(lab.run(6).run(), LIBER_PRIMUS.as_bytes());
    // Nothing of them is left to hold a service up that is told to stop.
    drop(held);
    for service in services {
        let process = process::of(service.pid());
        service.signal("TERM");
        wait_until("the service's end", || !process.is_alive());
    }
    None
}

fn half_sent(to: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: serv")
        .unwrap();
    stream
}
