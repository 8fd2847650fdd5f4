//! Pure decisions: how many chunks, whether a split can be trusted, what is missing.

use std::collections::HashSet;

use mrdeck_core::api::{AttemptParams, ChunkRef, MAX_CHUNKS, MapAnswer, ReduceAnswer, SplitAnswer};
use mrdeck_core::count::RULES;
use mrdeck_core::uri::S3Uri;

use super::record::{ChunkRecord, Record, WorkState};
use mrdeck_client::AttemptName;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

/// A chunk above this takes one mapper long enough that more, smaller ones balance better.
const LARGE_CHUNK: u64 = 64 << 20;
/// A chunk below this is all overhead.
const SMALL_CHUNK: u64 = 64;

/// How many chunks to ask for when nobody said: one per mapper, more when the input is large, fewer when it is tiny.
pub fn default_chunks(input_bytes: u64, mappers: u32) -> u32 {
    let mappers = u64::from(mappers.max(1));
    let rounds = input_bytes.div_ceil(LARGE_CHUNK * mappers).max(1);
    let most = (input_bytes / SMALL_CHUNK).clamp(1, u64::from(MAX_CHUNKS));
    u32::try_from((mappers * rounds).min(most)).unwrap_or(MAX_CHUNKS)
}

/// Refuses a split that would count something twice or not at all, as far as its answer shows it.
pub fn check_split(
    answer: &SplitAnswer,
    input: &S3Uri,
    input_bytes: u64,
) -> Result<(), Diagnostic> {
    let refuse = |cause: String| {
        Err(Diagnostic::new(
            cause,
            "the splitter is at fault: check its version and its logs",
        ))
    };
    if answer.chunks.is_empty() {
        return refuse("the splitter answered without a single chunk".to_owned());
    }
    let mut seen = HashSet::new();
    let mut covered = 0;
    let mut ranges = 0;
    for chunk in &answer.chunks {
        match chunk {
            ChunkRef::Object(uri) => {
                if !seen.insert(uri) {
                    return refuse(format!("the splitter names the chunk {uri} twice"));
                }
            }
            ChunkRef::Range { s3, start, end } => {
                ranges += 1;
                if s3 != input || *start != covered || end < start {
                    return refuse(format!(
                        "the splitter's ranges leave a gap or overlap at byte {covered} of {input}"
                    ));
                }
                covered = *end;
            }
        }
    }
    if ranges != 0 && (ranges != answer.chunks.len() || covered != input_bytes) {
        return refuse(format!(
            "the splitter's ranges cover {covered} of the input's {input_bytes} bytes"
        ));
    }
    if let Some(sizes) = &answer.sizes {
        let total = sizes
            .iter()
            .try_fold(0u64, |sum, size| sum.checked_add(*size));
        if total != Some(input_bytes) || sizes.len() != answer.chunks.len() {
            return refuse(format!(
                "the chunks' sizes don't add up to the input's {input_bytes} bytes"
            ));
        }
    }
    Ok(())
}

