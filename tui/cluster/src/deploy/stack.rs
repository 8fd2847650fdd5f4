//! Calls to `CloudFormation`: stacks are created, updated, deleted and described.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use url::form_urlencoded::Serializer;

use super::DeployError;
pub use super::responses::Event;
use super::responses::{CreateStack, DescribeStackEvents, DescribeStacks, GetTemplate, StackShape};
use super::stack_template::{BUCKET, EXISTING_BUCKET, MARK, TEMPLATE};
use crate::aws::{QueryClient, QueryError, Service};

const CLOUDFORMATION: Service = Service {
    id: "CloudFormation",
    name: "cloudformation",
    host: "cloudformation",
};
const VERSION: &str = "2010-05-15";
/// What `CloudFormation` says of a request that it does not take, whatever the reason.
const REFUSED: &str = "ValidationError";
/// The one refusal that has no code of its own and is no failure.
const NO_CHANGE: &str = "No updates are to be performed";

/// The values of parameters, by name; what is not in it keeps the value that it has.
pub type Parameters = BTreeMap<String, String>;

/// What can be done with a stack as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Something is under way.
    Busy,
    Ready,
    /// It can only be deleted.
    Broken,
    /// An update failed, and so did undoing it.
    Stuck,
    Gone,
}

#[derive(Debug, Clone)]
pub struct Stack {
    /// The ARN; unlike the name it still says which stack it was when that is deleted.
    pub id: String,
    pub name: String,
    pub status: String,
    pub description: String,
    pub parameters: Parameters,
    pub outputs: BTreeMap<String, String>,
}

impl Stack {
    fn new(name: &str, shape: StackShape) -> Self {
        let parameters = shape.parameters.members.into_iter();
        let outputs = shape.outputs.members.into_iter();
        Self {
            id: shape.stack_id,
            name: name.to_owned(),
            status: shape.stack_status,
            description: shape.description,
            parameters: parameters
                .map(|p| (p.parameter_key, p.parameter_value))
                .collect(),
            outputs: outputs.map(|o| (o.output_key, o.output_value)).collect(),
        }
    }

    /// Returns whether it was made from our template.
    pub fn is_ours(&self) -> bool {
        self.description.starts_with(MARK)
    }

    /// Returns what can be done with the stack as it is.
    pub fn phase(&self) -> Phase {
        phase(&self.status)
    }

    /// Returns the bucket that the stack names.
    pub fn bucket(&self) -> Option<&str> {
        self.outputs.get(BUCKET).map(String::as_str)
    }

    /// Returns the bucket, if the stack made it; a bucket that was there before is not ours to remove.
    pub fn own_bucket(&self) -> Option<&str> {
        let existing = self.parameters.get(EXISTING_BUCKET);
        self.bucket()
            .filter(|_| existing.is_none_or(String::is_empty))
    }
}

fn phase(status: &str) -> Phase {
    match status {
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED"
        | "REVIEW_IN_PROGRESS" => Phase::Broken,
        "UPDATE_FAILED" | "UPDATE_ROLLBACK_FAILED" => Phase::Stuck,
        "DELETE_COMPLETE" => Phase::Gone,
        _ if status.ends_with("_IN_PROGRESS") || status.ends_with("_PENDING") => Phase::Busy,
        _ => Phase::Ready,
    }
}

/// The stacks of an account and a region.
#[derive(Clone)]
pub struct Stacks {
    aws: QueryClient,
}

impl Stacks {
    pub fn new(aws: QueryClient) -> Self {
        Self { aws }
    }

    /// Describes a stack, by name or by id; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` did not answer.
    pub async fn describe(&self, name: &str, id: &str) -> Result<Option<Stack>, DeployError> {
        let form = [("StackName", id)];
        match self.call::<DescribeStacks>("DescribeStacks", &form).await {
            Ok(answer) => {
                let found = answer.result.stacks.members.into_iter().next();
                let stack = found.map(|shape| Stack::new(name, shape));
                Ok(stack.filter(|stack| stack.phase() != Phase::Gone))
            }
            // The request names a stack and nothing else, so nothing else can be wrong with it.
            Err(error) if error.code() == Some(REFUSED) => Ok(None),
            Err(error) => Err(failed("describe the stack", error)),
        }
    }

    /// Returns whether the stack is made from this very template.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` did not answer.
    pub async fn is_current(&self, stack: &Stack) -> Result<bool, DeployError> {
        let form = [("StackName", stack.id.as_str())];
        let answer: GetTemplate = self
            .call("GetTemplate", &form)
            .await
            .map_err(|error| failed("read the stack's template", error))?;
        Ok(answer.result.template_body.trim() == TEMPLATE.trim())
    }

    /// Begins to create a stack, and returns its id.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` refused.
    pub async fn create(&self, name: &str, parameters: &Parameters) -> Result<String, DeployError> {
        let mut form = deployment(name);
        set(&mut form, parameters, &Parameters::new());
        let answer: CreateStack = self
            .call("CreateStack", &form)
            .await
            .map_err(|error| failed("create the stack", error))?;
        Ok(answer.result.stack_id)
    }

