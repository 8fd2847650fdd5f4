//! What each phase asks of its workers, as the scheduler sees it: one type a phase.

use std::time::Duration;

use mrdeck_client::{
    AttemptName, CallError, Client, MapRequest, ReduceRequest, SplitRequest, Timed, TimedPart,
};
use mrdeck_core::api::{
    ChunkRef, MapAnswer, OutputAnswer, OutputInfo, Provenance, ReduceAnswer, SplitAnswer,
};
use mrdeck_core::layout;
use mrdeck_core::role::Role;
use mrdeck_core::uri::S3Uri;
use url::Url;

use crate::checks::{self, CheckError};
use crate::event::AttemptAnswer;

/// Every attempt gets this, and a second more for each MiB of its input.
const BASE_DEADLINE: Duration = Duration::from_secs(30);
const MIB: u64 = 1 << 20;

/// Returns the time an attempt may take: a fixed limit, or one that grows with its input.
pub(crate) fn attempt_deadline(limit: Option<Duration>, input_bytes: u64) -> Duration {
    limit.unwrap_or(BASE_DEADLINE + Duration::from_secs(input_bytes / MIB))
}

/// A request that can be sent again and again, to one worker or another.
pub(crate) trait WorkRequest: Clone + Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Who serves it.
    const ROLE: Role;

    fn send(
        &self,
        client: &Client,
        base: &Url,
        name: &AttemptName,
    ) -> impl Future<Output = Result<Timed<Self::Answer>, CallError>> + Send;

    /// Looks at an answer before it is committed; what this refuses counts as a failed attempt.
    fn check(&self, name: &AttemptName, answer: &Self::Answer) -> Result<(), CheckError>;

    /// Returns what a record keeps of an answer.
    fn summary(answer: &Self::Answer, timing: Vec<TimedPart>) -> AttemptAnswer;

    /// Returns the key at which mrdeck's own services put the attempt's output, if that says what it is.
    fn output_key(name: &AttemptName) -> Option<String>;

    /// Returns the answer that an output stands for.
    fn recover(out: S3Uri, provenance: Provenance) -> Option<Self::Answer>;

    /// Returns the copy of a chunk that is read, if one is: it may be at fault itself.
    fn copy(&self) -> Option<&S3Uri> {
        None
    }
}

/// Cutting the input.
#[derive(Debug, Clone)]
pub(crate) struct SplitWork {
    pub(crate) request: SplitRequest,
    pub(crate) input_bytes: u64,
}

/// Counting one chunk.
#[derive(Debug, Clone)]
pub(crate) struct MapWork {
    pub(crate) request: MapRequest,
    /// The size of the piece that was cut, if the splitter said it.
    pub(crate) cut_bytes: Option<u64>,
    /// Whether an object that is read whole is the copy of a chunk, and not one of the input's.
    pub(crate) is_copy: bool,
}

/// Adding the map outputs up.
#[derive(Debug, Clone)]
pub(crate) struct ReduceWork {
    pub(crate) request: ReduceRequest,
}

impl WorkRequest for SplitWork {
    type Answer = SplitAnswer;
    const ROLE: Role = Role::Splitter;

    async fn send(
        &self,
        client: &Client,
        base: &Url,
        name: &AttemptName,
    ) -> Result<Timed<SplitAnswer>, CallError> {
        client.split(base, &self.request, name).await
    }

    fn check(&self, _: &AttemptName, answer: &SplitAnswer) -> Result<(), CheckError> {
        checks::check_split(answer, &self.request.input, self.input_bytes)
    }

    fn summary(answer: &SplitAnswer, timing: Vec<TimedPart>) -> AttemptAnswer {
        AttemptAnswer {
            out: None,
            info: OutputInfo {
                bytes: answer.bytes,
                ..OutputInfo::default()
            },
            timing,
        }
    }

    /// The copies of chunks say nothing of themselves.
    fn output_key(_: &AttemptName) -> Option<String> {
        None
    }

    fn recover(_: S3Uri, _: Provenance) -> Option<SplitAnswer> {
        None
    }
}

impl WorkRequest for MapWork {
    type Answer = MapAnswer;
    const ROLE: Role = Role::Mapper;

    async fn send(
        &self,
        client: &Client,
        base: &Url,
        name: &AttemptName,
    ) -> Result<Timed<MapAnswer>, CallError> {
        client.map(base, &self.request, name).await
    }

    fn check(&self, name: &AttemptName, answer: &MapAnswer) -> Result<(), CheckError> {
        checks::check_map(&self.request.source, self.cut_bytes, name, answer)
    }

    fn summary(answer: &MapAnswer, timing: Vec<TimedPart>) -> AttemptAnswer {
        output_summary(answer, timing)
    }

    fn output_key(name: &AttemptName) -> Option<String> {
        let of = name.params();
        Some(layout::map_output(
            of.run.as_deref()?,
            of.chunk.as_deref()?,
            of.attempt.as_deref()?,
        ))
    }

    fn recover(out: S3Uri, provenance: Provenance) -> Option<MapAnswer> {
        Some(output_answer(out, provenance))
    }

    fn copy(&self) -> Option<&S3Uri> {
        match &self.request.source {
            ChunkRef::Object(uri) if self.is_copy => Some(uri),
            ChunkRef::Object(_) | ChunkRef::Range { .. } => None,
        }
    }
}

impl WorkRequest for ReduceWork {
    type Answer = ReduceAnswer;
    const ROLE: Role = Role::Reducer;

    async fn send(
        &self,
        client: &Client,
        base: &Url,
        name: &AttemptName,
    ) -> Result<Timed<ReduceAnswer>, CallError> {
        client.reduce(base, &self.request, name).await
    }

    fn check(&self, name: &AttemptName, answer: &ReduceAnswer) -> Result<(), CheckError> {
        let files = u64::try_from(self.request.inputs.len()).unwrap_or(u64::MAX);
        checks::check_reduce(files, name, answer)
    }

    fn summary(answer: &ReduceAnswer, timing: Vec<TimedPart>) -> AttemptAnswer {
        output_summary(answer, timing)
    }

    fn output_key(name: &AttemptName) -> Option<String> {
        let of = name.params();
        Some(layout::reduce_output(
            of.run.as_deref()?,
            of.attempt.as_deref()?,
        ))
    }

    fn recover(out: S3Uri, provenance: Provenance) -> Option<ReduceAnswer> {
        Some(output_answer(out, provenance))
    }
}

fn output_answer(out: S3Uri, Provenance { of, info }: Provenance) -> OutputAnswer {
    OutputAnswer {
        out,
        info,
        of: Some(of),
    }
}

fn output_summary(answer: &OutputAnswer, timing: Vec<TimedPart>) -> AttemptAnswer {
    AttemptAnswer {
        out: Some(answer.out.clone()),
        info: answer.info.clone(),
        timing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_grows_with_the_input() {
        assert_eq!(attempt_deadline(None, 0), Duration::from_secs(30));
        assert_eq!(attempt_deadline(None, 64 * MIB), Duration::from_secs(94));
        let fixed = Duration::from_millis(1);
        assert_eq!(attempt_deadline(Some(fixed), 64 * MIB), fixed);
    }
}
