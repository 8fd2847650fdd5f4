//! Which images are in the repositories, and the commands that put them there.

use serde::Deserialize;
use serde_json::json;

use super::DeployError;
use super::stack::Stack;
use super::stack_template::{SERVICES, Service};
use crate::aws::{self, AwsError, QueryClient};
use mrdeck_core::shell::quoted;

const ECR: aws::Service = aws::Service {
    id: "ECR",
    name: "ecr",
    host: "api.ecr",
};
const DESCRIBE: &str = "AmazonEC2ContainerRegistry_V20150921.DescribeImages";

/// A service's repository, and the digest of the image with the wanted tag.
#[derive(Debug, Clone)]
pub struct Image {
    pub service: &'static Service,
    /// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/STACK/NAME`
    pub repository: String,
    pub digest: Option<String>,
}

/// Looks into every repository of the stack.
///
/// # Errors
///
/// Returns which repository is unknown, or why AWS did not say what is in one.
pub async fn look(aws: &QueryClient, stack: &Stack, tag: &str) -> Result<Vec<Image>, DeployError> {
    let mut images = Vec::new();
    for service in &SERVICES {
        let repository = stack.outputs.get(service.repository);
        let repository = repository.ok_or_else(|| DeployError::NoRepository {
            stack: stack.name.clone(),
            service: service.name,
        })?;
        images.push(Image {
            service,
            repository: repository.clone(),
            digest: digest(aws, repository, tag).await?,
        });
    }
    Ok(images)
}

async fn digest(
    aws: &QueryClient,
    repository: &str,
    tag: &str,
) -> Result<Option<String>, AwsError> {
    let (_, name) = repository.split_once('/').unwrap_or(("", repository));
    let request = json!({"repositoryName": name, "imageIds": [{"imageTag": tag}]});
    match aws.json::<Described>(ECR, DESCRIBE, &request).await {
        Ok(answer) => Ok(answer
            .images
            .into_iter()
            .next()
            .map(|image| image.image_digest)),
        Err(error) if error.code() == Some("ImageNotFoundException") => Ok(None),
        Err(error) => Err(error.doing("look into the image repositories (ecr:DescribeImages)")),
    }
}

/// Returns what to run, one command per line, in the folder with the Dockerfile.
pub fn push_commands(
    missing: &[&Image],
    tag: &str,
    region: &str,
    profile: Option<&str>,
) -> Vec<String> {
    let Some(first) = missing.first() else {
        return Vec::new();
    };
    let region = quoted(region);
    let profile = profile.map_or(String::new(), |name| format!(" --profile {}", quoted(name)));
    let (registry, _) = first.repository.split_once('/').unwrap_or_default();
    let registry = quoted(registry);
    let mut commands = vec![format!(
        "aws ecr get-login-password --region {region}{profile} | docker login --username AWS --password-stdin {registry}"
    )];
    for image in missing {
        let (name, target) = (image.service.name, format!("{}:{tag}", image.repository));
        let target = quoted(&target);
        commands.push(format!(
            "docker build --platform linux/amd64 --build-arg SERVICE={name} -t {target} ."
        ));
        commands.push(format!("docker push {target}"));
    }
    commands
}

#[derive(Debug, Deserialize)]
struct Described {
    #[serde(rename = "imageDetails", default)]
    images: Vec<ImageDetail>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageDetail {
    image_digest: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_profile_with_a_space_is_one_word() {
        let image = Image {
            service: &SERVICES[0],
            repository: "1.dkr.ecr.eu-west-1.amazonaws.com/mr/splitter".to_owned(),
            digest: None,
        };
        let commands = push_commands(&[&image], "latest", "eu-west-1", Some("the lab"));
        let words = shlex::split(&commands[0]).unwrap();
        let flag = words.iter().position(|word| word == "--profile").unwrap();
        assert_eq!(words[flag + 1], "the lab", "{}", commands[0]);
    }
}
