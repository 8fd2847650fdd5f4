//! `mrdeck up`: deploys the services to ECS step by step, each time as far as it can, until all tasks are healthy.

use std::cell::Cell;
use std::io::IsTerminal;

use mrdeck_store::aws;
use serde::Serialize;

use super::stack_session::{Failure, StackSession, ask, until_interrupted};
use super::{print, print_json, refuse, told_of};
use crate::cli::{CommonArgs, DEFAULT_STACK, DEFAULT_TAG, OutputFormat, UpArgs};
use crate::config::Config;
use crate::exit::Exit;
use crate::stderr;
use crate::tty;
use mrdeck_cluster;
use mrdeck_cluster::aws::ecs_client;
use mrdeck_cluster::deploy::images::{self, Image};
use mrdeck_cluster::deploy::request::{BucketNameError, DeployRequest, RoleName};
use mrdeck_cluster::deploy::rollout::Rollout;
use mrdeck_cluster::deploy::stack::{Phase, Stack};
use mrdeck_cluster::deploy::stack_plan::{self, Plan};
use mrdeck_cluster::deploy::{bucket, network};
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::shell::quoted;

const NO_ALLOW_FROM: &str = "give --allow-from ADDRESS, for instance your own, which curl https://checkip.amazonaws.com prints";

/// How far it came, for scripts.
#[derive(Debug, Serialize)]
struct UpReport<'a> {
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
        Ok(config) => told_of(config),
        Err(error) => return refuse(&Diagnostic::from(&error)),
    };
    let wanted = match deploy_request(args, config.connect.bucket.as_deref()) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(&error.into()),
    };
    if config.connect.read_only && !args.dry_run {
        return refuse(&read_only("change AWS; --dry-run still shows the plan"));
    }
    let is_under_way = Cell::new(false);
    let command = Deployer {
        config: &config,
        args,
        wanted: &wanted,
        is_under_way: &is_under_way,
    };
    // A large future; there is only one, and it lives on the heap.
    until_interrupted(Box::pin(command.run()), &is_under_way).await
}

struct Deployer<'a> {
    config: &'a Config,
    args: &'a UpArgs,
    wanted: &'a DeployRequest,
    is_under_way: &'a Cell<bool>,
}

/// How far a step that changes the stack came.
enum Step {
    Done(Stack),
    /// Its plan was only printed, and this is how that went.
    OnlyShown(Exit),
}

