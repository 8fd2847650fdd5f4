//! A terminal that stalls stalls only the screen: the run goes on, and its record shows nothing of it.

use std::time::{Duration, Instant};

use mrdeck_testkit::home::Home;
use mrdeck_testkit::{wait_until, words};
use serde_json::Value;

use super::local;

const CHUNKS: usize = 5_000;
/// How long the terminal is not read, at least.
const STALL: Duration = Duration::from_secs(20);

fn count_of(record: &[Value], event: &str) -> usize {
    record.iter().filter(|e| e["event"] == event).count()
}

#[test]
fn a_run_ends_while_the_terminal_is_not_read() {
    let home = Home::new();
    let mut deck = local(&home);
    for command in [":split range\r", ":chunks 5000\r"] {
        deck.send(command);
    }
    deck.send("s");
    wait_until("the first maps", || {
        count_of(&home.record(), "committed") > 100
    });

    deck.stall();
    let since = Instant::now();
    let record = home.ended_record();
    wait_until("the stall's end", || since.elapsed() >= STALL);

    assert_eq!(record.last().unwrap()["status"], "done");
    assert_eq!(count_of(&record, "attempt_failed"), 0);
    assert_eq!(count_of(&record, "committed"), CHUNKS + 2);
    // The reduce of 5,000 outputs may take as long as the stall; what a service does itself is no waiting.
    let waited = record.iter().filter_map(|e| {
        let worked = e["answer"]["timing"].as_array()?;
        let worked = worked.iter().filter_map(|part| part["ms"].as_f64());
        Some(e["ms"].as_f64()? - worked.sum::<f64>())
    });
    let longest = waited.fold(0.0, f64::max);
    assert!(longest > 0.0, "no service told what it did");
    assert!(
        longest < STALL.as_secs_f64() * 1e3 / 4.0,
        "waited for {longest} ms"
    );
    let maps = record.iter().filter(|e| e["phase"] == "map");
    let slowest_map = maps.filter_map(|e| e["ms"].as_f64()).fold(0.0, f64::max);
    assert!(
        slowest_map < STALL.as_secs_f64() * 1e3 / 4.0,
        "{slowest_map} ms"
    );
    let counts = words::count(words::LIBER_PRIMUS.as_bytes());
    let read = record.iter().find(|e| e["event"] == "result_read").unwrap();
    assert_eq!(read["words"], counts.values().sum::<u64>());
    assert_eq!(read["unique"], counts.len() as u64);

    deck.go_on();
    deck.wait_text(&["done in"]);
    deck.send("q");
    deck.wait().expect_restored();
}
