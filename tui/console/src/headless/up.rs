//! `mrdeck up`: puts the services on ECS step by step, each time as far as it can, up to a healthy dashboard.

use std::cell::Cell;
use std::io::IsTerminal;

use mrdeck_store::aws;
use serde::Serialize;

use super::print;
use super::stack::{Session, Stop, ask, until_interrupted, usage};
use crate::cli::{CommonArgs, DEFAULT_STACK, DEFAULT_TAG, OutputFormat, UpArgs};
use crate::config::Config;
use crate::exit::Exit;
use mrdeck_cluster;
use mrdeck_cluster::deploy::images::{self, Image};
use mrdeck_cluster::deploy::request::{self, DeployRequest, DeployRequestError};
use mrdeck_cluster::deploy::rollout::Rollout;
use mrdeck_cluster::deploy::stack::{Phase, Stack};
use mrdeck_cluster::deploy::stack_plan::{self, Plan};
use mrdeck_cluster::deploy::{bucket, network};
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::shell::quoted;

const NO_ALLOW_FROM: &str = "name who may call the services with --allow-from ADDRESS, for instance your own: curl https://checkip.amazonaws.com tells it";

/// What stands at the end, for a script.
#[derive(Debug, Serialize)]
struct Report<'a> {
    stack: &'a str,
    region: &'a str,
    bucket: Option<&'a str>,
    /// `up`, or `images_missing`, or `planned`.
    status: &'static str,
    plan: &'a [String],
    missing: Vec<&'static str>,
    /// What to run next.
    commands: Vec<String>,
}

pub async fn up(common: &CommonArgs, args: &UpArgs) -> Exit {
    let config = match Config::for_stack(common, &args.stack.stack) {
        Ok(config) => config,
        Err(error) => return usage(&error),
    };
    let wanted = match deploy_request(args, config.connect.bucket.as_deref()) {
        Ok(wanted) => wanted,
        Err(error) => return usage(&error),
    };
    if config.connect.read_only && !args.dry_run {
        return usage(&read_only(
            "change AWS; --dry-run shows the plan all the same",
        ));
    }
    let is_under_way = Cell::new(false);
    let command = Command {
        config: &config,
        args,
        wanted: &wanted,
        is_under_way: &is_under_way,
    };
    // Large, and only one: it lives on the heap.
    until_interrupted(Box::pin(command.run()), &is_under_way).await
}

struct Command<'a> {
    config: &'a Config,
    args: &'a UpArgs,
    wanted: &'a DeployRequest,
    is_under_way: &'a Cell<bool>,
}