impl Deployer<'_> {
    async fn run(&self) -> Result<Exit, Failure> {
        let session = StackSession::open(self.config, &self.wanted.stack).await?;
        stderr::line(&session.place());
        let stack = match session.settled().await? {
            Some(stack) if stack.phase() == Phase::Ready => stack,
            stack => match self.create(&session, stack).await? {
                Step::Done(stack) => stack,
                Step::OnlyShown(exit) => return Ok(exit),
            },
        };
        let images = images::look(&session.aws, &stack, &self.wanted.tag).await?;
        let missing = stack_plan::missing(self.wanted, &stack, &images);
        let stack = match self.update(&session, stack.clone(), &images).await? {
            Step::Done(stack) => stack,
            Step::OnlyShown(exit) => return Ok(exit),
        };
        if missing.is_empty() {
            self.finish(&session, &stack).await
        } else {
            Ok(self.say_how_to_push(&session, &stack, &missing))
        }
    }

    /// Creates the stack.
    async fn create(&self, session: &StackSession, broken: Option<Stack>) -> Result<Step, Failure> {
        if self.wanted.allow_from.is_none() {
            return Err(Failure::Usage(Diagnostic::new(
                "a new stack needs to know who may call the services",
                NO_ALLOW_FROM,
            )));
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
        if self.args.dry_run {
            return Ok(Step::OnlyShown(self.show(session, None, &plan)));
        }
        ask(&plan.lines, "Do all this?", self.args.yes).await?;
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
            Some(stack) if stack.status == "CREATE_COMPLETE" => Ok(Step::Done(stack)),
            _ => Err(settled.diagnostic("the stack could not be created").into()),
        }
    }

    /// Updates the stack, and returns it as it is then.
    async fn update(
        &self,
        session: &StackSession,
        stack: Stack,
        images: &[Image],
    ) -> Result<Step, Failure> {
        let is_current = session.stacks.is_current(&stack).await?;
        let plan = stack_plan::update(self.wanted, &session.identity, &stack, is_current, images);
        if self.args.dry_run {
            return Ok(Step::OnlyShown(self.show(session, Some(&stack), &plan)));
        }
        if plan.lines.is_empty() {
            return Ok(Step::Done(stack));
        }
        ask(&plan.lines, "Do all this?", self.args.yes).await?;
        let connection = mrdeck_cluster::connect(&self.config.connect).await?;
        let mut rollout = Rollout::new(&self.wanted.stack, &connection);
        let seen = session.stacks.latest_event(&stack.id).await?;
        self.is_under_way.set(true);
        if !session.stacks.update(&stack, &plan.parameters).await? {
            return Ok(Step::Done(stack));
        }
        let settled = tokio::select! {
            settled = session.follow(&stack.id, seen) => settled?,
            () = rollout.report_stopped(&stderr::line) => unreachable!("it reports until it is dropped"),
        };
        match settled.stack {
            Some(stack) if stack.status == "UPDATE_COMPLETE" => Ok(Step::Done(stack)),
            _ => Err(settled.diagnostic("the stack could not be updated").into()),
        }
    }

    /// Prints the plan, which is all that `--dry-run` asks for.
    fn show(&self, session: &StackSession, stack: Option<&Stack>, plan: &Plan) -> Exit {
        match self.config.output {
            OutputFormat::Text if plan.lines.is_empty() => print("nothing to do\n"),
            OutputFormat::Text => print(&format!("{}\n", plan.lines.join("\n"))),
            OutputFormat::Json => self.report(session, stack, "planned", &plan.lines, &[]),
        }
    }

    /// Says which images are missing; only the commands that push them go to standard output.
    fn say_how_to_push(&self, session: &StackSession, stack: &Stack, missing: &[&Image]) -> Exit {
        match self.config.output {
            OutputFormat::Json => {
                self.report(session, Some(stack), "images_missing", &[], missing);
            }
            OutputFormat::Text => {
                let names: Vec<&str> = missing.iter().map(|image| image.service.name).collect();
                stderr::line(&format!(
                    "\nthe stack exists, but there is no image '{}' yet for {}. In the folder with the Dockerfile, run:\n",
                    self.wanted.tag,
                    names.join(", ")
                ));
                let commands = self.push_commands(session, missing);
                print(&format!("{}\n", commands.join("\n")));
                stderr::line(&format!("\nthen run: {}", self.up_command()));
            }
        }
        Exit::Unfinished
    }

    fn push_commands(&self, session: &StackSession, missing: &[&Image]) -> Vec<String> {
        let profile = self.config.connect.aws.profile.as_deref();
        images::push_commands(missing, &self.wanted.tag, session.aws.region(), profile)
    }

    /// Waits for the tasks; then opens the dashboard, or prints the command that does.
    async fn finish(&self, session: &StackSession, stack: &Stack) -> Result<Exit, Failure> {
        let connection = mrdeck_cluster::connect(&self.config.connect).await?;
        let ecs = ecs_client(&session.sdk);
        Rollout::new(&self.wanted.stack, &connection)
            .wait(&ecs, stack, &stderr::line)
            .await?;
        let bucket = stack.bucket().ok_or_else(|| {
            let cause = format!("the stack {} names no bucket", self.wanted.stack);
            Diagnostic::new(
                cause,
                "remove it with 'mrdeck down', and deploy it again with 'mrdeck up'",
            )
        })?;
        match self.config.output {
            OutputFormat::Json => Ok(self.report(session, Some(stack), "up", &[], &[])),
            OutputFormat::Text => {
                stderr::line("\nall tasks are running and answering. Open the dashboard with:");
                let printed = print(&format!("{}\n", self.dashboard_command(session, bucket)));
                let is_watched =
                    std::io::stdin().is_terminal() && tty::takes_escapes(&std::io::stdout());
                if is_watched && !self.args.yes {
                    let mut config = self.config.clone();
                    config.connect.bucket = Some(bucket.to_owned());
                    return Ok(crate::dashboard::run(config).await);
                }
                Ok(printed)
            }
        }
    }

    /// Returns the command that opens the dashboard, in full, so that it works in a shell with other settings too.
    fn dashboard_command(&self, session: &StackSession, bucket: &str) -> String {
        [
            flag("--cluster", Some(&self.wanted.stack)),
            flag("--bucket", Some(bucket)),
            flag("--region", Some(session.aws.region())),
            flag("--profile", self.config.connect.aws.profile.as_deref()),
        ]
        .iter()
        .fold("mrdeck".to_owned(), |command, flag| command + flag)
    }

    /// Returns the command to run next, with what the stack does not know yet: how many tasks, of which images.
    fn up_command(&self) -> String {
        let (args, aws) = (self.args, &self.config.connect.aws);
        let text = |count: Option<u32>| count.map(|count| count.to_string());
        let (mappers, hello) = (text(args.mappers), text(args.hello));
        [
            flag(
                "--stack",
                Some(&*args.stack.stack).filter(|name| *name != DEFAULT_STACK),
            ),
            flag("--region", aws.region.as_deref()),
            flag("--profile", aws.profile.as_deref()),
            flag("--tag", Some(&*args.tag).filter(|tag| *tag != DEFAULT_TAG)),
            flag("--mappers", mappers.as_deref()),
            flag("--hello", hello.as_deref()).replace("--hello ", "--hello="),
        ]
        .iter()
        .fold("mrdeck up".to_owned(), |command, flag| command + flag)
    }

    fn report(
        &self,
        session: &StackSession,
        stack: Option<&Stack>,
        status: &'static str,
        plan: &[String],
        missing: &[&Image],
    ) -> Exit {
        let bucket = stack.and_then(Stack::bucket);
        let commands = match bucket {
            Some(bucket) if status == "up" => vec![self.dashboard_command(session, bucket)],
            _ => self.push_commands(session, missing),
        };
        let report = UpReport {
            stack: &self.wanted.stack,
            region: session.aws.region(),
            bucket,
            status,
            plan,
            missing: missing.iter().map(|image| image.service.name).collect(),
            commands,
        };
        print_json(&report)
    }
}

