//! The keys of outputs: those of the lab, or those unique to an attempt.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::params::Attempt;
use mrdeck_core::layout;

/// Formats a time in UTC as `YYYYMMDDTHHMMSSZ`.
pub fn stamp(now: Timestamp) -> String {
    now.to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// Returns the key of chunk `index` of `count`, copied from the object `input`.
pub fn chunk(
    prefix: &str,
    attempt: Option<&Attempt>,
    input: &str,
    stamp: &str,
    index: usize,
    count: usize,
) -> String {
    let width = count.saturating_sub(1).to_string().len().max(2);
    match attempt {
        Some(attempt) => layout::chunk(&attempt.run, attempt.number(), index, width),
        None => format!("{prefix}/{}_{stamp}_chunk{index:0width$}.txt", name(input)),
    }
}

/// Returns the key of the counts of the object `input`, or of a byte range of it.
///
/// The key contains the range: otherwise two ranges of one object would write the same key within a second.
pub fn map(
    prefix: &str,
    attempt: Option<&Attempt>,
    input: &str,
    range: Option<&Range<u64>>,
    stamp: &str,
) -> String {
    let derived = || match range {
        Some(range) => format!("{}_{}-{}", flat(input), range.start, range.end),
        None => flat(input),
    };
    match attempt {
        Some(attempt) => {
            let chunk = attempt.chunk.clone().unwrap_or_else(derived);
            layout::map_output(&attempt.run, &chunk, attempt.number())
        }
        None => format!("{prefix}/{}_{stamp}.json", derived()),
    }
}

/// Returns the key of the final counts.
pub fn reduce(prefix: &str, attempt: Option<&Attempt>, stamp: &str) -> String {
    match attempt {
        Some(attempt) => layout::reduce_output(&attempt.run, attempt.number()),
        None => format!("{prefix}/final_{stamp}.json"),
    }
}

/// Returns NAME: the last segment without `.txt`, with `_` for all but letters, digits, `_` and `-`.
fn name(key: &str) -> String {
    let last = key.rsplit('/').next().unwrap_or(key);
    let stem = last.strip_suffix(".txt").unwrap_or(last);
    stem.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Returns KEY: the whole key with `_` for `/` and `.`, its last 60 characters.
fn flat(key: &str) -> String {
    let skipped = key.chars().count().saturating_sub(60);
    key.chars()
        .skip(skipped)
        .map(|c| if c == '/' || c == '.' { '_' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn attempt(chunk: Option<&str>) -> Attempt {
        Attempt {
            run: "R".to_owned(),
            chunk: chunk.map(str::to_owned),
            named_number: Some("2".to_owned()),
            plan: Some("P".to_owned()),
        }
    }

    #[test]
    fn the_stamp_is_utc_to_the_second() {
        assert_eq!(
            stamp("2026-02-03T04:05:06.789Z".parse().unwrap()),
            "20260203T040506Z"
        );
    }

    #[test]
    fn chunks_are_named_after_the_input() {
        assert_eq!(
            chunk("mr/chunks", None, "in/ham let.v1.txt", "TS", 2, 3),
            "mr/chunks/ham_let_v1_TS_chunk02.txt"
        );
        assert_eq!(
            chunk("p", None, "é.TXT", "TS", 0, 1),
            "p/__TXT_TS_chunk00.txt"
        );
        assert_eq!(chunk("p", None, "a", "TS", 99, 100), "p/a_TS_chunk99.txt");
        assert_eq!(chunk("p", None, "a", "TS", 7, 101), "p/a_TS_chunk007.txt");
        assert_eq!(
            chunk("p", Some(&attempt(None)), "a", "TS", 7, 9),
            "mr/runs/R/chunks/a2/chunk07.txt"
        );
    }

    #[test]
    fn map_outputs_are_named_after_the_end_of_the_chunk_s_key() {
        assert_eq!(
            map("mr/maps", None, "mr/chunks/a_chunk00.txt", None, "TS"),
            "mr/maps/mr_chunks_a_chunk00_txt_TS.json"
        );
        let long = format!("{}/{}.txt", "x".repeat(50), "é".repeat(50));
        assert_eq!(
            map("p", None, &long, None, "TS"),
            format!("p/{}_{}_txt_TS.json", "x".repeat(5), "é".repeat(50))
        );
    }

    #[test]
    fn ranges_of_one_object_never_share_a_key() {
        assert_eq!(map("p", None, "a", Some(&(0..5)), "TS"), "p/a_0-5_TS.json");
        assert_eq!(
            map("p", Some(&attempt(None)), "a.b", Some(&(5..9)), "TS"),
            "mr/runs/R/maps/chunka_b_5-9-a2.json"
        );
    }

    #[test]
    fn an_attempt_has_its_own_keys() {
        assert_eq!(
            map("p", Some(&attempt(Some("007"))), "a", None, "TS"),
            "mr/runs/R/maps/chunk007-a2.json"
        );
        assert_eq!(
            reduce("p", Some(&attempt(None)), "TS"),
            "mr/runs/R/reduce/final-a2.json"
        );
        assert_eq!(reduce("mr/reduce", None, "TS"), "mr/reduce/final_TS.json");
    }
}
