//! A run that another dashboard left: it is offered at the next start, and `r` resumes it.

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::{Fault, Gate};
use mrdeck_testkit::pty::Open;

/// A dashboard in the middle of a run: two of three chunks are mapped.
fn amid(lab: &Lab, home: &Home) -> Open {
    let mut deck = lab.deck(home);
    deck.send("s");
    deck.wait_line(&["chunk 0", "✓ done"]);
    deck.wait_line(&["chunk 1", "✓ done"]);
    deck
}

fn third_chunk_waits() -> Lab {
    Lab::new([Fault::Hold(Gate::closed()).at("/map").chunk(2)])
}

#[test]
fn what_a_killed_dashboard_left_is_offered_and_only_the_rest_is_done() {
    let (lab, home) = (third_chunk_waits(), Home::new());
    amid(&lab, &home).kill();

    lab.script.replace([]);
    let mut deck = lab.bare_deck(&home).open();
    deck.wait_text(&["2 of 3 chunks mapped): r resumes it"]);
    deck.wait_line(&["chunk 0", "✓ done"]);
    deck.wait_line(&["chunk 2", "⊘ cancelled"]);
    assert!(lab.script.seen("/map").is_empty(), "it is an offer only");
    deck.send("r");
    deck.wait_text(&["done in", "7,180 words"]);
    let maps = lab.script.seen("/map");
    assert_eq!(maps.len(), 1, "{maps:?}");
    assert_eq!(maps[0].chunk, Some(2));
    deck.send("q");
    deck.wait();

    // Done is done: nothing is offered any more.
    let deck = lab.bare_deck(&home).open();
    deck.wait_until_up();
    let screen = deck.wait_text(&["s start"]);
    assert!(!screen.contains("r resumes it"), "{screen}");
}

#[test]
fn quitting_amid_a_run_says_how_to_go_on() {
    let (lab, home) = (third_chunk_waits(), Home::new());
    let mut deck = amid(&lab, &home);
    deck.send("q");
    deck.wait_text(&["The run stops here, to be resumed later. Quit?"]);
    deck.send("\r");
    deck.wait_for("the question to go", |screen| !screen.contains("Quit?"));
    deck.wait_text(&["▸ running"]);
    deck.send("qy");
    let closed = deck.wait();
    assert_eq!(closed.code, 4);
    closed.expect_restored();
    let said = String::from_utf8(closed.bytes()).unwrap();
    let run = home.record()[0]["run"].as_str().unwrap().to_owned();
    let (_, after) = said.rsplit_once("\x1b[?1049l").unwrap();
    assert!(
        after.contains(&format!("mrdeck resume {run} --splitter")),
        "{after}"
    );
}
