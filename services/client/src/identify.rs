//! Which service answers at an address: asked through `/health`, and told by its header.

use std::time::Duration;

use mrdeck_core::api;
use mrdeck_core::causes::causes;
use mrdeck_core::role::Role;
use mrdeck_core::unreachable::Unreachable;
use url::Url;

/// A healthy service answers in milliseconds; a security group that drops packets never does.
const DEADLINE: Duration = Duration::from_secs(2);

/// Asks one address; gives what the service there calls itself, if it may be one of this role.
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

/// What a service calls itself.
pub fn service_name(answer: &reqwest::Response) -> Option<String> {
    let header = answer.headers().get(api::SERVICE_HEADER)?;
    header.to_str().ok().map(str::to_owned)
}

/// Returns whether `mrdeck-services/VERSION ROLE` is of this role. A task without a role may be anything.
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
