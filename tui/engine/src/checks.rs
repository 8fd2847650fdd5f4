//! Pure decisions about a run: how many chunks, which answers can be trusted, what is missing, what adds up.

use std::collections::{HashMap, HashSet};

use mrdeck_client::AttemptName;
use mrdeck_core::api::{
    AttemptParams, ChunkRef, MAX_CHUNKS, MapAnswer, OutputInfo, ReduceAnswer, SplitAnswer,
};
use mrdeck_core::count::RULES;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;

use crate::event::PinnedObject;
use crate::state::{ChunkState, RunState, WorkStatus};
use crate::work::ChunkIndex;

/// A chunk above this takes one mapper long enough that more, smaller ones balance better.
const LARGE_CHUNK: u64 = 64 << 20;
/// A chunk below this is all overhead.
const SMALL_CHUNK: u64 = 64;

/// Why an answer can't be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    #[error("the splitter answered without a single chunk")]
    NoChunks,
    #[error("the splitter names the chunk {0} twice")]
    ChunkTwice(S3Uri),
    #[error("the splitter's ranges leave a gap or overlap at byte {at} of {input}")]
    GapOrOverlap { at: u64, input: S3Uri },
    #[error("{0} is a chunk, and no part of the input")]
    NotOfInput(S3Uri),
    #[error("the splitter's ranges cover {covered} of the input's {bytes} bytes")]
    NotCovered { covered: u64, bytes: u64 },
    #[error("the chunks' sizes don't add up to the input's {bytes} bytes")]
    Sizes { bytes: u64 },
    #[error("the {0} answered for another attempt than it was asked for")]
    OtherAttempt(Role),
    #[error("the {service} counts by version {rules} of the rules, this mrdeck by version {RULES}")]
    OtherRules { service: Role, rules: u32 },
    #[error("the mapper does not say how much of the byte range it read: it may not know ranges")]
    RangeUnknown,
    #[error("the mapper read {read} bytes of {uri}, which was cut with {cut}")]
    PartOfChunk { uri: S3Uri, read: u64, cut: u64 },
    #[error("the reducer added up {given} map outputs instead of {files}")]
    PartOfOutputs { given: u64, files: u64 },
    #[error("chunk {0} has no output")]
    NoOutput(ChunkIndex),
    #[error("two chunks name the same output, {0}, so one would be lost")]
    OutputTwice(S3Uri),
    #[error("the maps counted {maps} words, but the result has {result}")]
    Words { maps: u64, result: u64 },
    #[error("the maps read {maps} bytes, but the input has {input}")]
    Bytes { maps: u64, input: u64 },
    #[error("the maps read {maps} bytes of {object}, which has {bytes}")]
    BytesOf {
        object: S3Uri,
        maps: u64,
        bytes: u64,
    },
    #[error("the reducer reports {reported} words, but its output has {result}")]
    Reported { reported: u64, result: u64 },
}

impl CheckError {
    fn advice(&self) -> String {
        match self {
            Self::NoChunks
            | Self::ChunkTwice(_)
            | Self::NotOfInput(_)
            | Self::GapOrOverlap { .. }
            | Self::NotCovered { .. }
            | Self::Sizes { .. } => "the splitter is at fault: check its version and its logs",
            Self::OtherAttempt(service) => {
                return format!(
                    "check the {service}'s version, and what is between it and this console"
                );
            }
            Self::OtherRules { .. } => "run the same version of mrdeck and its services",
            Self::RangeUnknown | Self::PartOfChunk { .. } => {
                "check the mapper's version and its logs"
            }
            Self::PartOfOutputs { .. } => "check the reducer's version and its logs",
            Self::NoOutput(_) => "the mapper is at fault: check its version and its logs",
            Self::OutputTwice(_) => "use services that give each attempt an output of its own",
            Self::Words { .. }
            | Self::Bytes { .. }
            | Self::BytesOf { .. }
            | Self::Reported { .. } => {
                "the result is refused: run again from the start, and see the tasks' logs"
            }
        }
        .to_owned()
    }

    /// Returns whether no resume can mend it: what was found contradicts itself.
    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::OutputTwice(_)
                | Self::Words { .. }
                | Self::Bytes { .. }
                | Self::BytesOf { .. }
                | Self::Reported { .. }
        )
    }
}

