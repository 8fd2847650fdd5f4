//! Requests of which only half the head or half the body arrives, many at a time, straight at the services.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::words::LIBER_PRIMUS;
use mrdeck_testkit::{process, wait_until};

/// More than a service has places for requests.
const CALLERS: usize = 200;
/// Half a head, and half a body.
const HALVES: [&str; 2] = [
    "GET /health HTTP/1.1\r\nhost: serv",
    "POST /reduce HTTP/1.1\r\nhost: service\r\ncontent-length: 99\r\n\r\n{\"in\":",
];

pub fn half_sent_headers() -> Option<Duration> {
    let lab = Lab::new([]);
    let services = [&lab.splitter, &lab.mappers[0], &lab.reducer];
    let held: Vec<TcpStream> = services
        .iter()
        .flat_map(|service| (0..CALLERS).map(|index| half_sent(service.address, HALVES[index % 2])))
        .collect();
    lab.expect_exact(lab.run(6).run(), LIBER_PRIMUS.as_bytes());
    // They are still there, and hold no service up that is told to stop.
    for service in services {
        let process = process::of(service.pid());
        service.signal("TERM");
        wait_until("the service's end", || !process.is_alive());
    }
    drop(held);
    None
}

fn half_sent(to: SocketAddr, half: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(half.as_bytes()).unwrap();
    stream
}
