//! What is typed: commands, inputs, and what is pasted.

use super::local;
use mrdeck_testkit::home::Home;

#[test]
fn commands_and_inputs_decide_what_runs() {
    let home = Home::new();
    home.write("my words.txt", "one two two three three three");
    let mut deck = local(&home);

    deck.send(":nonsense\r");
    deck.wait_text(&["there is no command ':nonsense'"]);
    deck.escape(":nonsense");
    deck.send(":chunks 7\r");
    deck.wait_text(&["chunks: 7"]);
    deck.send("s");
    deck.wait_text(&["done in", "7 chunks · 7✓", "7,180 words", "s start"]);

    deck.send("oi");
    // The q and the s are part of a name, not keys; the line's end accepts nothing.
    deck.paste("nosuchfile-q-s\n");
    deck.wait_line(&["input:", "nosuchfile-q-s"]);
    deck.send("\rs");
    deck.wait_text(&["nosuchfile-q-s", "No such file", "s start"]);

    deck.send("oi");
    deck.paste("my words.txt");
    deck.wait_line(&["input:", "my words.txt"]);
    deck.send("\r");
    deck.send(":chunks 2\r");
    deck.wait_text(&["chunks: 2"]);
    deck.send("s");
    deck.wait_text(&["done in", "2 chunks · 2✓", "6 words", "3 unique"]);
    deck.wait_line(&["3", "three"]);

    deck.send(":q\r");
    assert_eq!(deck.wait().code, 0);
}
