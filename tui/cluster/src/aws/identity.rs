//! Whose credentials a session uses, as STS says.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;

use mrdeck_store::aws::CallLog;

use super::arn;
use super::error::{AwsError, QueryError};

const DEADLINE: Duration = Duration::from_secs(10);

/// The account and the user or role that calls are made as.
#[derive(Debug, Clone)]
pub struct CallerIdentity {
    pub account: String,
    pub arn: String,
}

impl CallerIdentity {
    /// Returns a role's ARN. Its name alone is enough: it can only be a role of this account.
    pub fn role_arn(&self, role: &str) -> String {
        if role.starts_with("arn:") {
            return role.to_owned();
        }
        let partition = arn::partition(&self.arn);
        format!("arn:{partition}:iam::{}:role/{role}", self.account)
    }
}

/// Asks STS whose credentials these are.
///
/// # Errors
///
/// Returns why there is no answer: no valid credentials, no permission, or no way to STS.
pub async fn caller_identity(sdk: &SdkConfig) -> Result<CallerIdentity, AwsError> {
    let deadline = TimeoutConfig::builder().operation_timeout(DEADLINE).build();
    let config = aws_sdk_sts::config::Builder::from(sdk)
        .interceptor(CallLog)
        .timeout_config(deadline);
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let what = "say whose credentials these are (sts:GetCallerIdentity)";
    let answer = client
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| QueryError::from_sdk("STS", error).doing(what))?;
    Ok(CallerIdentity {
        account: answer.account.unwrap_or_default(),
        arn: answer.arn.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roles_name_is_enough() {
        let identity = CallerIdentity {
            account: "123456789012".to_owned(),
            arn: "arn:aws-cn:sts::123456789012:assumed-role/x/y".to_owned(),
        };
        let full = "arn:aws-cn:iam::123456789012:role/LabRole";
        assert_eq!(identity.role_arn("LabRole"), full);
        assert_eq!(identity.role_arn(full), full);
    }
}
