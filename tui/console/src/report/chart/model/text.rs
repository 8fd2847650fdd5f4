//! A run's texts made fit to draw: what others named can't steer a terminal, reorder a line or break XML.

use mrdeck_core::human;

/// Stands for a character that can't be drawn. U+FFFD would be the usual choice, but the fonts lack it.
const REPLACEMENT: char = '□';

/// Replaces every character that isn't drawn as itself: controls, bidi and zero-width marks, non-characters.
pub fn clean(text: &str) -> String {
    human::printable_with(text, REPLACEMENT).into_owned()
}

/// Shortens a text to `max` characters.
pub fn elide(text: &str, max: usize) -> String {
    human::elide(text, max, human::length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_reader_survives() {
        assert_eq!(
            clean("a\u{1b}[31mb\nc\u{202e}d\u{0}e\u{ffff}"),
            "a□[31mb□c□d□e□"
        );
        assert_eq!(clean("Füße/κλμ <&\"'>"), "Füße/κλμ <&\"'>");
    }

    #[test]
    fn the_middle_goes_first() {
        assert_eq!(elide("abcdefghij", 10), "abcdefghij");
        assert_eq!(elide("abcdefghij", 5), "ab…ij");
        assert_eq!(elide("äöüßéè", 4), "ä…éè");
        assert_eq!(elide("abc", 1), "…");
    }
}
