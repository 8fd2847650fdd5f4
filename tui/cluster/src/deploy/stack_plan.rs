//! What is to be done, from what is there and what is wanted: pure, so that every case can be tested.

use super::bucket::BucketName;
use super::images::Image;
use super::network::Network;
use super::request::{DeployRequest, RoleName};
use super::stack::{Parameters, Stack};
use super::stack_template::{
    ALLOW_FROM, EXECUTION_ROLE, EXISTING_BUCKET, NEW_BUCKET, OTHER_BUCKETS, SERVICES, SUBNETS,
    Service, TASK_ROLE, VPC,
};
use crate::aws::identity::CallerIdentity;
use mrdeck_core::human::plural;

/// Parameters that may be empty.
const OPTIONAL: [&str; 5] = [
    NEW_BUCKET,
    EXISTING_BUCKET,
    OTHER_BUCKETS,
    EXECUTION_ROLE,
    TASK_ROLE,
];

/// The parameters to send, and a line about each thing that will be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub parameters: Parameters,
    pub lines: Vec<String>,
}

impl Plan {
    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.parameters.insert(name.to_owned(), value.into());
    }

    fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }
}

/// Plans a new stack. It begins without tasks: their images can't be there yet.
pub fn create(
    wanted: &DeployRequest,
    identity: &CallerIdentity,
    network: &Network,
    bucket: Option<(&str, BucketName)>,
) -> Plan {
    let mut plan = Plan::default();
    // Every parameter gets a value here, so that a later update can leave each of them as it is.
    for optional in OPTIONAL {
        plan.set(optional, "");
    }
    for service in &SERVICES {
        plan.set(service.count, "0");
        plan.set(service.image, format!(":{}", wanted.tag));
    }
    let name = &wanted.stack;
    plan.line(format!("create the CloudFormation stack {name}, with"));
    match bucket {
        Some((bucket, BucketName::Ours)) => {
            plan.set(EXISTING_BUCKET, bucket);
            plan.line(format!("  the bucket {bucket}, which is there already"));
        }
        Some((bucket, BucketName::Free)) => {
            plan.set(NEW_BUCKET, bucket);
            plan.line(format!("  a bucket, {bucket}"));
        }
        None => plan.line(format!("  a bucket, {name}-bucket-…")),
    }
    let names: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
    let names = names.join(", ");
    plan.line(format!("  image repositories {name}/… for {names}"));
    plan.line(format!(
        "  the ECS cluster {name}, its log group /mrdeck/{name}, and a service for each image, without tasks as yet"
    ));
    plan.set(VPC, &network.vpc);
    plan.set(SUBNETS, network.subnets.join(","));
    let subnets = plural(network.subnets.len() as u64, "subnet");
    plan.line(format!("  its tasks in {} ({subnets})", network.vpc));
    set_access(&mut plan, wanted, None);
    for (parameter, role, what) in roles(wanted) {
        match role {
            Some(role) => set_role(&mut plan, identity, parameter, role, what),
            None => plan.line(format!("  a new role that {what}")),
        }
    }
    set_other_buckets(&mut plan, wanted);
    plan
}

/// Plans what differs between the stack and what is wanted of it. A service whose image is missing is left alone.
pub fn update(
    wanted: &DeployRequest,
    identity: &CallerIdentity,
    stack: &Stack,
    is_current: bool,
    images: &[Image],
) -> Plan {
    let mut plan = Plan::default();
    if !is_current {
        plan.line("update the stack to the template of this mrdeck");
    }
    set_access(&mut plan, wanted, stack.parameters.get(ALLOW_FROM));
    for (parameter, role, what) in roles(wanted) {
        let before = stack.parameters.get(parameter);
        if let Some(role) = role
            && before != Some(&identity.role_arn(role))
        {
            set_role(&mut plan, identity, parameter, role, what);
        }
    }
    if stack.parameters.get(OTHER_BUCKETS) != Some(&wanted.other_buckets.join(",")) {
        set_other_buckets(&mut plan, wanted);
    }
    for image in images {
        let service = image.service;
        let (before, count) = (
            count_of(stack, service),
            wanted_count(wanted, stack, service),
        );
        let Some(digest) = image.digest.as_ref().filter(|_| count > 0 || before > 0) else {
            continue;
        };
        let digest = format!("@{digest}");
        if count != before {
            plan.set(service.count, count.to_string());
            let tasks = plural(count.into(), "task");
            plan.line(format!("{}: {tasks} instead of {before}", service.name));
        }
        if count > 0 && stack.parameters.get(service.image) != Some(&digest) {
            let is_first = before == 0;
            let verb = if is_first {
                "run"
            } else {
                "replace the tasks by"
            };
            let short = &digest[..digest.len().min(20)];
            plan.line(format!(
                "{}: {verb} the image {}{short}",
                service.name, wanted.tag
            ));
            plan.set(service.image, digest);
        }
    }
    plan
}

