//! One attempt: proof of who answers, the request, and a look at S3 where its answer was lost. Runs as a task of its
//! own and takes its own time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mrdeck_client::{AttemptName, CallError, Client, Timed};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_store::Store;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{Instrument, debug, debug_span};
use url::Url;

use super::error::AttemptError;
use super::request::WorkRequest;
use crate::input::Input;
use crate::work::Work;

/// How long a look after a lost answer may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why an attempt is told to end before it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GiveUp {
    /// It takes too long.
    Deadline,
    /// Its task is no longer there.
    TaskGone,
}

/// Which attempt at which work.
pub(crate) type AttemptId = (Work, u32);

/// An attempt to be made.
#[derive(Debug, Clone)]
pub(crate) struct AttemptSpec<R> {
    pub(crate) work: Work,
    pub(crate) name: AttemptName,
    /// `HOST:PORT`
    pub(crate) address: String,
    pub(crate) base: Url,
    pub(crate) request: R,
    /// What answers must first prove what it is; `Some(true)` if it must name itself too.
    pub(crate) proof: Option<bool>,
}

/// What every attempt of a run works with.
#[derive(Clone)]
pub(crate) struct AttemptContext {
    pub(crate) client: Client,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) input: Input,
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) struct AttemptResult<A> {
    pub(crate) id: AttemptId,
    /// From sending the request to the last byte of the answer, or to its loss.
    pub(crate) latency: Duration,
    pub(crate) result: Result<Success<A>, AttemptError>,
}

/// An answer that may be committed, or what stands in for one.
#[derive(Debug)]
pub(crate) enum Success<A> {
    Answered(Timed<A>),
    /// The answer was lost for this reason, but the work is done.
    Recovered(A, Diagnostic),
}

/// Makes the attempt. `told` ends it early, but an answer that is there already is not thrown away.
pub(crate) async fn run<R: WorkRequest>(
    spec: AttemptSpec<R>,
    context: AttemptContext,
    told: oneshot::Receiver<GiveUp>,
) -> AttemptResult<R::Answer> {
    let id = (spec.work, spec.name.attempt);
    let span = debug_span!("attempt", work = %spec.work, attempt = id.1, address = %spec.address);
    async {
        let started = Instant::now();
        let sent = send(&spec, &context, told, started).await;
        // Measured before anything else is done about it.
        let latency = started.elapsed();
        let result = match sent {
            Ok(answer) => Ok(Success::Answered(answer)),
            Err(error) => recover(&spec, &context, error).await,
        };
        let result = result.map_err(AttemptError::from).and_then(|success| {
            let answer = match &success {
                Success::Answered(timed) => &timed.answer,
                Success::Recovered(answer, _) => answer,
            };
            spec.request.check(&spec.name, answer)?;
            Ok(success)
        });
        match &result {
            Ok(_) => debug!(?latency, "succeeded"),
            Err(error) => debug!(?latency, %error, "failed"),
        }
        AttemptResult {
            id,
            latency,
            result,
        }
    }
    .instrument(span)
    .await
}

async fn send<R: WorkRequest>(
    spec: &AttemptSpec<R>,
    context: &AttemptContext,
    told: oneshot::Receiver<GiveUp>,
    started: Instant,
) -> Result<Timed<R::Answer>, CallError> {
    let exchange = async {
        if let Some(must_be_named) = spec.proof {
            let client = &context.client;
            client.identify(&spec.base, R::ROLE, must_be_named).await?;
        }
        spec.request
            .send(&context.client, &spec.base, &spec.name)
            .await
    };
    tokio::select! {
        // In this order: after a pause of the whole process the answer may lie in the socket.
        biased;
        answer = exchange => answer,
        Ok(why) = told => {
            let address = spec.address.clone();
            let after = started.elapsed();
            Err(match why {
                GiveUp::TaskGone => CallError::Gone { address },
                GiveUp::Deadline => CallError::Deadline { address, after },
            })
        }
    }
}

/// Looks for the output of work whose answer did not come.
async fn recover<R: WorkRequest>(
    spec: &AttemptSpec<R>,
    context: &AttemptContext,
    error: CallError,
) -> Result<Success<R::Answer>, CallError> {
    if !error.may_be_done() {
        return Err(error);
    }
    match lost_answer::<R>(&spec.name, context).await {
        Some(answer) => Ok(Success::Recovered(answer, error.diagnostic())),
        None => Err(error),
    }
}

async fn lost_answer<R: WorkRequest>(
    name: &AttemptName,
    context: &AttemptContext,
) -> Option<R::Answer> {
    let out = context.input.sibling(&R::output_key(name)?).ok()?;
    let head = timeout(LOOKUP_TIMEOUT, context.store.head(&out))
        .await
        .ok()?;
    let provenance = head.ok()?.provenance?;
    if provenance.of != name.params() {
        return None;
    }
    R::recover(out, provenance)
}