impl From<&CheckError> for Diagnostic {
    fn from(error: &CheckError) -> Self {
        let kind = if error.is_final() {
            DiagnosticKind::Refused
        } else {
            DiagnosticKind::Other
        };
        Self::new(error.to_string(), error.advice()).of_kind(kind)
    }
}

/// Returns how many chunks to ask for by default: one per mapper, more when the input is large, fewer when it is tiny.
pub fn default_chunks(input_bytes: u64, mappers: u32) -> u32 {
    let mappers = u64::from(mappers.max(1));
    let rounds = input_bytes.div_ceil(LARGE_CHUNK * mappers).max(1);
    let most = (input_bytes / SMALL_CHUNK).clamp(1, u64::from(MAX_CHUNKS));
    u32::try_from((mappers * rounds).min(most)).unwrap_or(MAX_CHUNKS)
}

/// Refuses a split that would count something twice or not at all, as far as its answer shows it.
///
/// # Errors
///
/// Returns what is wrong with the cuts.
pub fn check_split(
    answer: &SplitAnswer,
    input: &S3Uri,
    input_bytes: u64,
) -> Result<(), CheckError> {
    if answer.chunks.is_empty() {
        return Err(CheckError::NoChunks);
    }
    let mut seen = HashSet::new();
    let mut covered = 0;
    let mut ranges = 0;
    for chunk in &answer.chunks {
        match chunk {
            ChunkRef::Object(uri) => {
                if !seen.insert(uri) {
                    return Err(CheckError::ChunkTwice(uri.clone()));
                }
            }
            ChunkRef::Range { s3, start, end } => {
                ranges += 1;
                if s3 != input || *start != covered || end < start {
                    let (at, input) = (covered, input.clone());
                    return Err(CheckError::GapOrOverlap { at, input });
                }
                covered = *end;
            }
        }
    }
    if ranges != 0 && (ranges != answer.chunks.len() || covered != input_bytes) {
        let bytes = input_bytes;
        return Err(CheckError::NotCovered { covered, bytes });
    }
    if let Some(sizes) = &answer.sizes {
        let total = sizes
            .iter()
            .try_fold(0u64, |sum, size| sum.checked_add(*size));
        if total != Some(input_bytes) || sizes.len() != answer.chunks.len() {
            return Err(CheckError::Sizes { bytes: input_bytes });
        }
    }
    Ok(())
}

/// Refuses cuts that would count something of these objects twice or not at all: every byte must be in one chunk, and
/// the chunks must come in the order of the objects.
///
/// # Errors
///
/// Returns what is wrong with the cuts.
pub fn check_cuts(cuts: &SplitAnswer, objects: &[PinnedObject]) -> Result<(), CheckError> {
    let mut objects = objects.iter().filter(|object| object.bytes > 0);
    let (mut current, mut covered) = (objects.next(), 0);
    for chunk in &cuts.chunks {
        let Some(object) = current else {
            return Err(CheckError::NotOfInput(chunk.uri().clone()));
        };
        let (at, range) = match chunk {
            ChunkRef::Object(at) => (at, 0..object.bytes),
            ChunkRef::Range { s3, start, end } => (s3, *start..*end),
        };
        let is_next = *at == object.s3 && range.start == covered && range.end > covered;
        if !is_next || range.end > object.bytes {
            let (at, input) = (covered, object.s3.clone());
            return Err(CheckError::GapOrOverlap { at, input });
        }
        covered = range.end;
        if covered == object.bytes {
            (current, covered) = (objects.next(), 0);
        }
    }
    match current {
        Some(object) => Err(CheckError::NotCovered {
            covered,
            bytes: object.bytes,
        }),
        None => Ok(()),
    }
}

/// Refuses an answer that is not about the attempt it was asked for, or not about all of its chunk.
///
/// # Errors
///
/// Returns what is wrong with the answer.
pub fn check_map(
    source: &ChunkRef,
    cut_bytes: Option<u64>,
    name: &AttemptName,
    answer: &MapAnswer,
) -> Result<(), CheckError> {
    check_name(name, answer.of.as_ref(), Role::Mapper)?;
    check_rules(answer.info.rules, Role::Mapper)?;
    match (source, answer.info.bytes, cut_bytes) {
        (ChunkRef::Range { .. }, None, _) => Err(CheckError::RangeUnknown),
        (ChunkRef::Object(uri), Some(read), Some(cut)) if read != cut => {
            let uri = uri.clone();
            Err(CheckError::PartOfChunk { uri, read, cut })
        }
        _ => Ok(()),
    }
}

