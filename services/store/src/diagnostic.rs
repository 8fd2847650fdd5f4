//! What a person is told about a failure of S3: its cause, and the next step.

use mrdeck_core::diagnostic::{CHECK_ENDPOINT, Diagnostic, DiagnosticKind};

use crate::StoreError;

impl From<&StoreError> for Diagnostic {
    fn from(error: &StoreError) -> Self {
        let advice = match error {
            StoreError::NoSuchBucket { .. } => "check the bucket's name and the region",
            StoreError::NoSuchKey { .. } => "check the key: it is case-sensitive",
            StoreError::Denied { .. } => {
                "check that your credentials may read and write this bucket"
            }
            StoreError::Changed { .. } => "start again when nobody writes it any more",
            StoreError::Credentials { .. } => {
                "renew them, for instance with 'aws sso login', or choose another --profile"
            }
            StoreError::Unreachable { .. } => "check the network, the region and --endpoint-url",
            StoreError::Unreadable { .. } => CHECK_ENDPOINT,
            StoreError::OtherRegion { .. } => "name that region with --region",
            StoreError::Skewed { .. } => {
                "set this machine's clock by NTP, for instance with 'timedatectl set-ntp true'"
            }
            StoreError::Exists { .. } => "choose another name",
            StoreError::Source { .. } => {
                "check the file, and try again when nobody writes it any more"
            }
            StoreError::Throttled { .. }
            | StoreError::Truncated { .. }
            | StoreError::Damaged { .. }
            | StoreError::Conflict { .. }
            | StoreError::Other { .. } => "try again in a moment",
        };
        let kind = match error {
            StoreError::Credentials { .. } => DiagnosticKind::Credentials,
            _ => DiagnosticKind::Other,
        };
        Diagnostic::new(error.to_string(), advice).of_kind(kind)
    }
}

impl From<StoreError> for Diagnostic {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}
