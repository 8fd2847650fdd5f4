//! A mapper that dies and whose address refuses connections, while the list of tasks still has it.

use std::time::Duration;

use jiff::Timestamp;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::fault::Fault;
use mrdeck_testkit::proxy::rule::Filter;
use mrdeck_testkit::wait_until;
use mrdeck_testkit::words::LIBER_PRIMUS;
use serde_json::Value;

const MAPPERS: usize = 6;
const CHUNKS: &str = "200";
/// What each map waits for S3: the others are busy all the time.
const BUSY: Duration = Duration::from_millis(20);
/// The shortest pause between two probes, rounded down.
const PAUSE: Duration = Duration::from_millis(100);

pub fn refuses_connections() -> Option<Duration> {
    let lab = Lab::proxied(MAPPERS);
    let readings = Filter {
        between: Some("mapper-* → s3".to_owned()),
        ..Filter::default()
    };
    lab.script.replace([Fault::Delay(BUSY).when(readings)]);
    let input = lab.s3.put("input.txt", LIBER_PRIMUS);
    let direct = lab.direct_addresses();
    let console = lab
        .console_to(&direct, "run")
        .args([&input, "--split", "range"]);
    let console = console.args(["--chunks", CHUNKS, "--output", "json"]);
    let running = console.start();
    let dead = &lab.mappers[0];
    let address = dead.address.to_string();
    let events = || lab.home.record();
    let of_dead = |event: &Value| event["address"] == *address;
    wait_until("a map on it", || {
        let mut started = events().into_iter();
        started.any(|event| event["event"] == "attempt_started" && of_dead(&event))
    });
    dead.kill();
    lab.expect_exact(running.wait(), LIBER_PRIMUS.as_bytes());

    let events = events();
    let with = |name: &'static str| events.iter().filter(move |event| event["event"] == name);
    assert_eq!(with("worker_down").count(), 1, "it is told, once");
    assert!(with("attempt_failed").all(|event| !event["retry_in_ms"].is_null()));
    // What it was asked since it was dead.
    let down = with("worker_down").next().unwrap();
    let at = |event: &Value| event["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let probes: Vec<Timestamp> = with("attempt_started")
        .filter(|event| of_dead(event))
        .map(at)
        .filter(|started| *started >= at(down))
        .collect();
    for pair in probes.windows(2) {
        let pause = pair[1].duration_since(pair[0]).unsigned_abs();
        assert!(pause >= PAUSE, "{pause:?} between two probes");
    }
    None
}