/// Returns the images without which not all wanted tasks can run.
pub fn missing<'a>(wanted: &DeployRequest, stack: &Stack, images: &'a [Image]) -> Vec<&'a Image> {
    let is_wanted = |image: &&Image| wanted_count(wanted, stack, image.service) > 0;
    let absent = images.iter().filter(|image| image.digest.is_none());
    absent.filter(is_wanted).collect()
}

/// Returns the number of tasks asked for, else the present one, else the default.
fn wanted_count(wanted: &DeployRequest, stack: &Stack, service: &Service) -> u32 {
    let as_is = Some(count_of(stack, service)).filter(|count| *count > 0);
    wanted
        .count(service)
        .or(as_is)
        .unwrap_or(service.default_count)
}

/// Returns how many tasks the stack has of a service.
pub(super) fn count_of(stack: &Stack, service: &Service) -> u32 {
    let text = stack.parameters.get(service.count);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn roles(wanted: &DeployRequest) -> [(&'static str, Option<&RoleName>, &'static str); 2] {
    let execution = wanted.execution_role.as_ref();
    let task = wanted.task_role.as_ref();
    [
        (
            EXECUTION_ROLE,
            execution,
            "pulls the images and writes the logs",
        ),
        (TASK_ROLE, task, "reads and writes the bucket"),
    ]
}

fn set_role(plan: &mut Plan, identity: &CallerIdentity, parameter: &str, role: &str, what: &str) {
    let arn = identity.role_arn(role);
    plan.line(format!("  the role {arn}, which {what}"));
    plan.set(parameter, arn);
}

fn set_access(plan: &mut Plan, wanted: &DeployRequest, before: Option<&String>) {
    let Some(cidr) = wanted.allow_from else {
        return;
    };
    if before == Some(&cidr.to_string()) {
        return;
    }
    plan.set(ALLOW_FROM, cidr.to_string());
    let instead = before.map_or(String::new(), |before| format!(" instead of {before}"));
    plan.line(if cidr.is_everyone() {
        format!(
            "  port 8080 open to EVERYONE ({cidr}){instead}: the services do not authenticate callers"
        )
    } else {
        format!("  port 8080 open to {cidr}{instead} only")
    });
}

fn set_other_buckets(plan: &mut Plan, wanted: &DeployRequest) {
    if wanted.other_buckets.is_empty() {
        return;
    }
    let names = wanted.other_buckets.join(",");
    plan.line(format!("  the services may also read and write {names}"));
    plan.set(OTHER_BUCKETS, names);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::collections::BTreeMap;

    use super::*;

    fn wanted() -> DeployRequest {
        DeployRequest {
            stack: "mr".parse().unwrap(),
            allow_from: Some("203.0.113.7".parse().unwrap()),
            mappers: None,
            hello: None,
            tag: "latest".parse().unwrap(),
            execution_role: None,
            task_role: None,
            subnets: Vec::new(),
            other_buckets: Vec::new(),
            bucket: None,
        }
    }

    fn identity() -> CallerIdentity {
        CallerIdentity {
            account: "1".to_owned(),
            arn: "arn:aws:iam::1:user/me".to_owned(),
        }
    }

    fn stack(parameters: &[(&str, &str)]) -> Stack {
        let pairs = parameters.iter();
        Stack {
            id: "arn".to_owned(),
            name: "mr".to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
            description: String::new(),
            parameters: pairs
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            outputs: BTreeMap::new(),
        }
    }

    fn images(digests: [Option<&str>; 4]) -> Vec<Image> {
        let pairs = SERVICES.iter().zip(digests);
        pairs
            .map(|(service, digest)| Image {
                service,
                repository: format!("r/mr/{}", service.name),
                digest: digest.map(str::to_owned),
            })
            .collect()
    }

    fn names(missing: &[&Image]) -> Vec<&'static str> {
        missing.iter().map(|image| image.service.name).collect()
    }

    #[test]
    fn a_new_stack_has_no_tasks_and_every_parameter_has_a_value() {
        let network = Network {
            vpc: "vpc-1".to_owned(),
            subnets: vec!["a".to_owned(), "b".to_owned()],
        };
        let mut wanted = wanted();
        let plan = create(&wanted, &identity(), &network, None);
        for service in &SERVICES {
            assert_eq!(plan.parameters[service.count], "0");
            assert_eq!(plan.parameters[service.image], ":latest");
        }
        for optional in OPTIONAL {
            assert_eq!(plan.parameters[optional], "");
        }
        assert_eq!(plan.parameters[SUBNETS], "a,b");
        assert_eq!(plan.parameters[VPC], "vpc-1");
        assert_eq!(plan.parameters[ALLOW_FROM], "203.0.113.7/32");
        assert!(plan.lines.iter().any(|line| line.contains("a new role")));

        wanted.execution_role = Some("LabRole".parse().unwrap());
        wanted.task_role = Some("LabRole".parse().unwrap());
        let plan = create(
            &wanted,
            &identity(),
            &network,
            Some(("b", BucketName::Ours)),
        );
        assert_eq!(plan.parameters[TASK_ROLE], "arn:aws:iam::1:role/LabRole");
        assert_eq!(plan.parameters[EXISTING_BUCKET], "b");
        assert!(!plan.lines.iter().any(|line| line.contains("a new role")));
    }

    #[test]
    fn only_services_with_an_image_get_tasks() {
        let before = stack(&[(ALLOW_FROM, "203.0.113.7/32"), (OTHER_BUCKETS, "")]);
        let some = images([Some("sha256:1"), None, Some("sha256:3"), None]);
        let plan = update(&wanted(), &identity(), &before, true, &some);
        let set: Vec<(&str, &str)> = plan.parameters.iter().map(|(n, v)| (&**n, &**v)).collect();
        let expected = [
            ("ReducerImage", "@sha256:3"),
            ("Reducers", "1"),
            ("SplitterImage", "@sha256:1"),
            ("Splitters", "1"),
        ];
        assert_eq!(set, expected);
        assert_eq!(names(&missing(&wanted(), &before, &some)), ["mapper"]);
        let with_hello = DeployRequest {
            hello: Some(1),
            ..wanted()
        };
        assert_eq!(
            names(&missing(&with_hello, &before, &some)),
            ["mapper", "hello"]
        );
    }

    #[test]
    fn what_is_there_already_is_not_done_again_and_is_not_undone() {
        let before = stack(&[
            (ALLOW_FROM, "203.0.113.7/32"),
            (OTHER_BUCKETS, "more"),
            (EXECUTION_ROLE, "arn:aws:iam::1:role/LabRole"),
            ("Splitters", "1"),
            ("SplitterImage", "@sha256:1"),
            ("Mappers", "7"),
            ("MapperImage", "@sha256:2"),
            ("Reducers", "1"),
            ("ReducerImage", "@sha256:3"),
        ]);
        let all = images([Some("sha256:1"), Some("sha256:2"), Some("sha256:3"), None]);
        let plan = update(&wanted(), &identity(), &before, true, &all);
        assert_eq!(plan, Plan::default());

        let newer = images([Some("sha256:1"), Some("sha256:9"), Some("sha256:3"), None]);
        let plan = update(&wanted(), &identity(), &before, true, &newer);
        assert_eq!(plan.lines.len(), 1, "{plan:?}");
        assert_eq!(plan.parameters["MapperImage"], "@sha256:9");

        let fewer = DeployRequest {
            mappers: Some(2),
            allow_from: Some("0.0.0.0/0".parse().unwrap()),
            ..wanted()
        };
        let plan = update(&fewer, &identity(), &before, true, &all);
        assert_eq!(plan.parameters["Mappers"], "2");
        assert!(plan.lines[0].contains("EVERYONE"), "{plan:?}");
        let plan = update(&wanted(), &identity(), &before, false, &all);
        assert_eq!(plan.lines.len(), 1);
        assert!(plan.parameters.is_empty());
    }
}