    /// Begins to update a stack, and returns whether there was anything to change.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` refused.
    pub async fn update(&self, stack: &Stack, changed: &Parameters) -> Result<bool, DeployError> {
        let mut form = deployment(&stack.id);
        set(&mut form, changed, &stack.parameters);
        match self.call::<IgnoredAny>("UpdateStack", &form).await {
            Ok(_) => Ok(true),
            Err(QueryError::Refused { code, message })
                if code == REFUSED && message.contains(NO_CHANGE) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("update the stack", error)),
        }
    }

    /// Begins to delete a stack.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` refused.
    pub async fn delete(&self, stack: &Stack) -> Result<(), DeployError> {
        let form = [("StackName", stack.id.as_str())];
        self.call::<IgnoredAny>("DeleteStack", &form)
            .await
            .map_err(|error| failed("delete the stack", error))?;
        Ok(())
    }

    /// Returns what happened since the event `seen`, oldest first.
    ///
    /// # Errors
    ///
    /// Returns why `CloudFormation` did not answer.
    pub async fn events_since(
        &self,
        id: &str,
        seen: Option<&str>,
    ) -> Result<Vec<Event>, DeployError> {
        let mut events = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut form = vec![("StackName", id)];
            form.extend(next.as_deref().map(|token| ("NextToken", token)));
            let answer: DescribeStackEvents = self
                .call("DescribeStackEvents", &form)
                .await
                .map_err(|error| failed("describe the stack's events", error))?;
            // They come newest first.
            for event in answer.result.stack_events.members {
                if Some(event.event_id.as_str()) == seen {
                    return Ok(oldest_first(events));
                }
                events.push(event);
            }
            next = answer.result.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(oldest_first(events));
            }
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        action: &str,
        parameters: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<T, QueryError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", action)
            .append_pair("Version", VERSION)
            .extend_pairs(parameters);
        self.aws.query(CLOUDFORMATION, &form.finish()).await
    }
}

fn oldest_first(mut events: Vec<Event>) -> Vec<Event> {
    events.reverse();
    events
}

/// Returns what a deployment sends, but for the parameters. The capability only says that roles may be created.
fn deployment(stack: &str) -> Vec<(String, String)> {
    [
        ("StackName", stack),
        ("TemplateBody", TEMPLATE),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Adds the new values; every other parameter that the template still has keeps its value.
fn set(form: &mut Vec<(String, String)>, values: &Parameters, before: &Parameters) {
    let kept = before
        .keys()
        .filter(|name| !values.contains_key(*name))
        .filter(|name| TEMPLATE.contains(&format!("\n  {name}:\n")))
        .map(|name| (name, None));
    let given = values.iter().map(|(name, value)| (name, Some(value)));
    for (index, (name, value)) in given.chain(kept).enumerate() {
        let member = format!("Parameters.member.{}", index + 1);
        form.push((format!("{member}.ParameterKey"), name.clone()));
        form.push(match value {
            Some(value) => (format!("{member}.ParameterValue"), value.clone()),
            None => (format!("{member}.UsePreviousValue"), "true".to_owned()),
        });
    }
}

fn failed(what: &'static str, error: QueryError) -> DeployError {
    match error {
        QueryError::Refused { code, message } if code == REFUSED => {
            DeployError::Invalid { what, message }
        }
        error => error.doing(what).into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn every_status_says_what_can_be_done() {
        for (status, expected) in [
            ("CREATE_IN_PROGRESS", Phase::Busy),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Phase::Busy),
            ("UPDATE_ROLLBACK_IN_PROGRESS", Phase::Busy),
            ("DELETE_IN_PROGRESS", Phase::Busy),
            ("CREATE_COMPLETE", Phase::Ready),
            ("UPDATE_COMPLETE", Phase::Ready),
            ("UPDATE_ROLLBACK_COMPLETE", Phase::Ready),
            ("ROLLBACK_COMPLETE", Phase::Broken),
            ("ROLLBACK_FAILED", Phase::Broken),
            ("DELETE_FAILED", Phase::Broken),
            ("REVIEW_IN_PROGRESS", Phase::Broken),
            ("UPDATE_ROLLBACK_FAILED", Phase::Stuck),
            ("DELETE_COMPLETE", Phase::Gone),
        ] {
            assert_eq!(phase(status), expected, "{status}");
        }
    }

    #[test]
    fn what_is_not_changed_keeps_its_value() {
        let map = |pairs: &[(&str, &str)]| -> Parameters {
            let pairs = pairs.iter();
            pairs
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect()
        };
        let mut form = Vec::new();
        let before = map(&[("Mappers", "3"), ("Vpc", "vpc-1"), ("Dropped", "x")]);
        set(&mut form, &map(&[("Mappers", "4")]), &before);
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (&**n, &**v)).collect();
        let expected = [
            ("Parameters.member.1.ParameterKey", "Mappers"),
            ("Parameters.member.1.ParameterValue", "4"),
            ("Parameters.member.2.ParameterKey", "Vpc"),
            ("Parameters.member.2.UsePreviousValue", "true"),
        ];
        assert_eq!(form, expected);
    }

    #[test]
    fn a_bucket_that_was_there_before_is_not_the_stacks_own() {
        let stack = |existing: &str| {
            let xml = format!(
                "<R><DescribeStacksResult><Stacks><member><StackId>arn</StackId>\
                 <StackStatus>CREATE_COMPLETE</StackStatus><Description>mrdeck: x</Description>\
                 <Parameters><member><ParameterKey>ExistingBucket</ParameterKey>\
                 <ParameterValue>{existing}</ParameterValue></member></Parameters><Outputs><member>\
                 <OutputKey>Bucket</OutputKey><OutputValue>b</OutputValue></member></Outputs>\
                 </member></Stacks></DescribeStacksResult></R>"
            );
            let answer: DescribeStacks = quick_xml::de::from_str(&xml).unwrap();
            let shape = answer.result.stacks.members.into_iter().next().unwrap();
            Stack::new("s", shape)
        };
        assert_eq!(stack("").own_bucket(), Some("b"));
        assert_eq!(stack("b").own_bucket(), None);
        assert!(stack("b").is_ours());
    }
}
