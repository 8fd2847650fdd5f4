//! HTTP to the services: one request an attempt, with deadlines, typed errors and its time taken.

use std::time::{Duration, Instant};

use mrdeck_services::api::{
    self, AttemptParams, ChunkRef, MapAnswer, ReduceAnswer, ReduceBody, SplitAnswer, SplitMode,
};
use mrdeck_services::uri::S3Uri;
use reqwest::RequestBuilder;
use url::Url;

use super::answer::{parse, read_body, root_cause, server_timing, status_error};
use super::call_error::CallError;
use super::event::{RunId, TimedPart, Work};
use super::record::Record;
use crate::cluster::{Obstacle, Role, probe};
use crate::trouble::Trouble;

/// A task in the same region answers in milliseconds; packets that a firewall drops never do.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// Every attempt gets this, and a second more for each MiB of its input.
const BASE_DEADLINE: Duration = Duration::from_secs(30);
const MIB: u64 = 1 << 20;
/// Above this a reduce is sent as a POST: load balancers refuse longer addresses (an ALB at 16 KiB).
const MAX_QUERY: usize = 8 << 10;

/// The one way requests leave this console: no redirects, no proxies, nothing retried out of sight.
pub fn http_client() -> Result<reqwest::Client, Trouble> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_DEADLINE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .user_agent(concat!("mrdeck/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Trouble::new(
                format!("the HTTP client can't start: {error}"),
                "check this machine's TLS certificates",
            )
        })
}

/// One request, complete but for where it goes.
#[derive(Debug, Clone)]
pub enum Request {
    Split {
        input: S3Uri,
        chunks: u32,
        mode: SplitMode,
        /// The input's version; another one is refused.
        etag: Option<String>,
    },
    Map {
        source: ChunkRef,
        /// The version of the object that holds the chunk; another one is refused.
        etag: Option<String>,
    },
    Reduce {
        inputs: Vec<S3Uri>,
        /// What each input must hash to, in the order of the inputs; empty where that is not known of all.
        sha256: Vec<String>,
    },
}

impl Request {
    /// Who serves it.
    pub fn role(&self) -> Role {
        match self {
            Self::Split { .. } => Role::Splitter,
            Self::Map { .. } => Role::Mapper,
            Self::Reduce { .. } => Role::Reducer,
        }
    }
}

/// What a service answered.
#[derive(Debug, Clone)]
pub enum Answer {
    Split(SplitAnswer),
    Map(MapAnswer),
    Reduce(ReduceAnswer),
}

/// An answer, and how long it took from sending the request to the answer's last byte.
#[derive(Debug, Clone)]
pub struct TimedAnswer {
    pub answer: Answer,
    pub timing: Vec<TimedPart>,
    /// What the service calls itself; ours say `mrdeck-services/VERSION ROLE`.
    pub service: Option<String>,
}

/// Which attempt a request belongs to.
#[derive(Debug, Clone)]
pub struct AttemptName {
    pub run: RunId,
    pub chunk: Option<u32>,
    pub attempt: u32,
    /// Which console sends it, among those that took up the run.
    pub claim: u32,
    pub plan: Option<String>,
}

impl AttemptName {
    pub fn of(record: &Record, work: Work, attempt: u32) -> Self {
        Self {
            run: record.run,
            chunk: work.chunk,
            attempt,
            claim: record.claim,
            plan: record.plan.clone(),
        }
    }

    /// As the services are told: no two consoles ever name two attempts alike.
    pub fn params(&self) -> AttemptParams {
        let attempt = match self.claim {
            1 => self.attempt.to_string(),
            claim => format!("{}c{claim}", self.attempt),
        };
        AttemptParams {
            run: Some(self.run.to_string()),
            chunk: self.chunk.map(|chunk| format!("{chunk:05}")),
            attempt: Some(attempt),
            plan: self.plan.clone(),
        }
    }
}

/// The time an attempt may take: a fixed limit, or one that grows with its input.
pub fn attempt_deadline(limit: Option<Duration>, input_bytes: u64) -> Duration {
    limit.unwrap_or(BASE_DEADLINE + Duration::from_secs(input_bytes / MIB))
}