impl Command<'_> {
    async fn run(&self) -> Result<Exit, Stop> {
        let session = Session::open(self.config, &self.wanted.stack).await?;
        crate::say(&session.place());
        let stack = match session.settled().await? {
            Some(stack) if stack.phase() == Phase::Ready => stack,
            stack => match self.create(&session, stack).await? {
                Some(stack) => stack,
                None => return Ok(Exit::Done),
            },
        };
        let images = images::look(&session.aws, &stack, &self.wanted.tag).await?;
        let missing = stack_plan::missing(self.wanted, &stack, &images);
        let Some(stack) = self.update(&session, stack.clone(), &images).await? else {
            return Ok(Exit::Done);
        };
        if missing.is_empty() {
            self.finish(&session, &stack).await
        } else {
            Ok(self.say_how_to_push(&session, &stack, &missing))
        }
    }

    /// `None` if that was only to be shown.
    async fn create(
        &self,
        session: &Session,
        broken: Option<Stack>,
    ) -> Result<Option<Stack>, Stop> {
        if self.wanted.allow_from.is_none() {
            return Err(Stop::Usage(NO_ALLOW_FROM.to_owned()));
        }
        let network = network::network(&session.aws, &self.wanted.subnets).await?;
        let s3 = aws::s3_client(&session.sdk, aws::Retries::Standard);
        let bucket = match self.wanted.bucket.as_deref() {
            None => None,
            Some(name) => Some((name, bucket::look_up(&s3, name).await?)),
        };
        let mut plan = stack_plan::create(self.wanted, &session.identity, &network, bucket);
        if let Some(broken) = &broken {
            let status = &broken.status;
            plan.lines.insert(
                0,
                format!(
                    "delete what is left of the stack {}, which is {status}",
                    self.wanted.stack
                ),
            );
        }
        if self.is_only_shown(session, None, &plan) {
            return Ok(None);
        }
        ask(&plan.lines, "Do this?", self.args.yes).await?;
        self.is_under_way.set(true);
        if let Some(broken) = &broken {
            session.delete(broken).await?;
        }
        let id = session
            .stacks
            .create(&self.wanted.stack, &plan.parameters)
            .await?;
        let settled = session.follow(&id, None).await?;
        match settled.stack {
            Some(ref stack) if stack.status == "CREATE_COMPLETE" => Ok(settled.stack),
            _ => Err(settled.diagnostic("the stack could not be created").into()),
        }
    }

    /// The stack as it is then; `None` if that was only to be shown.
    async fn update(
        &self,
        session: &Session,
        stack: Stack,
        images: &[Image],
    ) -> Result<Option<Stack>, Stop> {
        let is_current = session.stacks.is_current(&stack).await?;
        let plan = stack_plan::update(self.wanted, &session.identity, &stack, is_current, images);
        if self.is_only_shown(session, Some(&stack), &plan) {
            return Ok(None);
        }
        if plan.lines.is_empty() {
            return Ok(Some(stack));
        }
        ask(&plan.lines, "Do this?", self.args.yes).await?;
        let connection = mrdeck_cluster::connect(&self.config.connect).await?;
        let mut rollout = Rollout::new(&self.wanted.stack, &connection);
        let seen = session.stacks.latest_event(&stack.id).await?;
        self.is_under_way.set(true);
        if !session.stacks.update(&stack, &plan.parameters).await? {
            return Ok(Some(stack));
        }
        let settled = tokio::select! {
            settled = session.follow(&stack.id, seen) => settled?,
            () = rollout.report_stopped(&crate::say) => unreachable!("it reports until it is dropped"),
        };
        match settled.stack {
            Some(ref stack) if stack.status == "UPDATE_COMPLETE" => Ok(settled.stack),
            _ => Err(settled.diagnostic("the stack could not be updated").into()),
        }
    }

    /// With `--dry-run` the plan is all there is.
    fn is_only_shown(&self, session: &Session, stack: Option<&Stack>, plan: &Plan) -> bool {
        if !self.args.dry_run {
            return false;
        }
        match self.config.output {
            OutputFormat::Text if plan.lines.is_empty() => {
                print("nothing to do\n");
            }
            OutputFormat::Text => {
                print(&format!("{}\n", plan.lines.join("\n")));
            }
            OutputFormat::Json => self.report(session, stack, "planned", &plan.lines, &[]),
        }
        true
    }

    /// Standard output gets the commands and nothing else.
    fn say_how_to_push(&self, session: &Session, stack: &Stack, missing: &[&Image]) -> Exit {
        match self.config.output {
            OutputFormat::Json => self.report(session, Some(stack), "images_missing", &[], missing),
            OutputFormat::Text => {
                let names: Vec<&str> = missing.iter().map(|image| image.service.name).collect();
                crate::say(&format!(
                    "\nthe stack is there; there is no image '{}' yet of {}. In the folder with the Dockerfile, run:\n",
                    self.wanted.tag,
                    names.join(", ")
                ));
                let commands = self.push_commands(session, missing);
                print(&format!("{}\n", commands.join("\n")));
                crate::say(&format!("\nthen run: {}", self.up_command()));
            }
        }
        Exit::Unfinished
    }

    fn push_commands(&self, session: &Session, missing: &[&Image]) -> Vec<String> {
        let profile = self.config.connect.aws.profile.as_deref();
        images::push_commands(missing, &self.wanted.tag, session.aws.region(), profile)
    }

    /// Waits for the tasks; then the dashboard, or the command that opens it.
    async fn finish(&self, session: &Session, stack: &Stack) -> Result<Exit, Stop> {
        let connection = mrdeck_cluster::connect(&self.config.connect).await?;
        let ecs = aws_sdk_ecs::Client::new(&session.sdk);
        Rollout::new(&self.wanted.stack, &connection)
            .wait(&ecs, stack, &crate::say)
            .await?;
        let bucket = stack.bucket().ok_or_else(|| {
            let cause = format!("the stack {} names no bucket", self.wanted.stack);
            Diagnostic::new(cause, "take it down with 'mrdeck down' and put it up again")
        })?;
        match self.config.output {
            OutputFormat::Json => self.report(session, Some(stack), "up", &[], &[]),
            OutputFormat::Text => {
                crate::say("\nall tasks run and answer. The dashboard:");
                print(&format!("{}\n", self.dashboard_command(session, bucket)));
                let is_watched = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
                if is_watched && !self.args.yes {
                    let mut config = self.config.clone();
                    config.connect.bucket = Some(bucket.to_owned());
                    return Ok(crate::app::run(config).await);
                }
            }
        }
        Ok(Exit::Done)
    }

    /// In full, so that it works in a shell with other settings too.
    fn dashboard_command(&self, session: &Session, bucket: &str) -> String {
        [
            flag("--cluster", Some(&self.wanted.stack)),
            flag("--bucket", Some(bucket)),
            flag("--region", Some(session.aws.region())),
            flag("--profile", self.config.connect.aws.profile.as_deref()),
        ]
        .iter()
        .fold("mrdeck".to_owned(), |command, flag| command + flag)
    }

    /// With what the stack does not know yet: how many tasks, of which images.
    fn up_command(&self) -> String {
        let (args, aws) = (self.args, &self.config.connect.aws);
        [
            flag(
                "--stack",
                Some(args.stack.stack.as_str()).filter(|name| *name != DEFAULT_STACK),
            ),
            flag("--region", aws.region.as_deref()),
            flag("--profile", aws.profile.as_deref()),
            flag(
                "--tag",
                Some(args.tag.as_str()).filter(|tag| *tag != DEFAULT_TAG),
            ),
            flag("--mappers", args.mappers.as_deref()),
            flag("--hello", args.hello.as_deref()).replace("--hello ", "--hello="),
        ]
        .iter()
        .fold("mrdeck up".to_owned(), |command, flag| command + flag)
    }

    fn report(
        &self,
        session: &Session,
        stack: Option<&Stack>,
        status: &'static str,
        plan: &[String],
        missing: &[&Image],
    ) {
        let bucket = stack.and_then(Stack::bucket);
        let commands = match bucket {
            Some(bucket) if status == "up" => vec![self.dashboard_command(session, bucket)],
            _ => self.push_commands(session, missing),
        };
        let report = Report {
            stack: &self.wanted.stack,
            region: session.aws.region(),
            bucket,
            status,
            plan,
            missing: missing.iter().map(|image| image.service.name).collect(),
            commands,
        };
        super::print_json(&report);
    }
}

