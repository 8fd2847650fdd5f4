//! `:clean` on a local cluster: what there is, a question, and what is left.

use super::local;
use mrdeck_testkit::home::Home;

#[test]
fn old_uploads_and_runs_are_listed_and_removed_if_that_is_agreed_to() {
    let home = Home::new();
    home.write("text.txt", "one two three");
    let mut deck = local(&home);
    deck.send(":clean\r");
    deck.wait_text(&["nothing to remove in s3://mrdeck"]);
    deck.send(":input text.txt\rs");
    deck.wait_text(&["done in", "3 words"]);
    let first = home.record_files().pop().unwrap();
    let first = first.file_stem().unwrap().to_str().unwrap();
    let first = format!("…{}", &first[20..]);
    // Among the events, one of which is long.
    deck.send("\t\t\t\t/already\rs");
    deck.wait_text(&["text.txt is already there as"]);
    deck.send("\x1b");
    deck.wait_for("the second run's end", |screen| {
        !screen.contains(&first) && screen.contains("done in") && screen.contains(" s start ")
    });
    deck.send(":clean\r");
    deck.wait_text(&["13 B", "text.txt", "Remove 1 upload and 2 runs, "]);
    deck.send("\r");
    deck.wait_text(&["nothing was removed"]);
    deck.send(":clean\r");
    deck.wait_text(&["Remove 1 upload and 2 runs, "]);
    deck.send("y");
    deck.wait_text(&["removed from s3://mrdeck"]);
    deck.send("s");
    deck.wait_for("the third run's end", |screen| {
        let files = home.record_files();
        let newest = files
            .iter()
            .filter_map(|file| file.file_stem()?.to_str())
            .max();
        files.len() == 3 && screen.contains(&newest.unwrap()[20..]) && screen.contains(" s start ")
    });
    deck.send("q");
    assert_eq!(deck.wait().code, 0);
}
