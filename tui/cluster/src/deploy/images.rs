//! Which images are in the repositories, and the commands that put them there.

use serde::Deserialize;
use serde_json::json;

use super::stack::Stack;
use super::template::{SERVICES, Service};
use crate::aws::{self, QueryClient, QueryError};
use mrdeck_core::diagnostic::Diagnostic;
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
pub async fn look(aws: &QueryClient, stack: &Stack, tag: &str) -> Result<Vec<Image>, Diagnostic> {
    let mut images = Vec::new();
    for service in &SERVICES {
        let repository = stack.outputs.get(service.repository).ok_or_else(|| {
            Diagnostic::new(
                format!(
                    "the stack {} names no repository for {}",
                    stack.name, service.name
                ),
                "it was changed by hand: take it down with 'mrdeck down' and put it up again",
            )
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
) -> Result<Option<String>, Diagnostic> {
    let (_, name) = repository.split_once('/').unwrap_or(("", repository));
    let request = json!({"repositoryName": name, "imageIds": [{"imageTag": tag}]});
    match aws.json::<Described>(ECR, DESCRIBE, &request).await {
        Ok(answer) => Ok(answer
            .images
            .into_iter()
            .next()
            .map(|image| image.image_digest)),
        Err(QueryError::Refused { code, .. }) if code == "ImageNotFoundException" => Ok(None),
        Err(error) => {
            Err(error.diagnostic("look into the image repositories (ecr:DescribeImages)"))
        }
    }
}

/// What to run, one command a line, in the folder with the Dockerfile.
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
