//! The cuts of an input of many objects. The console plans them itself, as Hadoop's client does: the splitter knows one
//! input, and a cut between two words needs no look at the bytes.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Instant;

use mrdeck_core::api::ChunkRef;
use mrdeck_core::count::cuts::cuts;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::plural;

use super::finish;
use super::ranges::all_know_ranges;
use crate::checks;
use crate::event::{EventKind, PinnedObject, SplitChoice};
use crate::run::Run;
use crate::work::Phase;

pub(super) async fn cut(run: &mut Run) {
    let phase = Phase::Split;
    run.emit(EventKind::PhaseStarted { phase });
    let started = Instant::now();
    let knows_ranges = match run.state().options.split {
        SplitChoice::Range => true,
        SplitChoice::Auto | SplitChoice::Copy => all_know_ranges(run).await,
    };
    let state = run.state();
    let bytes = state.input_bytes.unwrap_or_default();
    let asked = state.options.chunks;
    let wanted = asked.unwrap_or_else(|| checks::default_chunks(bytes, state.mappers));
    let planned = plan(&state.objects, if knows_ranges { wanted } else { 0 });
    let made = planned.len();
    let mut planned_event = (Vec::new(), Vec::new(), Vec::new());
    for chunk in planned {
        planned_event.0.push(chunk.source);
        planned_event.1.push(chunk.bytes);
        planned_event.2.push(chunk.etag);
    }
    if let Some(asked) = asked.filter(|asked| *asked as usize != made) {
        let why = if knows_ranges {
            "each object is one at least"
        } else {
            "each object is one: not every mapper is known to read byte ranges"
        };
        let chunks = plural(made as u64, "chunk");
        let notice = format!("asked for {asked} chunks, but there are {chunks}: {why}");
        run.notice(Diagnostic::new(notice, ""));
    }
    let (chunks, sizes, etags) = planned_event;
    run.emit(EventKind::ChunksPlanned {
        chunks,
        sizes: Some(sizes),
        etags,
    });
    finish(run, phase, started);
}

/// A chunk that is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Planned {
    source: ChunkRef,
    bytes: u64,
    etag: Option<String>,
}

/// Cuts objects into `wanted` chunks: the next cut always goes through the object whose chunks are the largest. Every
/// object that is not empty is one chunk at least, read whole.
fn plan(objects: &[PinnedObject], wanted: u32) -> Vec<Planned> {
    let mut pieces: BinaryHeap<Pieces<'_>> = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.bytes > 0)
        .map(|(index, object)| Pieces {
            index,
            object,
            count: 1,
        })
        .collect();
    let objects = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    for _ in objects..wanted {
        let Some(mut largest) = pieces.peek_mut() else {
            break;
        };
        if u64::from(largest.count) >= largest.object.bytes {
            break;
        }
        largest.count += 1;
    }
    let mut pieces = pieces.into_vec();
    pieces.sort_by_key(|pieces| pieces.index);
    pieces.iter().flat_map(Pieces::chunks).collect()
}

/// How many pieces an object is cut into. The greatest is the one with the largest pieces.
struct Pieces<'a> {
    index: usize,
    object: &'a PinnedObject,
    count: u32,
}

impl Pieces<'_> {
    fn chunks(&self) -> Vec<Planned> {
        let PinnedObject { s3, bytes, etag } = self.object;
        let planned = |source, bytes| Planned {
            source,
            bytes,
            etag: etag.clone(),
        };
        if self.count == 1 {
            return vec![planned(ChunkRef::Object(s3.clone()), *bytes)];
        }
        let ranges = cuts(*bytes, self.count).into_iter().map(|range| {
            let source = ChunkRef::Range {
                s3: s3.clone(),
                start: range.start,
                end: range.end,
            };
            planned(source, range.end - range.start)
        });
        ranges.collect()
    }
}

impl Ord for Pieces<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // a/b < c/d, multiplied out.
        let left = u128::from(self.object.bytes) * u128::from(other.count);
        let right = u128::from(other.object.bytes) * u128::from(self.count);
        left.cmp(&right).then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Pieces<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pieces<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pieces<'_> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_core::api::SplitAnswer;

    use super::*;

    fn object(key: &str, bytes: u64) -> PinnedObject {
        PinnedObject {
            s3: format!("s3://b/{key}").parse().unwrap(),
            bytes,
            etag: Some(key.to_owned()),
        }
    }

    /// The sizes of the chunks, object by object.
    fn sizes(objects: &[u64], wanted: u32) -> Vec<Vec<u64>> {
        let named: Vec<PinnedObject> = (0..)
            .zip(objects)
            .map(|(index, bytes)| object(&format!("k{index}"), *bytes))
            .collect();
        let planned = plan(&named, wanted);
        let of = |object: &PinnedObject| {
            let own = planned.iter().filter(|chunk| match &chunk.source {
                ChunkRef::Object(uri) | ChunkRef::Range { s3: uri, .. } => *uri == object.s3,
            });
            own.map(|chunk| chunk.bytes).collect()
        };
        let answer = SplitAnswer {
            chunks: planned.iter().map(|chunk| chunk.source.clone()).collect(),
            bytes: None,
            sizes: Some(planned.iter().map(|chunk| chunk.bytes).collect()),
        };
        assert_eq!(checks::check_cuts(&answer, &named), Ok(()));
        named.iter().map(of).collect()
    }

    #[test]
    fn each_cut_goes_through_the_object_with_the_largest_chunks() {
        assert_eq!(sizes(&[100, 10], 2), [vec![100], vec![10]]);
        assert_eq!(sizes(&[100, 10], 3), [vec![50, 50], vec![10]]);
        assert_eq!(sizes(&[90, 60], 5), [vec![30, 30, 30], vec![30, 30]]);
        assert_eq!(sizes(&[100, 0, 10], 1), [vec![100], vec![], vec![10]]);
        assert_eq!(sizes(&[2, 1], 10), [vec![1, 1], vec![1]], "no empty ones");
        assert_eq!(sizes(&[5, 5, 5], 0), [vec![5], vec![5], vec![5]]);
    }

    #[test]
    fn an_object_in_one_piece_is_read_whole_so_that_any_mapper_can() {
        let planned = plan(&[object("a", 4), object("b", 1)], 3);
        assert!(matches!(
            planned[0].source,
            ChunkRef::Range {
                start: 0,
                end: 2,
                ..
            }
        ));
        assert!(matches!(planned[2].source, ChunkRef::Object(_)));
        assert_eq!(planned[2].etag.as_deref(), Some("b"));
    }
}