/// Refuses an answer that is not about the attempt it was asked for, or not about all of its chunk.
pub fn check_map(
    source: &ChunkRef,
    bytes: Option<u64>,
    name: &AttemptName,
    answer: &MapAnswer,
) -> Result<(), Diagnostic> {
    check_name(name, answer.of.as_ref(), "mapper")?;
    check_rules(answer.rules, "mapper")?;
    let refuse = |cause: String| {
        Err(Diagnostic::new(
            cause,
            "check the mapper's version and its logs",
        ))
    };
    match (source, answer.bytes) {
        (ChunkRef::Range { .. }, None) => refuse(
            "the mapper does not say how much of the byte range it read: it may not know ranges"
                .to_owned(),
        ),
        (ChunkRef::Object(uri), Some(read)) if bytes.is_some_and(|bytes| bytes != read) => {
            let cut = bytes.unwrap_or_default();
            refuse(format!(
                "the mapper read {read} bytes of {uri}, which was cut with {cut}"
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses a reduce that added up something else than all of the maps.
pub fn check_reduce(
    files: u64,
    name: &AttemptName,
    answer: &ReduceAnswer,
) -> Result<(), Diagnostic> {
    check_name(name, answer.of.as_ref(), "reducer")?;
    check_rules(answer.rules, "reducer")?;
    match answer.files {
        Some(given) if given != files => Err(Diagnostic::new(
            format!("the reducer added up {given} map outputs instead of {files}"),
            "check the reducer's version and its logs",
        )),
        _ => Ok(()),
    }
}

/// Services that say nothing of the attempt are taken at their word.
fn check_name(
    name: &AttemptName,
    of: Option<&AttemptParams>,
    service: &str,
) -> Result<(), Diagnostic> {
    match of {
        Some(of) if *of != name.params() => Err(Diagnostic::new(
            format!("the {service} answered for another attempt than it was asked for"),
            format!("check the {service}'s version, and what is between it and this console"),
        )),
        _ => Ok(()),
    }
}

fn check_rules(rules: Option<u32>, service: &str) -> Result<(), Diagnostic> {
    match rules {
        Some(rules) if rules != RULES => Err(Diagnostic::new(
            format!(
                "the {service} counts by version {rules} of the rules, this mrdeck by version {RULES}"
            ),
            "run the same version of mrdeck and its services",
        )),
        _ => Ok(()),
    }
}

/// Why the counts can't be checked on the way, so that only a recount of the whole input shows that they are exact;
/// `None` where they can.
pub fn unchecked(record: &Record) -> Option<&'static str> {
    let knows_sizes = |chunk: &ChunkRecord| match chunk.source {
        ChunkRef::Object(_) => chunk.bytes.is_some(),
        ChunkRef::Range { .. } => true,
    };
    let is_told = |chunk: &ChunkRecord| {
        let answer = chunk.work.answer();
        answer.is_some_and(|answer| {
            let is_known = answer.words.is_some() && answer.bytes.is_some();
            is_known && answer.sha256.is_some() && answer.rules.is_some()
        })
    };
    let is_reduced = record.reduce.answer().is_some_and(|answer| {
        // One that counts by our rules is one of ours: it has checked what it read.
        answer.words.is_some() && answer.sha256.is_some() && answer.rules.is_some()
    });
    if !record.chunks.iter().all(knows_sizes) {
        Some("the splitter does not say how large the chunks are")
    } else if !record.chunks.iter().all(is_told) {
        Some("not every mapper says how much it counted")
    } else if !is_reduced {
        Some("the reducer does not check what it adds up")
    } else {
        None
    }
}

/// The bytes of the input that a chunk was cut from, where every chunk's size is known.
pub fn range_of(record: &Record, index: usize) -> Option<ChunkRef> {
    let before = record.chunks.get(..index)?.iter();
    let start = before
        .map(|chunk| chunk.bytes)
        .try_fold(0u64, |sum, bytes| sum.checked_add(bytes?))?;
    let end = start.checked_add(record.chunks.get(index)?.bytes?)?;
    Some(ChunkRef::Range {
        s3: record.input.clone(),
        start,
        end,
    })
}

/// What the reduce's inputs must hash to, in the chunks' order; empty where that is not known of all.
pub fn reduce_hashes(record: &Record) -> Vec<String> {
    let hashes: Option<Vec<String>> = record
        .chunks
        .iter()
        .map(|chunk| chunk.work.answer()?.sha256.clone())
        .collect();
    hashes.unwrap_or_default()
}

/// The chunks that have no committed output.
pub fn missing_chunks(record: &Record) -> Vec<u32> {
    (0..)
        .zip(&record.chunks)
        .filter(|(_, chunk)| chunk.work.state() != WorkState::Committed)
        .map(|(index, _)| index)
        .collect()
}

/// The outputs to reduce: every chunk's, each once, in the chunks' order.
pub fn reduce_inputs(record: &Record) -> Result<Vec<S3Uri>, Diagnostic> {
    let mut seen = HashSet::new();
    let mut inputs = Vec::with_capacity(record.chunks.len());
    for (index, chunk) in record.chunks.iter().enumerate() {
        let Some(out) = chunk.work.out() else {
            return Err(Diagnostic::new(
                format!("chunk {index} has no output"),
                "the mapper is at fault: check its version and its logs",
            ));
        };
        if !seen.insert(out) {
            return Err(Diagnostic::new(
                format!("two chunks name the same output, {out}, so one would be lost"),
                "use services that give each attempt an output of its own",
            )
            .of_kind(DiagnosticKind::Refused));
        }
        inputs.push(out.clone());
    }
    Ok(inputs)
}

/// Refuses counts that don't add up: what the maps counted must be what the reduce has.
pub fn check_conservation(record: &Record, result_words: u64) -> Result<(), Diagnostic> {
    let refuse = |cause: String| {
        Err(Diagnostic::new(
            cause,
            "the result is refused: run again from the start, and see the tasks' logs",
        )
        .of_kind(DiagnosticKind::Refused))
    };
    let reported = |pick: fn(&super::event::AttemptAnswer) -> Option<u64>| {
        record
            .chunks
            .iter()
            .map(|chunk| pick(chunk.work.answer()?))
            .try_fold(0u64, |sum, value| sum.checked_add(value?))
    };
    if let Some(words) = reported(|answer| answer.words)
        && words != result_words
    {
        return refuse(format!(
            "the maps counted {words} words, but the result has {result_words}"
        ));
    }
    if let (Some(bytes), Some(input_bytes)) = (reported(|answer| answer.bytes), record.input_bytes)
        && bytes != input_bytes
    {
        return refuse(format!(
            "the maps read {bytes} bytes, but the input has {input_bytes}"
        ));
    }
    if let Some(answer) = record.reduce.answer()
        && let Some(words) = answer.words
        && words != result_words
    {
        return refuse(format!(
            "the reducer reports {words} words, but its output has {result_words}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn chunks_follow_the_mappers_and_the_size() {
        assert_eq!(default_chunks(167_801, 3), 3);
        assert_eq!(default_chunks(10, 3), 1, "tiny");
        assert_eq!(default_chunks(130, 3), 2, "small");
        assert_eq!(default_chunks(1 << 30, 3), 18, "1 GiB: at most 64 MiB each");
        assert_eq!(default_chunks(u64::MAX, 3), MAX_CHUNKS);
        assert_eq!(default_chunks(1 << 20, 0), 1, "no mapper known");
    }

    fn input() -> S3Uri {
        "s3://b/in.txt".parse().unwrap()
    }

    fn range(start: u64, end: u64) -> ChunkRef {
        ChunkRef::Range {
            s3: input(),
            start,
            end,
        }
    }

    fn split(chunks: Vec<ChunkRef>, sizes: Option<Vec<u64>>) -> SplitAnswer {
        SplitAnswer {
            chunks,
            bytes: None,
            sizes,
        }
    }

    #[test]
    fn ranges_must_cover_the_input_exactly() {
        let check = |chunks| check_split(&split(chunks, None), &input(), 10);
        assert!(check(vec![range(0, 4), range(4, 10)]).is_ok());
        assert!(check(vec![range(0, 4), range(5, 10)]).is_err(), "gap");
        assert!(check(vec![range(0, 5), range(4, 10)]).is_err(), "overlap");
        assert!(check(vec![range(0, 4), range(4, 9)]).is_err(), "short");
        assert!(check(vec![range(1, 10)]).is_err(), "late");
        assert!(check(vec![]).is_err(), "none");
    }

    #[test]
    fn objects_must_be_distinct_and_add_up() {
        let object = |key: &str| ChunkRef::Object(input().sibling(key).unwrap());
        let check = |chunks, sizes| check_split(&split(chunks, sizes), &input(), 10);
        assert!(check(vec![object("a"), object("b")], None).is_ok());
        assert!(check(vec![object("a"), object("a")], None).is_err());
        assert!(check(vec![object("a"), object("b")], Some(vec![4, 6])).is_ok());
        assert!(check(vec![object("a"), object("b")], Some(vec![4, 5])).is_err());
        assert!(check(vec![object("a"), object("b")], Some(vec![10])).is_err());
        assert!(check(vec![object("a"), range(0, 10)], None).is_err());
    }
}