/// Adds up the bytes that are not ASCII, as the mappers counted them. `None` if one of them did not say, or if it is
/// more than the input has.
pub fn non_ascii(state: &RunState) -> Option<u64> {
    let of = |chunk: &ChunkState| chunk.work.answer()?.info.non_ascii;
    let counted = state.chunks.iter().map(of);
    let sum = counted.sum::<Option<u64>>()?;
    state.input_bytes.filter(|bytes| sum <= *bytes)?;
    Some(sum)
}

/// Refuses a reduce that added up something else than all of the maps.
///
/// # Errors
///
/// Returns what is wrong with the answer.
pub fn check_reduce(
    files: u64,
    name: &AttemptName,
    answer: &ReduceAnswer,
) -> Result<(), CheckError> {
    check_name(name, answer.of.as_ref(), Role::Reducer)?;
    check_rules(answer.info.rules, Role::Reducer)?;
    match answer.info.files {
        Some(given) if given != files => Err(CheckError::PartOfOutputs { given, files }),
        _ => Ok(()),
    }
}

/// Services that say nothing of the attempt are taken at their word.
fn check_name(
    name: &AttemptName,
    of: Option<&AttemptParams>,
    service: Role,
) -> Result<(), CheckError> {
    match of {
        Some(of) if *of != name.params() => Err(CheckError::OtherAttempt(service)),
        _ => Ok(()),
    }
}

fn check_rules(rules: Option<u32>, service: Role) -> Result<(), CheckError> {
    match rules {
        Some(rules) if rules != RULES => Err(CheckError::OtherRules { service, rules }),
        _ => Ok(()),
    }
}

/// Returns why the counts can't be checked on the way, so that only a recount of the whole input shows that they are
/// exact; `None` where they can.
pub fn unchecked(record: &RunState) -> Option<&'static str> {
    let knows_size = |chunk: &ChunkState| match chunk.source {
        ChunkRef::Object(_) => chunk.bytes.is_some(),
        ChunkRef::Range { .. } => true,
    };
    let says_all = |chunk: &ChunkState| {
        let answer = chunk.work.answer();
        answer.is_some_and(|answer| answer.info.bytes.is_some() && is_told(&answer.info))
    };
    // A reducer that counts by our rules is one of ours: it has checked what it read.
    let reduced = record.reduce.answer();
    if !record.chunks.iter().all(knows_size) {
        Some("the splitter does not say how large the chunks are")
    } else if !record.chunks.iter().all(says_all) {
        Some("not every mapper says how much it counted")
    } else if !reduced.is_some_and(|answer| is_told(&answer.info)) {
        Some("the reducer does not check what it adds up")
    } else {
        None
    }
}

fn is_told(info: &OutputInfo) -> bool {
    info.words.is_some() && info.sha256.is_some() && info.rules.is_some()
}

/// Returns the bytes of the input that a chunk was cut from, where every chunk's size is known.
pub fn range_of(record: &RunState, index: ChunkIndex) -> Option<ChunkRef> {
    let before = record.chunks.get(..index.as_usize())?.iter();
    let start = before
        .map(|chunk| chunk.bytes)
        .try_fold(0u64, |sum, bytes| sum.checked_add(bytes?))?;
    let end = start.checked_add(record.chunk(index)?.bytes?)?;
    Some(ChunkRef::Range {
        s3: record.input.as_object()?.clone(),
        start,
        end,
    })
}

/// Returns what the reduce's inputs must hash to, in the chunks' order; empty where that is not known of all.
pub fn reduce_hashes(record: &RunState) -> Vec<String> {
    let hashes: Option<Vec<String>> = record
        .chunks
        .iter()
        .map(|chunk| chunk.work.answer()?.info.sha256.clone())
        .collect();
    hashes.unwrap_or_default()
}

/// Returns the chunks that have no committed output.
pub fn missing_chunks(record: &RunState) -> Vec<ChunkIndex> {
    ChunkIndex::all(record.chunks.len())
        .zip(&record.chunks)
        .filter(|(_, chunk)| chunk.work.status() != WorkStatus::Committed)
        .map(|(index, _)| index)
        .collect()
}

