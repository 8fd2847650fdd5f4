//! Formats figures and foreign text for people, the same on screens, in reports and in charts.

use std::borrow::Cow;

/// Formats a number with separators: `1234567` as `1,234,567`.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a time, given in milliseconds, in the unit that keeps it short: `0.42 ms`, `42.3 ms`, `690 ms`, `1.06 s`,
/// `20.7 s`, `3m06s`, `3h05m`.
pub fn duration(ms: f64) -> String {
    // Neither `-0.00` nor `NaN`.
    let ms = if ms > 0.0 { ms } else { 0.0 };
    // Each limit is where the number before would be rounded to one digit more.
    if ms < 999.5 {
        format!("{} ms", three_digits(ms))
    } else if ms < 59_950.0 {
        format!("{} s", three_digits(ms / 1e3))
    } else {
        // A duration this side of the age of the universe fits, and a cast saturates.
        #[allow(clippy::cast_possible_truncation)]
        age((ms / 1e3).round() as i64)
    }
}

/// Formats a number below 1,000 with the decimals that make three digits of it, two at most.
fn three_digits(value: f64) -> String {
    match value {
        _ if value < 9.995 => format!("{value:.2}"),
        _ if value < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Formats bytes in the unit that keeps the number short: `512 B`, `163.9 KiB`, `1.5 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Formats an age in its two largest units: `7s`, `4m12s`, `3h05m`, `2d04h`.
pub fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        format!("{days}d{:02}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// Formats a count with its noun: `1 chunk`, `3 chunks`.
pub fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(count))
}

/// Formats a part of a whole in percent: `less than 0.1 %`, `2.4 %`, `18 %`; 100 only for all of it.
pub fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    match tenths {
        0 if part == 0 => "0 %".to_owned(),
        0 => "less than 0.1 %".to_owned(),
        1..100 => format!("{}.{} %", tenths / 10, tenths % 10),
        _ => format!("{} %", tenths / 10),
    }
}

/// Returns foreign text that is safe to show: `�` replaces each character that [`is_unsafe`].
pub fn printable(text: &str) -> Cow<'_, str> {
    printable_with(text, '\u{fffd}')
}

/// Returns foreign text that is safe to show, with the given replacement.
pub fn printable_with(text: &str, replacement: char) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        let safe = text
            .chars()
            .map(|c| if is_unsafe(c) { replacement } else { c });
        Cow::Owned(safe.collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns the first line of foreign text, safe to show and at most `max` characters long.
pub fn excerpt(text: &str, max: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    elide_end(&printable(line), max, length)
}

/// Returns the number of characters, as a measure for [`elide`].
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// Shortens a text to `max` units of a measure by leaving out its middle: keys and ids differ at their ends.
pub fn elide(text: &str, max: usize, measure: impl Fn(&str) -> usize) -> String {
    if measure(text) <= max {
        return text.to_owned();
    }
    // One unit is the ellipsis's.
    let Some(room) = max.checked_sub(1) else {
        return String::new();
    };
    let head = take(text.chars(), room / 2, &measure);
    let tail = take(text.chars().rev(), room - room / 2, &measure);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// Shortens a text to `max` units of a measure by leaving out its end: a sentence says most at its beginning.
pub fn elide_end(text: &str, max: usize, measure: impl Fn(&str) -> usize) -> String {
    if measure(text) <= max {
        return text.to_owned();
    }
    match max.checked_sub(1) {
        None => String::new(),
        Some(room) => format!("{}…", take(text.chars(), room, &measure)),
    }
}

fn take(chars: impl Iterator<Item = char>, room: usize, measure: impl Fn(&str) -> usize) -> String {
    let mut used = 0;
    let fitting = chars.take_while(|c| {
        used += measure(c.encode_utf8(&mut [0; 4]));
        used <= room
    });
    fitting.collect()
}

/// Returns whether a character is unsafe to show: controls steer a terminal, bidirectional marks reorder a line,
/// zero-width characters are invisible, and non-characters are not text.
pub fn is_unsafe(c: char) -> bool {
    let invisible = matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    let non_character = u32::from(c) & 0xfffe == 0xfffe;
    c.is_control() || invisible || non_character
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let text = [0, 999, 1_000, 29_698, 1_234_567].map(thousands);
        assert_eq!(text, ["0", "999", "1,000", "29,698", "1,234,567"]);
    }

    #[test]
    fn percents_never_say_all_or_nothing_of_a_part() {
        let of = [0, 1, 30, 999, 1_000, 9_999, 10_000];
        let text = of.map(|part| percent(part, 10_000));
        let expected = [
            "0 %",
            "less than 0.1 %",
            "0.3 %",
            "9.9 %",
            "10 %",
            "99 %",
            "100 %",
        ];
        assert_eq!(text, expected);
        assert_eq!(percent(0, 0), "0 %");
    }

    #[test]
    fn times_are_in_the_unit_that_keeps_them_short() {
        for (ms, text) in [
            (-0.0, "0.00 ms"),
            (f64::NAN, "0.00 ms"),
            (0.421, "0.42 ms"),
            (9.994, "9.99 ms"),
            (9.996, "10.0 ms"),
            (42.34, "42.3 ms"),
            (99.96, "100 ms"),
            (690.2, "690 ms"),
            (999.4, "999 ms"),
            (999.6, "1.00 s"),
            (1_064.0, "1.06 s"),
            (20_735.0, "20.7 s"),
            (59_949.0, "59.9 s"),
            (59_951.0, "1m00s"),
            (186_000.0, "3m06s"),
            (11_100_000.0, "3h05m"),
            (1e30, "106751991167300d15h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn sizes_and_ages_change_units() {
        let sizes = [0, 1023, 1024, 167_801, 1 << 20, u64::MAX].map(bytes);
        let expected = [
            "0 B",
            "1023 B",
            "1.0 KiB",
            "163.9 KiB",
            "1.0 MiB",
            "16384.0 PiB",
        ];
        assert_eq!(sizes, expected);
        let ages = [-5, 7, 252, 11_100, 187_200].map(age);
        assert_eq!(ages, ["0s", "7s", "4m12s", "3h05m", "2d04h"]);
    }

    #[test]
    fn nothing_foreign_reaches_the_terminal_raw() {
        assert_eq!(printable("plain é 漢"), "plain é 漢");
        assert_eq!(printable("a\x1b]52;c;x\x07b"), "a\u{fffd}]52;c;x\u{fffd}b");
        assert_eq!(printable("\u{202e}txt"), "\u{fffd}txt");
        assert_eq!(
            printable_with("a\u{1b}[31mb\nc\u{202e}d\u{0}e\u{ffff}", '□'),
            "a□[31mb□c□d□e□"
        );
    }

    #[test]
    fn an_excerpt_is_one_printable_line() {
        assert_eq!(
            excerpt("\x1b[31mno such key\nmore", 80),
            "\u{fffd}[31mno such key"
        );
        assert_eq!(excerpt(" \n", 80), "");
        assert_eq!(excerpt("\n 220 mail.example", 8), "220 mai…");
    }

    #[test]
    fn long_text_loses_its_middle_or_its_end() {
        let wide = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        for (text, max, short) in [
            ("abcdefghij", 10, "abcdefghij"),
            ("abcdefghij", 5, "ab…ij"),
            ("abcdef", 4, "a…ef"),
            ("漢字漢字", 5, "漢…字"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(elide(text, max, wide), short);
        }
        assert_eq!(elide_end("a sentence", 6, wide), "a sen…");
        assert_eq!(elide_end("a sentence", 0, wide), "");
    }
}