#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    pub fn new() -> Result<Self, Trouble> {
        Ok(Self {
            http: http_client()?,
        })
    }

    /// Sends one request and reads the whole answer. Dropping the future ends the request.
    pub async fn call(
        &self,
        base: &Url,
        request: &Request,
        name: &AttemptName,
        deadline: Duration,
    ) -> Result<TimedAnswer, CallError> {
        let address = authority(base);
        let builder = self.build(base, request, name).ok_or_else(|| {
            let detail = format!("{base} is not a base address");
            CallError::Connect {
                address: address.clone(),
                detail,
            }
        })?;
        let started = Instant::now();
        let exchange = async {
            let response = builder
                .send()
                .await
                .map_err(|error| send_error(&address, &error))?;
            let timing = server_timing(&response);
            let service = probe::service_name(&response);
            let status = response.status();
            let body = read_body(&address, response).await?;
            // Also of a refusal: a service of another role refuses everything, and means nothing by it.
            let role = request.role();
            if let Some(what) = service.as_ref().filter(|name| !probe::serves(name, role)) {
                return Err(CallError::Impostor {
                    address: address.clone(),
                    what: what.clone(),
                });
            }
            if !status.is_success() {
                return Err(status_error(&address, status, &body));
            }
            let answer = parse(&address, request, &body)?;
            Ok(TimedAnswer {
                answer,
                timing,
                service,
            })
        };
        match tokio::time::timeout(deadline, exchange).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Deadline {
                address,
                after: started.elapsed(),
            }),
        }
    }

    /// Lets the service at an address prove that it is of this role; `must_be_named` where it was one of ours.
    pub async fn prove(
        &self,
        base: &Url,
        role: Role,
        must_be_named: bool,
    ) -> Result<(), CallError> {
        let address = authority(base);
        let connect = |detail: String| CallError::Connect {
            address: address.clone(),
            detail,
        };
        match probe::identify(&self.http, role, base).await {
            Ok(None) if must_be_named => Err(CallError::Impostor {
                address,
                what: "it does not say what it is, and the service before it did".to_owned(),
            }),
            Ok(_) => Ok(()),
            Err(Obstacle::WrongService(what)) => Err(CallError::Impostor { address, what }),
            Err(obstacle) => Err(connect(obstacle.trouble().cause)),
        }
    }

    fn build(&self, base: &Url, request: &Request, name: &AttemptName) -> Option<RequestBuilder> {
        let attempt = name.params();
        let builder = match request {
            Request::Split {
                input,
                chunks,
                mode,
                etag,
            } => self
                .http
                .get(base.join(api::SPLIT).ok()?)
                .query(&[("s3", input.to_string()), ("chunks", chunks.to_string())])
                .query(match mode {
                    SplitMode::Copy => &[][..],
                    SplitMode::Range => &[("mode", "range")],
                })
                .query(pinned(etag.as_ref()).as_slice()),
            Request::Map { source, etag } => {
                let builder = self
                    .http
                    .get(base.join(api::MAP).ok()?)
                    .query(&[("s3", source.uri())]);
                let builder = match source {
                    ChunkRef::Object(_) => builder,
                    ChunkRef::Range { start, end, .. } => {
                        builder.query(&[("start", start), ("end", end)])
                    }
                };
                builder.query(pinned(etag.as_ref()).as_slice())
            }
            Request::Reduce { inputs, sha256 } => {
                let url = base.join(api::REDUCE).ok()?;
                let hashes: usize = sha256.iter().map(|hash| hash.len() + 8).sum();
                let names: usize = inputs.iter().map(|uri| uri.to_string().len() + 8).sum();
                if names + hashes > MAX_QUERY {
                    self.http.post(url).json(&ReduceBody::In {
                        inputs: inputs.clone(),
                        sha256: sha256.clone(),
                    })
                } else {
                    let pairs: Vec<_> = inputs.iter().map(|uri| ("in", uri)).collect();
                    let hashes: Vec<_> = sha256.iter().map(|hash| ("sha256", hash)).collect();
                    self.http.get(url).query(&pairs).query(&hashes)
                }
            }
        };
        Some(builder.query(&attempt))
    }
}

/// The parameter that names a version, where there is one to name.
fn pinned(etag: Option<&String>) -> Option<(&'static str, &str)> {
    etag.map(|etag| ("etag", etag.as_str()))
}

/// `HOST:PORT` for messages.
fn authority(base: &Url) -> String {
    base.authority().to_owned()
}

fn send_error(address: &str, error: &reqwest::Error) -> CallError {
    let address = address.to_owned();
    let detail = root_cause(error);
    if error.is_connect() {
        CallError::Connect { address, detail }
    } else {
        CallError::Interrupted { address, detail }
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