/// A flag of a command to be typed, if it has a value.
fn flag(name: &str, value: Option<&str>) -> String {
    value.map_or(String::new(), |value| format!(" {name} {}", quoted(value)))
}

/// Reads what the command line asks for.
fn deploy_request(
    args: &UpArgs,
    bucket: Option<&str>,
) -> Result<DeployRequest, DeployRequestError> {
    if args.role.is_some() && (args.execution_role.is_some() || args.task_role.is_some()) {
        return Err(DeployRequestError::Roles);
    }
    let role = |own: &Option<String>| {
        let text = own.as_deref().or(args.role.as_deref());
        text.map(request::role).transpose()
    };
    let mappers = args.mappers.as_ref().map(|text| {
        request::task_count(text, 1).ok_or_else(|| DeployRequestError::Mappers(text.clone()))
    });
    let hello = args.hello.as_ref().map(|text| {
        request::task_count(text, 0).ok_or_else(|| DeployRequestError::Hello(text.clone()))
    });
    let other_buckets = args
        .allow_bucket
        .iter()
        .map(|name| request::bucket_name(name));
    Ok(DeployRequest {
        stack: request::stack_name(&args.stack.stack)?,
        allow_from: args.allow_from.as_deref().map(str::parse).transpose()?,
        mappers: mappers.transpose()?,
        hello: hello.transpose()?,
        tag: request::tag(&args.tag)?,
        execution_role: role(&args.execution_role)?,
        task_role: role(&args.task_role)?,
        subnets: args.subnet.clone(),
        other_buckets: other_buckets.collect::<Result<_, _>>()?,
        bucket: bucket.map(request::bucket_name).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::flag;

    #[test]
    fn a_profile_with_a_space_is_one_word() {
        assert_eq!(flag("--profile", Some("the lab")), " --profile 'the lab'");
        assert_eq!(flag("--profile", None), "");
    }
}