/// Returns the outputs to reduce: every chunk's, each once, in the chunks' order.
///
/// # Errors
///
/// Refuses a chunk without an output, and an output of two chunks.
pub fn reduce_inputs(record: &RunState) -> Result<Vec<S3Uri>, CheckError> {
    let mut seen = HashSet::new();
    let mut inputs = Vec::with_capacity(record.chunks.len());
    for (index, chunk) in ChunkIndex::all(record.chunks.len()).zip(&record.chunks) {
        let out = chunk.work.out().ok_or(CheckError::NoOutput(index))?;
        if !seen.insert(out) {
            return Err(CheckError::OutputTwice(out.clone()));
        }
        inputs.push(out.clone());
    }
    Ok(inputs)
}

/// Refuses counts that don't add up: what the maps counted must be what the reduce has.
///
/// # Errors
///
/// Returns which of the sums differ.
pub fn check_conservation(record: &RunState, result: u64) -> Result<(), CheckError> {
    let reported = |pick: fn(&OutputInfo) -> Option<u64>| {
        record
            .chunks
            .iter()
            .map(|chunk| pick(&chunk.work.answer()?.info))
            .try_fold(0u64, |sum, value| sum.checked_add(value?))
    };
    if let Some(maps) = reported(|info| info.words)
        && maps != result
    {
        return Err(CheckError::Words { maps, result });
    }
    if let (Some(maps), Some(input)) = (reported(|info| info.bytes), record.input_bytes)
        && maps != input
    {
        return Err(CheckError::Bytes { maps, input });
    }
    check_each_object(record)?;
    if let Some(reported) = record.reduce.answer().and_then(|answer| answer.info.words)
        && reported != result
    {
        return Err(CheckError::Reported { reported, result });
    }
    Ok(())
}

/// Refuses maps that read more or fewer bytes of an object than it has, where they say it.
fn check_each_object(record: &RunState) -> Result<(), CheckError> {
    let mut read: HashMap<&S3Uri, Option<u64>> = HashMap::new();
    for chunk in &record.chunks {
        let bytes = chunk.work.answer().and_then(|answer| answer.info.bytes);
        let sum = read.entry(chunk.source.uri()).or_insert(Some(0));
        *sum = sum
            .zip(bytes)
            .and_then(|(sum, bytes)| sum.checked_add(bytes));
    }
    // One that is counted twice is read twice.
    let mut pinned: HashMap<&S3Uri, u64> = HashMap::new();
    for PinnedObject { s3, bytes, .. } in &record.objects {
        let sum = pinned.entry(s3).or_default();
        *sum = sum.saturating_add(*bytes);
    }
    // An empty object has no chunk.
    let known = read.into_iter().filter_map(|(s3, maps)| Some((s3, maps?)));
    for (s3, maps) in known {
        if let Some(&bytes) = pinned.get(s3)
            && maps != bytes
        {
            let object = s3.clone();
            return Err(CheckError::BytesOf {
                object,
                maps,
                bytes,
            });
        }
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
    fn cuts_of_many_objects_must_cover_each_of_them() {
        let object = |key: &str, bytes| PinnedObject {
            s3: input().sibling(key).unwrap(),
            bytes,
            etag: None,
        };
        let whole = |key: &str| ChunkRef::Object(input().sibling(key).unwrap());
        let part = |key: &str, start, end| ChunkRef::Range {
            s3: input().sibling(key).unwrap(),
            start,
            end,
        };
        let objects = [object("a", 10), object("empty", 0), object("b", 4)];
        let check = |chunks| check_cuts(&split(chunks, None), &objects);
        assert_eq!(check(vec![whole("a"), whole("b")]), Ok(()));
        assert_eq!(
            check(vec![part("a", 0, 3), part("a", 3, 10), whole("b")]),
            Ok(())
        );
        for wrong in [
            vec![],
            vec![whole("a")],
            vec![whole("b"), whole("a")],
            vec![whole("a"), whole("a"), whole("b")],
            vec![whole("a"), whole("b"), whole("c")],
            vec![part("a", 0, 9), whole("b")],
            vec![part("a", 0, 11), whole("b")],
            vec![part("a", 0, 6), part("a", 5, 10), whole("b")],
            vec![part("a", 0, 5), part("a", 6, 10), whole("b")],
            vec![part("a", 0, 5), whole("a"), whole("b")],
            vec![part("a", 0, 0), whole("a"), whole("b")],
            vec![whole("a"), part("b", 0, 3)],
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong:?}");
        }
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
