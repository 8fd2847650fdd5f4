//! Text that would command a terminal, and what must become of it.

/// Puts a text on the clipboard, sets the title, prints the screen, turns the writing around.
pub const EVIL: &str =
    "a\u{1b}]52;c;ZXZpbA==\u{7}b\u{1b}]0;owned\u{7}c\u{1b}[5id\u{9b}5ie\u{202e}f\u{2066}g";

/// Returns whether this is free of what a terminal would obey, and of what reverses the direction of text.
#[track_caller]
pub fn expect_harmless(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for evil in [
        "\u{1b}]52;c;ZXZpbA",
        "\u{1b}]0;owned",
        "\u{1b}[5i",
        "\u{7}",
        "\u{9b}",
        "\u{202e}",
        "\u{2066}",
    ] {
        assert!(!text.contains(evil), "{what}: {evil:?} is in {text:?}");
    }
}
