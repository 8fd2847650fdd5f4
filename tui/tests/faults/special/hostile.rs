//! Text that would command the terminal: in the input and its key, in errors, in what others answer. (In a log: `aws/logs.rs`.)

use std::time::Duration;

use serde_json::json;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::hostile::{EVIL, expect_harmless};
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::Fault;
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::words;

pub fn escape_sequences() -> Option<Duration> {
    on_standard_output_and_error();
    in_a_list_of_keys();
    in_an_error();
    None
}

fn on_standard_output_and_error() {
    let lab = Lab::new([]);
    let text = format!("{EVIL} {EVIL} words {EVIL}");
    let hostile = lab.s3.put(&format!("{EVIL}.txt"), text.as_str());
    let run = |input: &str| {
        let console = lab.console("run").args([input, "--chunks", "3"]);
        console.run()
    };
    let counted = run(&hostile).expect(0);
    expect_harmless("stdout", counted.stdout.as_bytes());
    expect_harmless("stderr", counted.stderr.as_bytes());
    let total = words::count(text.as_bytes()).values().sum::<u64>();
    assert!(
        counted.stdout.contains(&format!("{total}  ")),
        "{}",
        counted.stdout
    );

    let missing = run(&format!("s3://lab/{EVIL}")).expect(3);
    expect_harmless("stderr", missing.stderr.as_bytes());

    let input = lab.s3.put("input.txt", "one two three four");
    // In an error in plain text, in one of ours, and in a status line's place.
    let ours = json!({"error": {"code": "defect", "message": EVIL}}).to_string();
    for body in [EVIL, &ours] {
        lab.script.replace([Fault::answer(500, body).at("/map")]);
        let failed = run(&input).expect(4);
        expect_harmless("stderr", failed.stderr.as_bytes());
        expect_harmless("stdout", failed.stdout.as_bytes());
    }
    // A reducer of somebody else's may write words that are none.
    let counts = json!({EVIL: 4}).to_string();
    let out = lab.s3.put("evil.json", counts.as_str());
    lab.script
        .replace([Fault::edit(move |json| *json = json!({"out": out})).at("/reduce")]);
    let foreign = run(&input);
    expect_harmless("stdout", foreign.stdout.as_bytes());
    expect_harmless("stderr", foreign.stderr.as_bytes());
}

/// A key that turns the writing around, chosen from the list of a folder.
fn in_a_list_of_keys() {
    let home = Home::new();
    let folder = home.file("data/s3/mrdeck/evil");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(EVIL), format!("{EVIL} {EVIL}")).unwrap();
    let mut deck = Deck::local(home.path()).open();
    deck.wait_until_up();
    deck.send("o");
    deck.wait_text(&["Buckets · 1 bucket", "mrdeck"]);
    deck.send("\r");
    deck.wait_text(&["s3://mrdeck/ · 2 entries"]);
    deck.send("/evil\r");
    deck.wait_text(&["1 of the loaded"]);
    deck.send("\r");
    deck.wait_text(&["s3://mrdeck/evil/ · 1 entry"]);
    deck.send("\r");
    deck.wait_text(&["input is s3://mrdeck/evil/"]);
    deck.send("s");
    deck.wait_text(&["done in"]);
    deck.send("\x03");
    expect_harmless("the terminal", &deck.wait().bytes());
}

/// An error of a service, in the events and in the run's description.
fn in_an_error() {
    let ours = json!({"error": {"code": "defect", "message": EVIL}}).to_string();
    let lab = Lab::new([Fault::answer(500, &ours).at("/map")]);
    let mut deck = lab.deck(&lab.home);
    deck.send("s");
    deck.wait_text(&["the run failed"]);
    // Below the three chunks that failed and the split is the map phase.
    deck.send("\tjjjjd");
    deck.wait_text(&["failed because", "what to do"]);
    deck.send("\x03");
    expect_harmless("the terminal", &deck.wait().bytes());
}
