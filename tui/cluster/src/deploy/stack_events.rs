//! Waits until a stack has settled, and reports what happens to it meanwhile.

use std::time::Duration;

use tokio::time::sleep;

use super::stack::{Event, Phase, Stack, Stacks};
use super::{DeployError, Reporter};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::printable;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// Looks that may fail in a row: the network may fail for a moment, and AWS continues with the stack.
const MAX_FAILED_LOOKS: u32 = 10;
const STACK: &str = "AWS::CloudFormation::Stack";
const ROLE: &str = "AWS::IAM::Role";

/// How it came out.
#[derive(Debug)]
pub struct Settled {
    /// `None` if it is gone.
    pub stack: Option<Stack>,
    /// The first resource that failed: the others failed because of it.
    pub failure: Option<Event>,
}

impl Settled {
    /// Explains why `what` did not come about.
    pub fn diagnostic(&self, what: &str) -> Diagnostic {
        let Some(failure) = &self.failure else {
            let status = self.stack.as_ref().map_or("gone", |stack| &stack.status);
            return Diagnostic::new(
                format!("{what}: CloudFormation ended in {status}"),
                "see the stack's events in the AWS console",
            );
        };
        let Event {
            logical_resource_id: name,
            resource_type: kind,
            resource_status_reason: reason,
            ..
        } = failure;
        let advice = if kind == ROLE {
            "an account that forbids creating roles usually has one to use: name it with --role, for instance --role LabRole"
        } else {
            "fix that and run the command again: it keeps what exists"
        };
        Diagnostic::new(format!("{what}: {name} ({kind}): {reason}"), advice)
    }
}

impl Stacks {
    /// Returns the latest event so far; what comes after it is news.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` did not answer.
    pub async fn latest_event(&self, id: &str) -> Result<Option<String>, DeployError> {
        let events = self.events_since(id, None).await?;
        Ok(events.into_iter().next_back().map(|event| event.event_id))
    }

    /// Waits for a stack that something was begun with after the event `seen`.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` stopped answering.
    pub async fn follow(
        &self,
        name: &str,
        id: &str,
        seen: Option<String>,
        report: Reporter<'_>,
    ) -> Result<Settled, DeployError> {
        let mut seen = seen;
        let mut failure = None;
        let mut failed_looks = 0;
        loop {
            match self.look(name, id, seen.as_deref()).await {
                Ok((stack, events)) => {
                    failed_looks = 0;
                    for event in &events {
                        report(&line(event));
                    }
                    failure =
                        failure.or_else(|| events.iter().find(|event| is_failure(event)).cloned());
                    seen = events.last().map(|event| event.event_id.clone()).or(seen);
                    if stack
                        .as_ref()
                        .is_none_or(|stack| stack.phase() != Phase::Busy)
                    {
                        return Ok(Settled { stack, failure });
                    }
                }
                Err(error) => {
                    failed_looks += 1;
                    if failed_looks > MAX_FAILED_LOOKS || error.is_about_credentials() {
                        return Err(DeployError::Unfollowed(Box::new(error)));
                    }
                    let cause = Diagnostic::from(error).cause;
                    report(&format!("{}; looking again", printable(&cause)));
                }
            }
            sleep(INTERVAL).await;
        }
    }

    /// Looks at the stack before its events, so that none is missed that led to its status.
    async fn look(
        &self,
        name: &str,
        id: &str,
        seen: Option<&str>,
    ) -> Result<(Option<Stack>, Vec<Event>), DeployError> {
        let stack = self.describe(name, id).await?;
        let events = self.events_since(id, seen).await;
        if stack.is_none() {
            // It is gone, whatever its last events are.
            return Ok((None, events.unwrap_or_default()));
        }
        Ok((stack, events?))
    }
}

fn is_failure(event: &Event) -> bool {
    event.resource_status.ends_with("_FAILED")
        && event.resource_type != STACK
        && !event.resource_status_reason.is_empty()
}

fn line(event: &Event) -> String {
    let reason = match event.resource_status_reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", printable(reason)),
    };
    format!(
        "  {} {}{reason}",
        printable(&event.logical_resource_id),
        printable(&event.resource_status)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, status: &str, reason: &str) -> Event {
        Event {
            event_id: "e".to_owned(),
            logical_resource_id: "NewTaskRole".to_owned(),
            resource_type: kind.to_owned(),
            resource_status: status.to_owned(),
            resource_status_reason: reason.to_owned(),
        }
    }

    #[test]
    fn the_cause_is_the_resource_that_failed_and_not_the_stack() {
        assert!(is_failure(&event(ROLE, "CREATE_FAILED", "no")));
        assert!(!is_failure(&event(STACK, "CREATE_FAILED", "no")));
        assert!(!is_failure(&event(ROLE, "CREATE_COMPLETE", "")));
    }

    #[test]
    fn who_may_not_create_roles_is_told_of_role() {
        let settled = |kind: &str| Settled {
            stack: None,
            failure: Some(event(kind, "CREATE_FAILED", "not authorized")),
        };
        let diagnostic = settled(ROLE).diagnostic("the stack was not created");
        assert!(
            diagnostic
                .cause
                .ends_with("NewTaskRole (AWS::IAM::Role): not authorized")
        );
        assert!(diagnostic.advice.contains("--role LabRole"));
        let diagnostic = settled("AWS::ECS::Cluster").diagnostic("x");
        assert!(!diagnostic.advice.contains("--role"));
    }
}
