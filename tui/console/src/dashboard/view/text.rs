//! Text made to fit: elided to a width, and the window of a long list that is shown.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use mrdeck_core::human::printable;

/// Foreign text, safe to show and at most `width` columns wide; the middle goes first, since
/// keys differ at their ends.
pub fn elide(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.width() <= width {
        return text.into_owned();
    }
    if width == 0 {
        return String::new();
    }
    let room = width - 1;
    let head = take_width(text.chars(), room / 2);
    let tail = take_width(text.chars().rev(), room - room / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// The same for sentences, whose beginning says most: the end goes.
pub fn elide_end(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.width() <= width {
        return text.into_owned();
    }
    match width {
        0 => String::new(),
        _ => format!("{}…", take_width(text.chars(), width - 1)),
    }
}

/// Filled with spaces up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

fn take_width(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
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
