//! Whose credentials they are, where they come from, and how long they are valid.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use aws_credential_types::provider::ProvideCredentials;

use mrdeck_store::aws::ProcessNews;
use tokio::time::timeout;

use super::DEADLINE;
use super::finding::Finding;
use crate::config::Config;
use mrdeck_cluster::aws::credentials::session;
use mrdeck_cluster::aws::error::no_credentials;
use mrdeck_cluster::aws::identity::caller_identity;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind, RENEW_CREDENTIALS};
use mrdeck_core::human::age;

const CHECK: &str = "credentials";
const SSO: &str = "from SSO";
/// Credentials that expire sooner may not last for a run over a large input.
const SOON: Duration = Duration::from_mins(10);

/// Loads the SDK's configuration, and why there are no credentials if what gives them takes too long: nothing else
/// that needs them has to be tried then.
///
/// # Errors
///
/// Returns the first setting that can't be used.
pub(super) async fn session_in_time(
    config: &Config,
) -> Result<(SdkConfig, Option<Diagnostic>), Diagnostic> {
    let waited_for = Arc::new(Mutex::new("what gives credentials".to_owned()));
    let known = waited_for.clone();
    let mut options = config.connect.aws.clone();
    options.process_listener = options.process_listener.and(move |news| {
        if let ProcessNews::Waiting(which) = news {
            which.clone_into(&mut known.lock().unwrap_or_else(PoisonError::into_inner));
        }
    });
    let (sdk, renewal) = session(&options).await?;
    let late = timeout(DEADLINE, renewal.ready()).await.is_err();
    let late = late.then(|| {
        let which = waited_for.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = DEADLINE.as_secs();
        let cause = format!("no valid AWS credentials: {which} has not ended within {seconds} s");
        let advice = "run its command by hand to see what it needs, or choose another --profile";
        Diagnostic::new(cause, advice).of_kind(DiagnosticKind::Credentials)
    });
    Ok((sdk, late))
}

/// Asks AWS whose they are.
pub(super) async fn check(sdk: &SdkConfig) -> Finding {
    let here = match find(sdk).await {
        Ok(credentials) => describe(&credentials),
        Err(diagnostic) => return Finding::failed(CHECK, diagnostic),
    };
    match caller_identity(sdk).await {
        Ok(identity) => {
            let who = format!("account {}, {}", identity.account, identity.arn);
            with_expiry(&format!("{who}, {}", here.source), &here)
        }
        Err(error) => {
            let diagnostic = Diagnostic::from(error);
            if diagnostic.kind == DiagnosticKind::Credentials {
                return Finding::failed(CHECK, diagnostic);
            }
            // The other checks show whether they are valid; STS may be unreachable in a closed network.
            let cause = format!(
                "found {}, but not whose they are: {}",
                here.source, diagnostic.cause
            );
            Finding::warning(CHECK, Diagnostic::new(cause, diagnostic.advice))
        }
    }
}

/// Checks only that there are credentials: an S3 other than Amazon's has no STS to ask.
pub(super) async fn check_found(sdk: &SdkConfig) -> Finding {
    match find(sdk).await {
        Ok(credentials) => {
            let here = describe(&credentials);
            with_expiry(&format!("found {}", here.source), &here)
        }
        Err(diagnostic) => Finding::failed(CHECK, diagnostic),
    }
}

async fn find(sdk: &SdkConfig) -> Result<Credentials, Diagnostic> {
    let provider = sdk
        .credentials_provider()
        .ok_or_else(|| Diagnostic::new("no valid AWS credentials", RENEW_CREDENTIALS))?;
    provider
        .provide_credentials()
        .await
        .map_err(|error| no_credentials(&error))
}

struct Described {
    source: &'static str,
    advice: &'static str,
    /// `None` if they don't expire, or if it is unknown when.
    left: Option<Duration>,
}

fn describe(credentials: &Credentials) -> Described {
    let features = credentials.get_property::<Vec<Feature>>();
    let source = source(features.map(Vec::as_slice).unwrap_or_default());
    Described {
        source,
        advice: if source == SSO {
            "renew them before a run: aws sso login"
        } else {
            "renew them before a run"
        },
        left: credentials
            .expiry()
            .map(|at| at.duration_since(SystemTime::now()).unwrap_or_default()),
    }
}

/// Names the source of credentials by the best-known link of the provider chain that found them.
fn source(features: &[Feature]) -> &'static str {
    const KNOWN: [(&[Feature], &str); 7] = [
        (
            &[Feature::CredentialsProfileSso, Feature::CredentialsSso],
            SSO,
        ),
        (
            &[
                Feature::CredentialsProfileStsWebIdToken,
                Feature::CredentialsEnvVarsStsWebIdToken,
                Feature::CredentialsStsAssumeRoleWebId,
            ],
            "from a web identity",
        ),
        (&[Feature::CredentialsStsAssumeRole], "by assuming a role"),
        (
            &[
                Feature::CredentialsProfileProcess,
                Feature::CredentialsProcess,
            ],
            "from a process",
        ),
        (&[Feature::CredentialsHttp], "from the container"),
        (&[Feature::CredentialsImds], "from the EC2 instance"),
        (&[Feature::CredentialsEnvVars], "from the environment"),
    ];
    let found = KNOWN
        .iter()
        .find(|(links, _)| links.iter().any(|link| features.contains(link)));
    match found {
        Some((_, words)) => words,
        None if features.contains(&Feature::CredentialsProfile) => "from a profile",
        None => "from the SDK's chain",
    }
}

fn with_expiry(who: &str, here: &Described) -> Finding {
    let Some(left) = here.left else {
        return Finding::ok(CHECK, who);
    };
    let found = format!(
        "{who}, valid for another {}",
        age(i64::try_from(left.as_secs()).unwrap_or(i64::MAX))
    );
    if left < SOON {
        return Finding::warning(CHECK, Diagnostic::new(found, here.advice));
    }
    Finding::ok(CHECK, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CheckStatus;

    #[test]
    fn the_source_is_the_one_a_person_knows() {
        for (features, words) in [
            (&[][..], "from the SDK's chain"),
            (&[Feature::CredentialsProfile], "from a profile"),
            (
                &[Feature::CredentialsSso, Feature::CredentialsProfile],
                "from SSO",
            ),
        ] {
            assert_eq!(source(features), words);
        }
    }

    #[test]
    fn what_ends_soon_is_a_warning() {
        let status = |left| {
            let (source, advice) = (SSO, "renew them");
            let here = Described {
                source,
                advice,
                left,
            };
            with_expiry("me", &here).status
        };
        assert_eq!(status(None), CheckStatus::Ok);
        assert_eq!(status(Some(Duration::from_hours(1))), CheckStatus::Ok);
        assert_eq!(status(Some(Duration::from_mins(9))), CheckStatus::Warning);
    }
}
