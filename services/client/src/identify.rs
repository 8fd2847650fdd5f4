//! Identifies the service at an address by the header of its answer to `/health`.

use std::time::Duration;

use mrdeck_core::api;
use mrdeck_core::causes::causes;
use mrdeck_core::role::Role;
use mrdeck_core::unreachable::Unreachable;
use url::Url;

/// The longest that an answer may take. A healthy service answers in milliseconds; packets that a security group drops
/// are never answered.
const DEADLINE: Duration = Duration::from_secs(2);

/// Probes an address; returns the name that the service gives itself, if any.
///
/// # Errors
///
/// Returns an error if no service answers, or one of another role.
pub async fn identify(
    http: &reqwest::Client,
    role: Option<Role>,
    base: &Url,
) -> Result<Option<String>, Unreachable> {
    let url = base
        .join(api::HEALTH)
        .map_err(|error| Unreachable::Lost(error.to_string()))?;
    let answer = http
        .get(url)
        .timeout(DEADLINE)
        .send()
        .await
        .map_err(|error| why_lost(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(Unreachable::WrongService(format!(
            "/health answers {status}"
        )));
    }
    let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
    if header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return Err(Unreachable::WrongService(
            "/health is a web page".to_owned(),
        ));
    }
    let service = service_name(&answer);
    match &service {
        Some(name) if !serves(name, role) => Err(Unreachable::WrongService(name.clone())),
        _ => Ok(service),
    }
}

/// Returns the name that a service gives itself.
pub fn service_name(answer: &reqwest::Response) -> Option<String> {
    let header = answer.headers().get(api::SERVICE_HEADER)?;
    header.to_str().ok().map(str::to_owned)
}

/// Returns whether `mrdeck-services/VERSION ROLE` is of this role. Without a role, any service is accepted.
pub(crate) fn serves(service: &str, role: Option<Role>) -> bool {
    role.is_none_or(|role| service.rsplit(' ').next() == Some(role.as_str()))
}

fn why_lost(error: &reqwest::Error) -> Unreachable {
    if error.is_timeout() {
        return Unreachable::TimedOut(DEADLINE.as_secs());
    }
    let sources = std::iter::successors(std::error::Error::source(error), |e| e.source());
    let refused = sources
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused);
    if refused {
        Unreachable::Refused
    } else {
        Unreachable::Lost(causes(error))
    }
}
