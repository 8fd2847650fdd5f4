//! How a new task is started so that it is like a running one: pure.

use aws_sdk_ecs::operation::run_task::builders::RunTaskFluentBuilder;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, LaunchType,
    NetworkConfiguration, Tag, Task as EcsTask, TaskOverride,
};

use crate::ecs::description::interface_detail;
use crate::ecs::interfaces::Interface;

/// Tags that only AWS itself may set.
const RESERVED: &str = "aws:";
/// Subnets that a request takes at most.
const SUBNETS: usize = 16;

/// Everything that `RunTask` takes beside the number of tasks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TaskTemplate {
    definition: String,
    place: Place,
    platform_version: Option<String>,
    /// `None` where the task shares its instance's network.
    network: Option<AwsVpcConfiguration>,
    overrides: Option<TaskOverride>,
    tags: Vec<Tag>,
}

/// Either is named, never both.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    Launch(Option<LaunchType>),
    Provider(CapacityProviderStrategyItem),
}

impl TaskTemplate {
    /// Takes everything from `model`, whose network interface is `interface`, but the subnets from all the `models`.
    pub(super) fn like(
        model: &EcsTask,
        models: &[EcsTask],
        interface: Option<&Interface>,
    ) -> Option<Self> {
        let provider = model.capacity_provider_name().and_then(|name| {
            CapacityProviderStrategyItem::builder()
                .capacity_provider(name)
                .weight(1)
                .build()
                .ok()
        });
        let own = model.tags().iter().filter(|tag| {
            let key = tag.key().unwrap_or_default();
            !key.to_ascii_lowercase().starts_with(RESERVED)
        });
        Some(Self {
            definition: model.task_definition_arn()?.to_owned(),
            place: match provider {
                Some(provider) => Place::Provider(provider),
                None => Place::Launch(model.launch_type().cloned()),
            },
            platform_version: model.platform_version().map(str::to_owned),
            network: match interface {
                Some(interface) => Some(network(models, interface)?),
                None => None,
            },
            overrides: model.overrides().cloned(),
            tags: own.cloned().collect(),
        })
    }

    /// Adds everything but the number of tasks to a request.
    pub(super) fn apply(&self, request: RunTaskFluentBuilder) -> RunTaskFluentBuilder {
        let network = self.network.clone().map(|network| {
            NetworkConfiguration::builder()
                .awsvpc_configuration(network)
                .build()
        });
        let request = request
            .task_definition(&self.definition)
            .set_platform_version(self.platform_version.clone())
            .set_network_configuration(network)
            .set_overrides(self.overrides.clone())
            .set_tags(Some(self.tags.clone()).filter(|tags| !tags.is_empty()));
        match &self.place {
            Place::Launch(kind) => request.set_launch_type(kind.clone()),
            Place::Provider(provider) => request.capacity_provider_strategy(provider.clone()),
        }
    }
}

fn network(models: &[EcsTask], interface: &Interface) -> Option<AwsVpcConfiguration> {
    let mut subnets: Vec<String> = Vec::new();
    for subnet in models
        .iter()
        .filter_map(|task| interface_detail(task, "subnetId"))
    {
        if !subnets.contains(&subnet) {
            subnets.push(subnet);
        }
    }
    subnets.truncate(SUBNETS);
    let public = match interface.public_ip() {
        Some(_) => AssignPublicIp::Enabled,
        None => AssignPublicIp::Disabled,
    };
    let groups = interface.groups().map(str::to_owned).collect();
    AwsVpcConfiguration::builder()
        .set_subnets(Some(subnets).filter(|subnets| !subnets.is_empty()))
        .set_security_groups(Some(groups))
        .assign_public_ip(public)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aws_sdk_ecs::types::{Attachment, KeyValuePair};

    use super::*;

    fn in_subnet(subnet: &str) -> EcsTask {
        let detail = KeyValuePair::builder().name("subnetId").value(subnet);
        let interface = Attachment::builder()
            .r#type("ElasticNetworkInterface")
            .details(detail.build());
        EcsTask::builder()
            .task_definition_arn("arn:aws:ecs:r:1:task-definition/mr-mapper:3")
            .launch_type(LaunchType::Fargate)
            .attachments(interface.build())
            .build()
    }

    fn interface(xml: &str) -> Interface {
        let xml = format!("<i><networkInterfaceId>eni-1</networkInterfaceId>{xml}</i>");
        quick_xml::de::from_str(&xml).unwrap()
    }

    #[test]
    fn the_network_is_that_of_the_tasks_that_run() {
        let models = [
            in_subnet("subnet-1"),
            in_subnet("subnet-2"),
            in_subnet("subnet-1"),
        ];
        let public = interface(
            "<groupSet><item><groupId>sg-1</groupId></item></groupSet>\
             <association><publicIp>54.1.2.3</publicIp></association>",
        );
        let template = TaskTemplate::like(&models[0], &models, Some(&public)).unwrap();
        let network = template.network.unwrap();
        assert_eq!(network.subnets(), ["subnet-1", "subnet-2"]);
        assert_eq!(network.security_groups(), ["sg-1"]);
        assert_eq!(network.assign_public_ip(), Some(&AssignPublicIp::Enabled));
        let private = TaskTemplate::like(&models[0], &models, Some(&interface(""))).unwrap();
        let network = private.network.unwrap();
        assert_eq!(network.assign_public_ip(), Some(&AssignPublicIp::Disabled));
    }

    #[test]
    fn a_launch_type_or_a_capacity_provider_and_only_tags_of_people() {
        let mut model = in_subnet("subnet-1");
        let tag = |key: &str| Tag::builder().key(key).value("v").build();
        model.tags = Some(vec![tag("mrdeck:role"), tag("aws:ecs:clusterName")]);
        let template = TaskTemplate::like(&model, &[], None).unwrap();
        assert_eq!(template.place, Place::Launch(Some(LaunchType::Fargate)));
        assert_eq!(template.tags, [tag("mrdeck:role")]);
        assert_eq!(template.network, None);
        model.capacity_provider_name = Some("FARGATE_SPOT".to_owned());
        let template = TaskTemplate::like(&model, &[], None).unwrap();
        let Place::Provider(provider) = template.place else {
            panic!("{:?}", template.place);
        };
        assert_eq!(provider.capacity_provider(), "FARGATE_SPOT");
    }
}
