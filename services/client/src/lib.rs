//! A typed HTTP client of the services: [split](Client::split), [map](Client::map) and [reduce](Client::reduce),
//! and [which service](Client::identify) answers at an address.
//!
//! It has no deadlines beyond those for connecting and for `/health`: dropping the future of a call ends the request, and
//! the scheduler of the calls decides when.

mod answer;
mod error;
mod http;
mod identify;
mod request;

use mrdeck_core::api::{MapAnswer, ReduceAnswer, SplitAnswer};
use mrdeck_core::causes::root_cause;
use mrdeck_core::role::Role;
use mrdeck_core::unreachable::Unreachable;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use url::{ParseError, Url};

pub use answer::{Timed, TimedPart};
pub use error::{CallError, Retry};
pub use http::{HttpClientError, http_client, http_client_builder};
pub use identify::{identify, service_name};
pub use request::{AttemptName, MapRequest, ReduceRequest, SplitRequest};

/// A client of the services; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// Creates a client with its own connections, through a proxy if one is named.
    ///
    /// # Errors
    ///
    /// Returns an error if TLS can't be set up.
    pub fn new(proxy: Option<&Url>) -> Result<Self, HttpClientError> {
        Ok(Self {
            http: http_client(proxy)?,
        })
    }

    /// Asks a splitter to cut an input into chunks.
    ///
    /// # Errors
    ///
    /// Returns a [`CallError`] if there is no usable answer.
    pub async fn split(
        &self,
        base: &Url,
        request: &SplitRequest,
        name: &AttemptName,
    ) -> Result<Timed<SplitAnswer>, CallError> {
        let builder = request.build(&self.http, base);
        call(base, Role::Splitter, builder, name).await
    }

    /// Asks a mapper to count one chunk.
    ///
    /// # Errors
    ///
    /// Returns a [`CallError`] if there is no usable answer.
    pub async fn map(
        &self,
        base: &Url,
        request: &MapRequest,
        name: &AttemptName,
    ) -> Result<Timed<MapAnswer>, CallError> {
        let builder = request.build(&self.http, base);
        call(base, Role::Mapper, builder, name).await
    }

    /// Asks a reducer to add up map outputs.
    ///
    /// # Errors
    ///
    /// Returns a [`CallError`] if there is no usable answer.
    pub async fn reduce(
        &self,
        base: &Url,
        request: &ReduceRequest,
        name: &AttemptName,
    ) -> Result<Timed<ReduceAnswer>, CallError> {
        let builder = request.build(&self.http, base);
        call(base, Role::Reducer, builder, name).await
    }

    /// Checks that the service at an address is of this role; `must_be_named` if the service before it was mrdeck's.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Impostor`] if something else answers, and [`CallError::Connect`] if nothing does.
    pub async fn identify(
        &self,
        base: &Url,
        role: Role,
        must_be_named: bool,
    ) -> Result<(), CallError> {
        let address = authority(base);
        match identify(&self.http, Some(role), base).await {
            Ok(None) if must_be_named => Err(CallError::Impostor {
                address,
                what: "it does not say what it is, and the service before it did".to_owned(),
            }),
            Ok(_) => Ok(()),
            Err(Unreachable::WrongService(what)) => Err(CallError::Impostor { address, what }),
            Err(reason) => Err(CallError::Connect {
                address,
                detail: reason.diagnostic().cause,
            }),
        }
    }
}

/// Sends one request and reads the whole answer. Dropping the future ends the request.
async fn call<T: DeserializeOwned>(
    base: &Url,
    role: Role,
    builder: Result<RequestBuilder, ParseError>,
    name: &AttemptName,
) -> Result<Timed<T>, CallError> {
    let address = authority(base);
    let builder = builder.map_err(|error| CallError::Connect {
        address: address.clone(),
        detail: format!("{base} is not a base address: {error}"),
    })?;
    let response = builder
        .query(&name.params())
        .send()
        .await
        .map_err(|error| send_error(&address, &error))?;
    let timing = answer::server_timing(&response);
    let service = service_name(&response);
    let status = response.status();
    let body = answer::read_body(&address, response).await?;
    // Checked for refusals too: those of a service of another role say nothing about the work.
    if let Some(what) = service
        .as_ref()
        .filter(|name| !identify::serves(name, Some(role)))
    {
        return Err(CallError::Impostor {
            address,
            what: what.clone(),
        });
    }
    if !status.is_success() {
        return Err(answer::status_error(&address, status, &body));
    }
    Ok(Timed {
        answer: answer::parse(&address, &body)?,
        timing,
        service,
    })
}

/// Returns `HOST:PORT`, for messages.
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
