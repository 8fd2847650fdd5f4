//! Advice on the failures of S3: one table for two audiences.

use std::borrow::Cow;

use mrdeck_core::diagnostic::{
    CHECK_ENDPOINT, CHECK_NETWORK, Diagnostic, DiagnosticKind, RENEW_CREDENTIALS,
};

use crate::StoreError;

/// The readers of an advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The user of the console: sets its options, its credentials and its machine.
    User,
    /// The operator of a service: sets its environment, its role and its host.
    Operator,
}

impl StoreError {
    /// Returns what to do about the failure, as an imperative.
    pub fn advice(&self, audience: Audience) -> Cow<'static, str> {
        if let (
            Audience::User,
            Self::Credentials {
                advice: Some(advice),
                ..
            },
        ) = (audience, self)
        {
            return Cow::Owned(advice.clone());
        }
        let (user, operator) = match self {
            Self::NoSuchBucket { .. } => (
                "check the bucket's name and the region",
                "check its name, and the region and endpoint of this service",
            ),
            Self::NoSuchKey { .. } => ("check the key: it is case-sensitive", "check its key"),
            Self::Denied { .. } => (
                "check that your credentials may read and write this bucket",
                "give this service s3:GetObject, s3:PutObject and s3:ListBucket there",
            ),
            Self::Changed { .. } | Self::NoSuchRange { .. } => (
                "start again when nothing writes to it any more",
                "start again with the input as it is now",
            ),
            Self::Exists { .. } => ("choose another name", "write to another key"),
            Self::Source { .. } => (
                "check the file, and try again when nothing writes to it any more",
                "try again",
            ),
            Self::Credentials { .. } => (
                RENEW_CREDENTIALS,
                "give this service valid ones (in ECS: a task role)",
            ),
            Self::Unreachable { .. } => (
                CHECK_NETWORK,
                "check its network and AWS_ENDPOINT_URL, then try again",
            ),
            Self::Unreadable { .. } => (
                CHECK_ENDPOINT,
                "check what this service's AWS_ENDPOINT_URL leads to",
            ),
            Self::OtherRegion { .. } => (
                "name that region with --region",
                "give this service that region in AWS_REGION",
            ),
            Self::Skewed { .. } => (
                "set this machine's clock by NTP, for instance with 'timedatectl set-ntp true'",
                "set the clock of the task's host, or use another task",
            ),
            Self::Throttled { .. }
            | Self::Truncated { .. }
            | Self::Damaged { .. }
            | Self::Conflict { .. } => ("try again in a moment", "try again"),
            Self::Other { .. } => (
                "try again in a moment",
                "check its bucket and region, then try again",
            ),
        };
        Cow::Borrowed(match audience {
            Audience::User => user,
            Audience::Operator => operator,
        })
    }
}

impl From<&StoreError> for Diagnostic {
    fn from(error: &StoreError) -> Self {
        let kind = match error {
            StoreError::Credentials { .. } => DiagnosticKind::Credentials,
            _ => DiagnosticKind::Other,
        };
        Self::new(error.to_string(), error.advice(Audience::User)).of_kind(kind)
    }
}

impl From<StoreError> for Diagnostic {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_audience_is_told_what_it_can_set() {
        let expired = StoreError::Credentials {
            detail: "the token has expired".to_owned(),
            advice: None,
        };
        assert!(expired.advice(Audience::User).contains("--profile"));
        assert!(expired.advice(Audience::Operator).contains("task role"));
        let told = Diagnostic::from(&expired);
        assert_eq!(told.advice, expired.advice(Audience::User));
        assert_eq!(told.kind, DiagnosticKind::Credentials);
        let known = StoreError::Credentials {
            detail: "the session has ended".to_owned(),
            advice: Some("log in".to_owned()),
        };
        assert_eq!(Diagnostic::from(&known).advice, "log in");
        assert!(known.advice(Audience::Operator).contains("task role"));
    }
}
