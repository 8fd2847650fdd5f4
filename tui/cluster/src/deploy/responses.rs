//! The answers of `CloudFormation`, as far as they are of interest.

use serde::Deserialize;

/// `<member>…</member>`, any number of times.
#[derive(Debug, Deserialize)]
pub(super) struct Members<T> {
    #[serde(rename = "member", default = "Vec::new")]
    pub(super) members: Vec<T>,
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self {
            members: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct DescribeStacks {
    #[serde(rename = "DescribeStacksResult")]
    pub(super) result: Stacks,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stacks {
    #[serde(default)]
    pub(super) stacks: Members<StackShape>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StackShape {
    pub(super) stack_id: String,
    pub(super) stack_status: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) parameters: Members<Parameter>,
    #[serde(default)]
    pub(super) outputs: Members<Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Parameter {
    pub(super) parameter_key: String,
    #[serde(default)]
    pub(super) parameter_value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    pub(super) output_key: String,
    #[serde(default)]
    pub(super) output_value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct DescribeStackEvents {
    #[serde(rename = "DescribeStackEventsResult")]
    pub(super) result: Events,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Events {
    #[serde(default)]
    pub(super) stack_events: Members<Event>,
    pub(super) next_token: Option<String>,
}

/// What happened to one resource of a stack, or to the stack itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    pub event_id: String,
    pub logical_resource_id: String,
    #[serde(default)]
    pub resource_type: String,
    #[serde(default)]
    pub resource_status: String,
    #[serde(default)]
    pub resource_status_reason: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct GetTemplate {
    #[serde(rename = "GetTemplateResult")]
    pub(super) result: TemplateBody,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TemplateBody {
    #[serde(default)]
    pub(super) template_body: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreateStack {
    #[serde(rename = "CreateStackResult")]
    pub(super) result: Created,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    pub(super) stack_id: String,
}