/// Returns a flag as it is typed, if it has a value.
fn flag(name: &str, value: Option<&str>) -> String {
    value.map_or(String::new(), |value| format!(" {name} {}", quoted(value)))
}

/// Combines what the command line and the configuration ask for.
fn deploy_request(args: &UpArgs, bucket: Option<&str>) -> Result<DeployRequest, BucketRefused> {
    let bucket = bucket.map(|name| {
        name.parse().map_err(|reason| BucketRefused {
            name: name.to_owned(),
            reason,
        })
    });
    let role = |own: &Option<RoleName>| own.clone().or_else(|| args.role.clone());
    Ok(DeployRequest {
        stack: args.stack.stack.clone(),
        allow_from: args.allow_from,
        mappers: args.mappers,
        hello: args.hello,
        tag: args.tag.clone(),
        execution_role: role(&args.execution_role),
        task_role: role(&args.task_role),
        subnets: args.subnet.clone(),
        other_buckets: args.allow_bucket.clone(),
        bucket: bucket.transpose()?,
    })
}

/// The error of a `--bucket` that no new bucket could have as its name.
#[derive(Debug, thiserror::Error)]
#[error("'{name}' can't be a bucket's name")]
struct BucketRefused {
    name: String,
    #[source]
    reason: BucketNameError,
}

impl From<BucketRefused> for Diagnostic {
    fn from(error: BucketRefused) -> Self {
        let advice = format!("check --bucket: {}", error.reason);
        Self::new(error.to_string(), advice)
    }
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
