//! One request to a service, whichever it is.

use std::time::{Duration, Instant};

use mrdeck_client::{
    AttemptName, CallError, Client, MapRequest, ReduceRequest, SplitRequest, Timed,
};
use mrdeck_core::api::{MapAnswer, ReduceAnswer, SplitAnswer};
use mrdeck_core::role::Role;
use url::Url;

use crate::event::Work;
use crate::record::Record;

/// Every attempt gets this, and a second more for each MiB of its input.
const BASE_DEADLINE: Duration = Duration::from_secs(30);
const MIB: u64 = 1 << 20;

/// The time an attempt may take: a fixed limit, or one that grows with its input.
pub fn attempt_deadline(limit: Option<Duration>, input_bytes: u64) -> Duration {
    limit.unwrap_or(BASE_DEADLINE + Duration::from_secs(input_bytes / MIB))
}

pub fn attempt_name(record: &Record, work: Work, attempt: u32) -> AttemptName {
    AttemptName {
        run: record.run,
        chunk: work.chunk,
        attempt,
        lease: record.claim,
        plan: record.plan.clone(),
    }
}

#[derive(Debug, Clone)]
pub enum Request {
    Split(SplitRequest),
    Map(MapRequest),
    Reduce(ReduceRequest),
}

impl Request {
    pub fn role(&self) -> Role {
        match self {
            Self::Split(_) => Role::Splitter,
            Self::Map(_) => Role::Mapper,
            Self::Reduce(_) => Role::Reducer,
        }
    }
}

#[derive(Debug, Clone)]
pub enum Answer {
    Split(SplitAnswer),
    Map(MapAnswer),
    Reduce(ReduceAnswer),
}

pub async fn call(
    client: &Client,
    base: &Url,
    request: &Request,
    name: &AttemptName,
    deadline: Duration,
) -> Result<Timed<Answer>, CallError> {
    let started = Instant::now();
    let call = async {
        match request {
            Request::Split(split) => {
                Ok(with(client.split(base, split, name).await?, Answer::Split))
            }
            Request::Map(map) => Ok(with(client.map(base, map, name).await?, Answer::Map)),
            Request::Reduce(reduce) => Ok(with(
                client.reduce(base, reduce, name).await?,
                Answer::Reduce,
            )),
        }
    };
    match tokio::time::timeout(deadline, call).await {
        Ok(result) => result,
        Err(_) => Err(CallError::Deadline {
            address: base.authority().to_owned(),
            after: started.elapsed(),
        }),
    }
}

fn with<T>(timed: Timed<T>, wrap: fn(T) -> Answer) -> Timed<Answer> {
    Timed {
        answer: wrap(timed.answer),
        timing: timed.timing,
        service: timed.service,
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
