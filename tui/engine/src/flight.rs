//! One attempt on its way: proof of who answers, the request, and a look at S3 where its answer was lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mrdeck_store::Store;
use tokio::sync::oneshot;
use url::Url;

use super::event::Work;
use super::recover::Expected;
use crate::call::{Answer, Request};
use mrdeck_client::CallError;
use mrdeck_client::{AttemptName, Client, Timed};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

/// Why an attempt is given up before it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// The others are so fast that it should be done.
    Deadline,
    /// Its task is no longer there.
    TaskGone,
    /// Another attempt at the same work was faster.
    Superfluous,
}

/// What the dispatcher knows of an attempt in flight.
pub(super) struct Flight {
    pub(super) attempt: u32,
    pub(super) task: TaskId,
    pub(super) since: Instant,
    /// The longest it may take.
    pub(super) cap: Duration,
    /// It gets all of that, however fast the others are.
    pub(super) is_patient: bool,
    /// Taken once it is told to give up.
    pub(super) give_up: Option<oneshot::Sender<GiveUp>>,
}

/// All that an attempt needs to fly.
pub(super) struct Departure {
    pub(super) work: Work,
    pub(super) task: TaskId,
    pub(super) address: String,
    pub(super) base: Url,
    pub(super) request: Request,
    pub(super) name: AttemptName,
    pub(super) cap: Duration,
    /// What answers must prove what it is; `Some(true)` if it must name itself too.
    pub(super) proof: Option<bool>,
    pub(super) expected: Option<Expected>,
    pub(super) client: Client,
    pub(super) store: Arc<dyn Store>,
    pub(super) told: oneshot::Receiver<GiveUp>,
}

/// How sending it ended without an answer.
enum Loss {
    Failed(CallError),
    /// Nobody wants to know.
    Superfluous(CallError),
}

/// How it ended.
pub(super) struct Landing {
    pub(super) work: Work,
    pub(super) attempt: u32,
    pub(super) task: TaskId,
    pub(super) address: String,
    pub(super) latency: Duration,
    pub(super) result: Result<Landed, CallError>,
}

/// An answer, or what stands in for one.
pub(super) enum Landed {
    Answered(Timed<Answer>),
    /// The answer was lost, but the work is done.
    Recovered(Answer, Diagnostic),
}

impl Departure {
    pub(super) async fn fly(mut self) -> Landing {
        let started = Instant::now();
        let sent = self.send(started).await;
        // Measured before anything else is done about it.
        let latency = started.elapsed();
        let result = match sent {
            Ok(answer) => Ok(Landed::Answered(answer)),
            Err(Loss::Failed(error)) => self.look(error).await,
            Err(Loss::Superfluous(error)) => Err(error),
        };
        Landing {
            work: self.work,
            attempt: self.name.attempt,
            task: self.task,
            address: self.address,
            latency,
            result,
        }
    }

    async fn send(&mut self, started: Instant) -> Result<Timed<Answer>, Loss> {
        let Self {
            address,
            base,
            request,
            name,
            cap,
            proof,
            client,
            told,
            ..
        } = self;
        let exchange = async {
            if let Some(must_be_named) = proof {
                client
                    .identify(base, request.role(), *must_be_named)
                    .await?;
            }
            crate::call::call(client, base, request, name, *cap).await
        };
        tokio::select! {
            answer = exchange => answer.map_err(Loss::Failed),
            Ok(why) = told => {
                let address = address.clone();
                let after = started.elapsed();
                Err(match why {
                    GiveUp::TaskGone => Loss::Failed(CallError::Gone { address }),
                    GiveUp::Deadline => Loss::Failed(CallError::Deadline { address, after }),
                    GiveUp::Superfluous => Loss::Superfluous(CallError::Deadline { address, after }),
                })
            }
        }
    }

    /// Was the work done although its answer did not come?
    async fn look(&self, error: CallError) -> Result<Landed, CallError> {
        let Some(expected) = self.expected.as_ref().filter(|_| error.may_be_done()) else {
            return Err(error);
        };
        match expected.look(self.store.as_ref()).await {
            Some(answer) => Ok(Landed::Recovered(answer, error.diagnostic())),
            None => Err(error),
        }
    }
}
