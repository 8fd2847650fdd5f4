//! Why a deployment can't go on: the typed error, and the diagnostic made of it.

use mrdeck_core::diagnostic::Diagnostic;

use crate::aws::AwsError;

/// Why `up` or `down` can't go on.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// `CloudFormation` does not take what it was asked.
    #[error("AWS could not {what}: {message}")]
    Invalid { what: &'static str, message: String },
    #[error("there is no subnet '{subnet}' in {region}")]
    NoSubnet { subnet: String, region: String },
    #[error("{0} and {1} are not in one VPC")]
    SeveralVpcs(String, String),
    #[error("there is no default VPC in {0}")]
    NoDefaultVpc(String),
    #[error("the default VPC {0} has no default subnet")]
    NoDefaultSubnet(String),
    #[error("the stack {stack} names no repository for {service}")]
    NoRepository {
        stack: String,
        service: &'static str,
    },
    #[error("the bucket '{0}' belongs to someone else, or you may not use it")]
    BucketDenied(String),
    #[error("the bucket '{0}' is in another region")]
    BucketElsewhere(String),
    /// mrdeck stopped waiting for the stack; AWS continues with it.
    #[error("the stack can't be followed")]
    Unfollowed(#[source] Box<DeployError>),
    #[error("the tasks run, but they do not answer: {role} at {cause}")]
    Silent {
        cluster: String,
        role: &'static str,
        cause: String,
    },
    #[error("nothing has changed for {minutes} minutes and not all tasks run")]
    Stalled { cluster: String, minutes: u64 },
}

impl DeployError {
    /// Returns whether the credentials are missing, wrong or expired.
    pub(super) fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Aws(error) if error.cause.is_about_credentials())
    }
}

impl From<DeployError> for Diagnostic {
    fn from(error: DeployError) -> Self {
        let text = error.to_string();
        let advice = match error {
            DeployError::Aws(error) => return error.into(),
            DeployError::Unfollowed(error) => {
                let diagnostic = Self::from(*error);
                let advice = format!(
                    "{}; AWS continues with the stack: run the same command again to wait for it",
                    diagnostic.advice
                );
                return Self {
                    advice,
                    ..diagnostic
                };
            }
            DeployError::Invalid { .. } => "mend what it names, and run the command again",
            DeployError::NoSubnet { .. } => {
                "check --subnet and the region: 'aws ec2 describe-subnets' shows what exists"
            }
            DeployError::SeveralVpcs(..) => "name subnets of one VPC with --subnet",
            DeployError::NoDefaultVpc(_) | DeployError::NoDefaultSubnet(_) => {
                "name public subnets with --subnet, or make a default VPC with 'aws ec2 create-default-vpc'"
            }
            DeployError::NoRepository { .. } => {
                "it was changed by hand: take it down with 'mrdeck down' and put it up again"
            }
            DeployError::BucketDenied(_) => "choose another name with --bucket",
            DeployError::BucketElsewhere(_) => {
                "choose another name with --bucket, or its region with --region"
            }
            DeployError::Silent { cluster, .. } => {
                let advice = format!(
                    "if your address has changed (curl https://checkip.amazonaws.com), run 'mrdeck up --allow-from' with the new one; 'mrdeck tasks --cluster {cluster}' asks again"
                );
                return Self::new(text, advice);
            }
            DeployError::Stalled { cluster, .. } => {
                let advice = format!(
                    "'aws ecs describe-services --cluster {cluster} --services mapper' shows why; then run 'mrdeck up' again"
                );
                return Self::new(text, advice);
            }
        };
        Self::new(text, advice)
    }
}
