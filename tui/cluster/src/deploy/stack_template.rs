//! The template that `up` deploys, and the names that it and the console have in common.

/// What `up` deploys; ASCII only, since `CloudFormation` gives nothing else back unchanged.
pub const TEMPLATE: &str = include_str!("../../../../assets/stack.yaml");
/// How the description of every stack of ours begins.
pub const MARK: &str = "mrdeck:";

pub const VPC: &str = "Vpc";
pub const SUBNETS: &str = "Subnets";
pub const ALLOW_FROM: &str = "AllowFrom";
pub const NEW_BUCKET: &str = "NewBucket";
pub const EXISTING_BUCKET: &str = "ExistingBucket";
pub const OTHER_BUCKETS: &str = "OtherBuckets";
pub const EXECUTION_ROLE: &str = "ExecutionRole";
pub const TASK_ROLE: &str = "TaskRole";
/// The output that names the bucket.
pub const BUCKET: &str = "Bucket";

/// A service of the template: one image, one ECS service.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// Of the image, the repository and the ECS service.
    pub name: &'static str,
    /// The parameter with the number of its tasks.
    pub count: &'static str,
    /// The parameter with its image's tag or digest.
    pub image: &'static str,
    /// The output with its repository.
    pub repository: &'static str,
    /// How many tasks run unless told otherwise.
    pub default_count: u32,
}

pub const MAPPER: &str = "mapper";
pub const HELLO: &str = "hello";

pub static SERVICES: [Service; 4] = [
    Service {
        name: "splitter",
        count: "Splitters",
        image: "SplitterImage",
        repository: "SplitterRepository",
        default_count: 1,
    },
    Service {
        name: MAPPER,
        count: "Mappers",
        image: "MapperImage",
        repository: "MapperRepository",
        default_count: 3,
    },
    Service {
        name: "reducer",
        count: "Reducers",
        image: "ReducerImage",
        repository: "ReducerRepository",
        default_count: 1,
    },
    Service {
        name: HELLO,
        count: "Hellos",
        image: "HelloImage",
        repository: "HelloRepository",
        default_count: 0,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_every_name() {
        let parameters = [VPC, SUBNETS, ALLOW_FROM, NEW_BUCKET, EXISTING_BUCKET];
        let parameters = parameters.into_iter().chain([OTHER_BUCKETS, TASK_ROLE]);
        let services = SERVICES.iter();
        let of_services = services.flat_map(|service| [service.count, service.image]);
        let outputs = SERVICES.iter().map(|service| service.repository);
        let names = parameters.chain(of_services).chain(outputs);
        for name in names.chain([EXECUTION_ROLE, BUCKET]) {
            assert!(TEMPLATE.contains(&format!("\n  {name}:\n")), "{name}");
        }
        assert!(TEMPLATE.contains(&format!("\nDescription: \"{MARK}")));
    }

    #[test]
    fn cloudformation_takes_it_and_keeps_the_data() {
        assert!(TEMPLATE.is_ascii());
        assert!(TEMPLATE.len() <= 51_200, "{}", TEMPLATE.len());
        let (_, bucket) = TEMPLATE
            .split_once("Type: AWS::S3::Bucket")
            .unwrap_or_default();
        let (bucket, _) = bucket.split_once("Properties:").unwrap_or_default();
        assert!(bucket.contains("DeletionPolicy: RetainExceptOnCreate"));
        assert!(bucket.contains("UpdateReplacePolicy: Retain"));
    }
}
