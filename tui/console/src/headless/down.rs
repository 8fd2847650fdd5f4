//! `mrdeck down`: takes down what `up` put up. Data is kept unless told otherwise.

use std::cell::Cell;

use mrdeck_store::aws;
use serde::Serialize;

use super::stack::{Session, Stop, ask, until_interrupted, usage};
use crate::cli::{CommonArgs, DownArgs, OutputFormat};
use crate::config::Config;
use crate::exit::Exit;
use mrdeck_cluster::deploy::DeployError;
use mrdeck_cluster::deploy::bucket::{self, Contents};
use mrdeck_cluster::deploy::request::stack_name;
use mrdeck_cluster::deploy::stack::Stack;
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::human::{plural, thousands};

/// What is left, for a script.
#[derive(Debug, Serialize)]
struct Report<'a> {
    stack: &'a str,
    /// `down`, or `absent` if there was nothing to take down.
    status: &'static str,
    /// The bucket that is left, with its data.
    kept_bucket: Option<&'a str>,
    removed_objects: u64,
}

/// What becomes of the bucket.
enum Fate<'a> {
    Kept(&'a str, String),
    Removed(&'a str, String),
    NotThere,
}

pub async fn down(common: &CommonArgs, args: &DownArgs) -> Exit {
    let config = match Config::for_stack(common, &args.stack.stack) {
        Ok(config) => config,
        Err(error) => return usage(&error),
    };
    let name = match stack_name(&args.stack.stack) {
        Ok(name) => name,
        Err(error) => return usage(&error),
    };
    if config.connect.read_only {
        return usage(&read_only("take anything down"));
    }
    let is_under_way = Cell::new(false);
    // Large, and only one: it lives on the heap.
    let command = Box::pin(run(&config, args, &name, &is_under_way));
    until_interrupted(command, &is_under_way).await
}

async fn run(
    config: &Config,
    args: &DownArgs,
    name: &str,
    is_under_way: &Cell<bool>,
) -> Result<Exit, Stop> {
    let session = Session::open(config, name).await?;
    crate::say(&session.place());
    let Some(stack) = session.settled().await? else {
        crate::say(&format!(
            "there is no stack '{name}' here: nothing to take down"
        ));
        report(config, name, "absent", None, 0);
        return Ok(Exit::Done);
    };
    let s3 = aws::s3_client(&session.sdk, aws::Retries::Standard);
    let fate = fate(&s3, &stack, args.delete_data).await?;
    ask(&plan(name, &fate), "Take it down?", args.yes).await?;

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
    crate::say(&format!("the stack {name} is gone"));
    if let Some(bucket) = kept {
        crate::say(&format!(
            "the bucket {bucket} is left: 'mrdeck up --bucket {bucket}' uses it again, 'aws s3 rb --force s3://{bucket}' removes it"
        ));
    }
    report(config, name, "down", kept, removed);
    Ok(Exit::Done)
}

/// Only a bucket that the stack made is ever removed: when told, or when there is nothing in it.
async fn fate<'a>(
    s3: &aws_sdk_s3::Client,
    stack: &'a Stack,
    delete_data: bool,
) -> Result<Fate<'a>, Stop> {
    let Some(bucket) = stack.bucket() else {
        return Ok(Fate::NotThere);
    };
    if stack.own_bucket().is_none() {
        return Ok(Fate::Kept(bucket, "it was there before".to_owned()));
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

async fn remove(s3: &aws_sdk_s3::Client, bucket: &str) -> Result<u64, Stop> {
    // CloudFormation may have removed an empty one itself.
    if bucket::contents(s3, bucket)
        .await
        .map_err(DeployError::from)?
        == Contents::NoBucket
    {
        return Ok(0);
    }
    let removed = bucket::remove(s3, bucket, &crate::say).await.map_err(|error| {
        let mut diagnostic = Diagnostic::from(error);
        diagnostic.advice = format!(
            "the stack is gone and the bucket {bucket} is left; mend that, then 'aws s3 rb --force s3://{bucket}' removes it. Older versions of objects, if somebody turned them on, are removed in the S3 console"
        );
        diagnostic
    })?;
    crate::say(&format!(
        "the bucket {bucket} is gone, with {} objects",
        thousands(removed)
    ));
    Ok(removed)
}

fn report(config: &Config, stack: &str, status: &'static str, kept: Option<&str>, removed: u64) {
    if config.output == OutputFormat::Json {
        super::print_json(&Report {
            stack,
            status,
            kept_bucket: kept,
            removed_objects: removed,
        });
    }
}
