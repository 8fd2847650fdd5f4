//! The browser on a local cluster: from `o` to the counts of what was chosen.

use super::local;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::words;

#[test]
fn an_object_is_found_chosen_and_counted() {
    let home = Home::new();
    // As an older mrdeck kept them: the local cluster takes them over.
    let folder = home.file("data/s3/mrdeck/my texts");
    std::fs::create_dir_all(&folder).unwrap();
    let text = words::random_text(3, 1_234);
    std::fs::write(folder.join("Überraschung + 1.txt"), &text).unwrap();
    std::fs::write(folder.join("other.txt"), "other words").unwrap();
    let mut deck = local(&home);

    deck.send("o");
    deck.wait_text(&["Buckets · 1 bucket", "mrdeck"]);
    deck.send("\r");
    deck.wait_text(&["s3://mrdeck/ · 2 entries", "liber-primus.txt", "my texts/"]);
    deck.send("j\r");
    deck.wait_text(&["s3://mrdeck/my texts/ · 2 entries", "Überraschung + 1.txt"]);
    deck.send("/^Ü\r");
    deck.wait_for("one of them", |screen| !screen.contains("other.txt"));
    deck.send("\r");
    deck.wait_text(&["input is s3://mrdeck/my texts/Überraschung + 1.txt"]);
    deck.send("s");
    let total = words::count(&text).values().sum::<u64>();
    assert_eq!(total, 1_234);
    deck.wait_text(&["done in", "1,234 words"]);
    deck.send("q");
    assert_eq!(deck.wait().code, 0);
}

#[test]
fn a_path_is_completed_and_its_file_uploaded() {
    let home = Home::new();
    std::fs::create_dir(home.file("texts")).unwrap();
    std::fs::write(home.file("texts/one two.txt"), "one two").unwrap();
    std::fs::write(home.file("texts/one three.txt"), "one two three").unwrap();
    let mut deck = local(&home);
    deck.send("oite\t");
    deck.wait_line(&["input: texts/"]);
    deck.send("\t");
    deck.wait_text(&["input: texts/one t", "one three.txt  one two.txt"]);
    deck.send("h\t");
    deck.wait_line(&["input: texts/one three.txt"]);
    deck.send("\rs");
    deck.wait_text(&["done in", "3 words"]);
    deck.send("oitexts/nosuch\t");
    deck.wait_text(&["no file begins with texts/nosuch"]);
}
