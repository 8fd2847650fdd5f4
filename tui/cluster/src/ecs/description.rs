//! What single fields of a task's description say.

use aws_sdk_ecs::types::{Attachment, Tag, Task};

use crate::aws::arn::resource_name;
use crate::settings::EcsSettings;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskId;

/// The kind of attachment that is the task's network interface; there are others.
const INTERFACE: &str = "ElasticNetworkInterface";

/// Returns the id of the task's network interface; a task that is being provisioned has none yet.
pub(super) fn interface(task: &Task) -> Option<String> {
    interface_detail(task, "networkInterfaceId")
}

/// Returns a detail of the task's network interface, such as `subnetId`.
pub(super) fn interface_detail(task: &Task, name: &str) -> Option<String> {
    task.attachments()
        .iter()
        .filter(|attachment| attachment.r#type() == Some(INTERFACE))
        .flat_map(Attachment::details)
        .find(|detail| detail.name() == Some(name))
        .and_then(|detail| detail.value())
        .map(str::to_owned)
}

/// Returns the role that the tag `mrdeck:role` names, else the role that the family's name suggests.
pub(super) fn role(tags: &[Tag], family: &str, settings: &EcsSettings) -> Option<Role> {
    match role_tag(tags) {
        Some(text) => text.parse().ok(),
        None => settings.role_of_family(family),
    }
}

/// Returns what the tag `mrdeck:role` says.
pub(super) fn role_tag(tags: &[Tag]) -> Option<&str> {
    let tag = tags.iter().find(|tag| tag.key() == Some("mrdeck:role"));
    tag.and_then(Tag::value)
}

/// Reads `arn:…:task-definition/FAMILY:REVISION`
pub(super) fn family_and_revision(arn: &str) -> (String, Option<i32>) {
    let name = resource_name(arn);
    match name.rsplit_once(':') {
        Some((family, revision)) => (family.to_owned(), revision.parse().ok()),
        None => (name.to_owned(), None),
    }
}

/// Returns the short id, the last part of the ARN.
pub(super) fn id(task: &Task) -> TaskId {
    TaskId(resource_name(task.task_arn().unwrap_or_default()).to_owned())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::KeyValuePair;

    use super::*;

    fn attachment(kind: &str, name: &str, value: &str) -> Attachment {
        let detail = KeyValuePair::builder().name(name).value(value).build();
        Attachment::builder().r#type(kind).details(detail).build()
    }

    #[test]
    fn only_the_network_interface_counts() {
        let volume = attachment("AmazonElasticBlockStorage", "networkInterfaceId", "vol-1");
        let provisioning = Task::builder().attachments(volume.clone()).build();
        assert_eq!(interface(&provisioning), None);
        let with_both = Task::builder()
            .attachments(volume)
            .attachments(attachment(INTERFACE, "networkInterfaceId", "eni-1"))
            .build();
        assert_eq!(interface(&with_both).as_deref(), Some("eni-1"));
    }

    #[test]
    fn a_definition_is_a_family_and_a_revision() {
        let arn = "arn:aws:ecs:us-east-1:1:task-definition/mr-mapper:12";
        assert_eq!(family_and_revision(arn), ("mr-mapper".to_owned(), Some(12)));
        assert_eq!(family_and_revision(""), (String::new(), None));
    }
}
