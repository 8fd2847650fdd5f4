//! Calls to AWS that failed: the typed error of every client, and the diagnostic made of it.

use std::error::Error;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::{BoxError, ProvideErrorMetadata, SdkError};
use mrdeck_core::causes::causes;
use mrdeck_store::aws::NoCredentials;
use mrdeck_store::refusal::{Refusal, is_about_credentials, refusal};
use mrdeck_store::unreadable::Unreadable;

use mrdeck_core::diagnostic::{
    CHECK_ENDPOINT, CHECK_NETWORK, Diagnostic, DiagnosticKind, RENEW_CREDENTIALS,
};

/// Why a call has no result, whichever client made it.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("there are no valid AWS credentials")]
    Credentials { source: BoxError },
    /// It can't be built or signed.
    #[error("the request to {service} can't be made")]
    Unmade {
        service: &'static str,
        source: BoxError,
    },
    #[error("{service} can't be reached")]
    Unreachable {
        service: &'static str,
        source: BoxError,
    },
    /// A success whose content is not what AWS sends.
    #[error("{service} answered, but its answer can't be read: {detail}")]
    Unreadable {
        service: &'static str,
        detail: String,
    },
    /// An error without a code: of something else than the service.
    #[error("{detail}")]
    Unexplained { status: u16, detail: String },
    #[error("{message} ({code})")]
    Refused { code: String, message: String },
}

impl QueryError {
    /// Reads an SDK's error.
    pub fn from_sdk<E>(service: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        if let Some(Unreadable { status, detail }) = Unreadable::of(&error) {
            return if (200..300).contains(&status) {
                Self::Unreadable { service, detail }
            } else {
                Self::Unexplained { status, detail }
            };
        }
        match error {
            SdkError::ServiceError(answer) => Self::Refused {
                code: answer.err().code().unwrap_or_default().to_owned(),
                message: answer
                    .err()
                    .message()
                    .unwrap_or("no explanation")
                    .to_owned(),
            },
            error if is_about_credentials(&error) => Self::Credentials {
                source: error.into(),
            },
            error @ SdkError::ConstructionFailure(_) => Self::Unmade {
                service,
                source: error.into(),
            },
            error => Self::Unreachable {
                service,
                source: error.into(),
            },
        }
    }

    /// Returns the code that the service refused with.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Returns whether the service refused because there were too many calls.
    pub fn is_throttled(&self) -> bool {
        self.code().map(refusal) == Some(Refusal::Throttled)
    }

    /// Returns whether the credentials are missing, wrong or expired.
    pub fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Credentials { .. })
            || self.code().map(refusal) == Some(Refusal::Credentials)
    }

    /// Returns whether the credentials are valid, and do not allow it.
    pub fn is_denied(&self) -> bool {
        self.code().map(refusal) == Some(Refusal::Denied)
    }

    /// Adds what the call was to do, such as `list the tasks`.
    pub fn doing(self, what: &'static str) -> AwsError {
        AwsError {
            what,
            cluster: String::new(),
            cause: self,
        }
    }
}

/// A call to AWS that failed, and what it was to do.
#[derive(Debug, thiserror::Error)]
#[error("AWS could not {what}")]
pub struct AwsError {
    what: &'static str,
    /// The ECS cluster it was about.
    cluster: String,
    #[source]
    pub cause: QueryError,
}

impl AwsError {
    /// Makes the error of an ECS call about `cluster`.
    pub fn ecs<E>(what: &'static str, cluster: &str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        QueryError::from_sdk("ECS", error)
            .doing(what)
            .in_cluster(cluster)
    }

    /// Makes the error of an S3 call.
    pub fn s3<E>(what: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        QueryError::from_sdk("S3", error).doing(what)
    }

    /// Makes the error of a cluster that does not exist, which ECS reports among the failures of a call.
    pub fn no_cluster(what: &'static str, cluster: &str) -> Self {
        let code = "ClusterNotFoundException".to_owned();
        let message = String::new();
        QueryError::Refused { code, message }
            .doing(what)
            .in_cluster(cluster)
    }

    fn in_cluster(self, cluster: &str) -> Self {
        let cluster = cluster.to_owned();
        Self { cluster, ..self }
    }
}

impl From<AwsError> for Diagnostic {
    fn from(
        AwsError {
            what,
            cluster,
            cause,
        }: AwsError,
    ) -> Self {
        match cause {
            QueryError::Credentials { source } => no_credentials(&*source),
            QueryError::Unmade { service, source } => Self::new(
                format!(
                    "the request to {service} can't be made: {}",
                    causes(&*source)
                ),
                "check the region and --endpoint-url",
            ),
            QueryError::Unreachable { service, source } => Self::new(
                format!("{service} can't be reached: {}", causes(&*source)),
                CHECK_NETWORK,
            ),
            error @ QueryError::Unreadable { .. } => Self::new(error.to_string(), CHECK_ENDPOINT),
            QueryError::Unexplained { status, detail } => {
                let advice = match status {
                    429 | 500.. => "try again in a moment",
                    _ => CHECK_ENDPOINT,
                };
                Self::new(format!("AWS could not {what}: {detail}"), advice)
            }
            QueryError::Refused { code, message } => refused(what, &cluster, &code, &message),
        }
    }
}

/// Explains a refusal of any service.
fn refused(what: &str, cluster: &str, code: &str, message: &str) -> Diagnostic {
    match (code, refusal(code)) {
        ("ClusterNotFoundException", _) => Diagnostic::new(
            format!("there is no ECS cluster '{cluster}' here"),
            "check its name and the region: 'aws ecs list-clusters' shows what exists",
        ),
        (_, Refusal::Credentials) => refused_credentials(message, RENEW_CREDENTIALS),
        (_, Refusal::Denied) => Diagnostic::new(
            format!("AWS does not allow you to {what}: {message}"),
            "ask for the permission, or use another --profile",
        )
        .of_kind(DiagnosticKind::Denied),
        (_, Refusal::Throttled) => Diagnostic::new(
            format!("AWS asks to slow down ({code})"),
            "the list is refreshed less often until it answers again",
        ),
        (_, Refusal::Skewed) => Diagnostic::new(
            format!("AWS refuses the time of this machine's clock: {message}"),
            "set it by NTP, for instance with 'timedatectl set-ntp true'",
        ),
        (_, Refusal::Unknown) => Diagnostic::new(
            format!("AWS could not {what}: {message} ({code})"),
            "try again in a moment",
        ),
    }
}

/// Explains that there are no valid credentials: what failed, and what to do where they come from.
pub fn no_credentials(error: &(dyn Error + 'static)) -> Diagnostic {
    match NoCredentials::among(error) {
        Some(known) => refused_credentials(&known.cause, &known.advice),
        None => refused_credentials(&causes(error), RENEW_CREDENTIALS),
    }
}

fn refused_credentials(detail: &str, advice: &str) -> Diagnostic {
    Diagnostic::new(format!("no valid AWS credentials: {detail}"), advice)
        .of_kind(DiagnosticKind::Credentials)
}
