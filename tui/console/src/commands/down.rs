//! `mrdeck down`: removes what `up` created. Data is kept unless asked otherwise.

use std::cell::Cell;

use mrdeck_store::aws;
use serde::Serialize;

use super::stack_session::{Failure, StackSession, ask, until_interrupted};
use super::{print_json, refuse, told_of};
use crate::cli::{CommonArgs, DownArgs, OutputFormat};
use crate::config::Config;
use crate::exit::Exit;
use crate::stderr;
use mrdeck_cluster::deploy::DeployError;
use mrdeck_cluster::deploy::bucket::{self, Contents};
use mrdeck_cluster::deploy::stack::Stack;
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::human::plural;

/// What is left, for scripts.
#[derive(Debug, Serialize)]
struct DownReport<'a> {
    stack: &'a str,
    /// `down`, or `absent` if there was nothing to remove.
    status: &'static str,
    /// The bucket that is kept, with its data.
    kept_bucket: Option<&'a str>,
    removed_objects: u64,
}

/// What happens to the bucket.
enum Fate<'a> {
    Kept(&'a str, String),
    Removed(&'a str, String),
    NotThere,
}

pub async fn down(common: &CommonArgs, args: &DownArgs) -> Exit {
    let config = match Config::for_stack(common, &args.stack.stack) {
        Ok(config) => told_of(config),
        Err(error) => return refuse(&Diagnostic::from(&error)),
    };
    if config.connect.read_only {
        return refuse(&read_only("remove anything"));
    }
    let is_under_way = Cell::new(false);
    // A large future; there is only one, and it lives on the heap.
    let command = Box::pin(run(&config, args, &args.stack.stack, &is_under_way));
    until_interrupted(command, &is_under_way).await
}

async fn run(
    config: &Config,
    args: &DownArgs,
    name: &str,
    is_under_way: &Cell<bool>,
) -> Result<Exit, Failure> {
    let session = StackSession::open(config, name).await?;
    stderr::line(&session.place());
    let Some(stack) = session.settled().await? else {
        stderr::line(&format!(
            "there is no stack '{name}' here: nothing to remove"
        ));
        return Ok(report(config, name, "absent", None, 0));
    };
    let s3 = aws::s3_client(&session.sdk, aws::Retries::Standard);
    let fate = fate(&s3, &stack, args.delete_data).await?;
    ask(&plan(name, &fate), "Remove all this?", args.yes).await?;

    is_under_way.set(true);
    session.delete(&stack).await?;
    let (kept, removed) = match fate {
        Fate::Kept(bucket, _) => (Some(bucket), 0),
        Fate::NotThere => (None, 0),
        Fate::Removed(bucket, _) => {
            let removed = remove(&s3, bucket).await?;
            (None, removed)
        }
    };
    stderr::line(&format!("the stack {name} is deleted"));
    if let Some(bucket) = kept {
        // How to remove what was there before the stack is nobody's business here.
        let removal = match stack.own_bucket() {
            Some(own) => {
                format!(", 'aws s3 rb --force s3://{own}' removes it with all that is in it")
            }
            None => String::new(),
        };
        stderr::line(&format!(
            "the bucket {bucket} is kept: 'mrdeck up --bucket {bucket}' uses it again{removal}"
        ));
    }
    Ok(report(config, name, "down", kept, removed))
}

/// Decides about the bucket. Only one that the stack created is ever removed: if asked, or if it is empty.
async fn fate<'a>(
    s3: &aws_sdk_s3::Client,
    stack: &'a Stack,
    delete_data: bool,
) -> Result<Fate<'a>, Failure> {
    let Some(bucket) = stack.bucket() else {
        return Ok(Fate::NotThere);
    };
    if stack.own_bucket().is_none() {
        return Ok(Fate::Kept(bucket, "it existed before the stack".to_owned()));
    }
    Ok(
        match bucket::contents(s3, bucket)
            .await
            .map_err(DeployError::from)?
        {
            Contents::NoBucket => Fate::NotThere,
            Contents::Nothing => Fate::Removed(bucket, "it is empty".to_owned()),
            Contents::Objects { count, or_more } => {
                let more = if or_more { " or more" } else { "" };
                let what = format!("{}{more} in it", plural(count, "object"));
                if delete_data {
                    Fate::Removed(bucket, what)
                } else {
                    Fate::Kept(bucket, what)
                }
            }
        },
    )
}

fn plan(name: &str, fate: &Fate<'_>) -> Vec<String> {
    let mut lines = vec![
        format!("delete the CloudFormation stack {name}, with"),
        "  every task, service and task definition, and the ECS cluster".to_owned(),
        "  the image repositories with all their images".to_owned(),
        format!("  the logs in /mrdeck/{name}, the security group, the roles that were created"),
    ];
    lines.push(match fate {
        Fate::Kept(bucket, why) => format!("keep the bucket {bucket}: {why}"),
        Fate::Removed(bucket, why) => format!("delete the bucket {bucket}: {why}"),
        Fate::NotThere => "there is no bucket to keep".to_owned(),
    });
    lines
}

async fn remove(s3: &aws_sdk_s3::Client, bucket: &str) -> Result<u64, Failure> {
    // CloudFormation may have removed an empty one itself.
    if bucket::contents(s3, bucket)
        .await
        .map_err(DeployError::from)?
        == Contents::NoBucket
    {
        return Ok(0);
    }
    let removed = bucket::remove(s3, bucket, &stderr::line).await.map_err(|error| {
        let mut diagnostic = Diagnostic::from(error);
        diagnostic.advice = format!(
            "the stack is deleted, but the bucket {bucket} is left; fix that, then remove it with 'aws s3 rb --force s3://{bucket}'. If versioning is on, remove older versions of objects in the S3 console"
        );
        diagnostic
    })?;
    stderr::line(&format!(
        "the bucket {bucket} is deleted, with {}",
        plural(removed, "object")
    ));
    Ok(removed)
}

fn report(
    config: &Config,
    stack: &str,
    status: &'static str,
    kept: Option<&str>,
    removed: u64,
) -> Exit {
    match config.output {
        OutputFormat::Text => Exit::Done,
        OutputFormat::Json => print_json(&DownReport {
            stack,
            status,
            kept_bucket: kept,
            removed_objects: removed,
        }),
    }
}
