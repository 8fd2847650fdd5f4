//! Services at fixed addresses that misbehave: what the screen says, and what `r` and `x` do about it.

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::{Fault, Gate};

/// For how many milliseconds the first chunk has been in flight, as the screen has it.
fn elapsed(screen: &str) -> Option<f64> {
    let line = screen.lines().find(|line| line.contains("chunk 0"))?;
    let (_, time) = line.split_once("running")?;
    let (number, _) = time.split_once(" ms")?;
    number.trim().replace(',', "").parse().ok()
}

#[test]
fn r_sends_the_failed_chunk_again_and_nothing_else() {
    let broken = r#"{"error":{"code":"internal","message":"the mapper fell over"}}"#;
    let lab = Lab::new([Fault::answer(500, broken).at("/map").chunk(1)]);
    let home = Home::new();
    let mut deck = lab.deck(&home);
    deck.send("s");
    deck.wait_text(&[
        "the run failed: r reruns",
        "1 of 3 chunks could not be mapped",
    ]);
    deck.wait_text(&[
        "the mapper fell over",
        "what was counted is kept",
        "r resume",
    ]);
    deck.wait_line(&["chunk 1", "✗ failed"]);
    deck.wait_line(&["chunk 0", "✓ done"]);
    assert_eq!(lab.script.map_attempts(1).len(), 4);
    assert!(lab.script.seen("/reduce").is_empty(), "nothing is reduced");

    lab.script.replace([]);
    deck.send("r");
    deck.wait_text(&["done in", "7,180 words", "v verify"]);
    let maps = lab.script.seen("/map");
    let asked: Vec<_> = maps.iter().map(|seen| (seen.chunk, seen.attempt)).collect();
    assert_eq!(asked, [(Some(1), Some(5))], "only what failed");
    assert!(lab.script.seen("/split").is_empty(), "it was split before");
    assert_eq!(lab.script.seen("/reduce").len(), 1);
    deck.send("v");
    deck.wait_text(&["✓ verified"]);
}

#[test]
fn x_ends_the_requests_in_flight_and_r_does_what_is_missing() {
    let gate = Gate::closed();
    let lab = Lab::new([Fault::Hold(gate).at("/map")]);
    let home = Home::new();
    let mut deck = lab.deck(&home);
    deck.send("s");
    let held = deck.wait_for("three chunks in flight", |screen| {
        screen.matches("▸ running").count() == 3
    });
    let first = elapsed(&held).expect("chunk 0 is in flight");
    deck.wait_for("its time to grow while nothing happens", |screen| {
        elapsed(screen).is_some_and(|now| now > first)
    });
    deck.send("x");
    deck.wait_text(&["cancelled", "r resumes it", "r resume"]);
    lab.script
        .wait_until("every request to be given up", |seen| {
            seen.iter()
                .filter(|request| request.path == "/map" && request.hung_up)
                .count()
                == 3
        });

    lab.script.replace([]);
    deck.send("r");
    deck.wait_text(&["done in", "7,180 words"]);
    assert!(lab.script.seen("/split").is_empty(), "it was split before");
    assert_eq!(lab.script.seen("/map").len(), 3);
    assert_eq!(lab.script.seen("/reduce").len(), 1);
}
