//! The local cluster made larger and smaller while it runs, and a place that can't be left.

use super::local;
use mrdeck_testkit::home::Home;

#[test]
fn a_local_cluster_grows_and_shrinks() {
    let home = Home::new();
    let mut deck = local(&home);
    deck.send(":scale mapper 5\r");
    // The event that it is over; the title of the tasks says `running`.
    deck.wait_text(&["5 mappers run "]);
    deck.wait_line(&["mapper-5", "RUNNING"]);
    assert_eq!(deck.children().len(), 7);
    deck.send("s");
    deck.wait_text(&["done in", "5 chunks · 5✓", "7,180 words"]);

    deck.send(":scale mapper 2\r");
    deck.wait_text(&["Stop 3 mappers, leaving 2?"]);
    deck.send("y");
    deck.wait_text(&["2 mappers run "]);
    for id in ["mapper-3", "mapper-4", "mapper-5"] {
        deck.wait_line(&[id, "STOPPED"]);
    }
    assert_eq!(deck.children().len(), 4, "none is replaced");
    deck.send(":scale mapper 3\r");
    deck.wait_line(&["mapper-6", "127.0.0.1:"]);
    deck.wait_text(&["3 mappers run "]);
    deck.send(":scale mapper 101\r");
    deck.wait_text(&["runs 100 mappers at most"]);
    deck.send("q");
    assert_eq!(deck.wait().code, 0);
}

#[test]
fn a_local_cluster_is_not_left_for_another() {
    let home = Home::new();
    let mut deck = local(&home);
    deck.send(":cluster mr\r");
    deck.wait_text(&["this console runs a local cluster", "mrdeck --cluster NAME"]);
    deck.escape(":cluster mr");
    deck.wait_line(&["mapper-1", "RUNNING"]);
    deck.send("q");
}
