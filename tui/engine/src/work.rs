//! What a run consists of: its phases, its pieces of work, the index of a chunk.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The steps of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Split,
    Map,
    Reduce,
    Verify,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Split, Self::Map, Self::Reduce, Self::Verify];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Split => "split",
            Self::Map => "map",
            Self::Reduce => "reduce",
            Self::Verify => "verify",
        })
    }
}

/// Which chunk of the input, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChunkIndex(pub u32);

impl ChunkIndex {
    /// Returns every index of `count` chunks, in order. A split has at most 10,000.
    pub fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..).map(Self).take(count)
    }

    /// Returns the place in a list of all chunks.
    pub fn as_usize(self) -> usize {
        // A platform whose addresses have fewer than 32 bits can't hold that many chunks either.
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ChunkIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One thing to be done by one task: the split, one chunk's map, or the reduce.
///
/// Written as `{"phase":"map","chunk":3}`; the split and the reduce have no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WorkShape", into = "WorkShape")]
pub enum Work {
    Split,
    Map(ChunkIndex),
    Reduce,
}

impl Work {
    /// Returns the map of chunk `index`.
    pub fn map(index: u32) -> Self {
        Self::Map(ChunkIndex(index))
    }

    pub fn phase(self) -> Phase {
        match self {
            Self::Split => Phase::Split,
            Self::Map(_) => Phase::Map,
            Self::Reduce => Phase::Reduce,
        }
    }

    /// Returns the chunk, if it is a map.
    pub fn chunk(self) -> Option<ChunkIndex> {
        match self {
            Self::Map(chunk) => Some(chunk),
            Self::Split | Self::Reduce => None,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split => f.write_str("split"),
            Self::Map(chunk) => write!(f, "chunk {chunk}"),
            Self::Reduce => f.write_str("reduce"),
        }
    }
}

/// How a piece of work is written in a record.
#[derive(Serialize, Deserialize)]
struct WorkShape {
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chunk: Option<ChunkIndex>,
}

impl From<Work> for WorkShape {
    fn from(work: Work) -> Self {
        Self {
            phase: work.phase(),
            chunk: work.chunk(),
        }
    }
}

/// The error of a phase and a chunk that don't go together.
#[derive(Debug, thiserror::Error)]
#[error("a piece of work is a split, a map of a chunk, or a reduce")]
struct NoSuchWork;

impl TryFrom<WorkShape> for Work {
    type Error = NoSuchWork;

    fn try_from(shape: WorkShape) -> Result<Self, NoSuchWork> {
        match (shape.phase, shape.chunk) {
            (Phase::Split, None) => Ok(Self::Split),
            (Phase::Map, Some(chunk)) => Ok(Self::Map(chunk)),
            (Phase::Reduce, None) => Ok(Self::Reduce),
            _ => Err(NoSuchWork),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn work_is_written_as_it_always_was() {
        for (work, json) in [
            (Work::Split, r#"{"phase":"split"}"#),
            (Work::map(3), r#"{"phase":"map","chunk":3}"#),
            (Work::Reduce, r#"{"phase":"reduce"}"#),
        ] {
            assert_eq!(serde_json::to_string(&work).unwrap(), json);
            assert_eq!(serde_json::from_str::<Work>(json).unwrap(), work);
        }
        for wrong in [
            r#"{"phase":"map"}"#,
            r#"{"phase":"verify","chunk":1}"#,
            r#"{"phase":"split","chunk":1}"#,
        ] {
            assert!(serde_json::from_str::<Work>(wrong).is_err(), "{wrong}");
        }
    }
}
