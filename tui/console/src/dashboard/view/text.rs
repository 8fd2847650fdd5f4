//! Text made to fit: elided to a width, and the window of a long list that is shown.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use mrdeck_core::human::{self, printable};

/// Foreign text, safe to show and at most `width` columns wide; the middle goes first, since
/// keys differ at their ends.
pub fn elide(text: &str, width: usize) -> String {
    human::elide(&printable(text), width, UnicodeWidthStr::width)
}

/// The same for sentences, whose beginning says most: the end goes.
pub fn elide_end(text: &str, width: usize) -> String {
    human::elide_end(&printable(text), width, UnicodeWidthStr::width)
}

/// Filled with spaces up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Which of `count` lines are shown in `height` lines so that line `cursor` is among them.
pub fn window(count: usize, height: usize, cursor: usize) -> Range<usize> {
    let most = count.saturating_sub(height);
    let start = cursor.saturating_sub(height.saturating_sub(1)).min(most);
    start..count.min(start + height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_loses_its_middle() {
        assert_eq!(elide("short", 10), "short");
        assert_eq!(elide("s3://bucket/key.json", 9), "s3:/…json");
        assert_eq!(elide("漢字漢字", 5), "漢…字");
        assert_eq!(elide("abc", 0), "");
        assert_eq!(elide("a\u{1b}b", 9), "a\u{fffd}b");
        assert_eq!(elide_end("a sentence", 6), "a sen…");
        assert_eq!(elide_end("a sentence", 0), "");
        assert_eq!(pad("漢", 4), "漢  ");
    }

    #[test]
    fn the_window_holds_the_cursor() {
        assert_eq!(window(3, 10, 0), 0..3);
        assert_eq!(window(100, 10, 0), 0..10);
        assert_eq!(window(100, 10, 50), 41..51);
        assert_eq!(window(100, 10, 99), 90..100);
        assert_eq!(window(5, 0, 2), 2..2);
    }
}
