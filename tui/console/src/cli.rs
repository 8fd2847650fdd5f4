//! The command line as clap sees it: every value is read once, here, into the type that the rest works with.

// The comments here are the text of --help, not Markdown.
#![allow(clippy::doc_markdown)]

pub mod value;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use self::value::{ServiceUrl, Timeout, whole_number};
use crate::input::InputChoice;
use mrdeck_cluster::deploy::request::{BucketName, Cidr, ImageTag, RoleName, StackName};
use mrdeck_cluster::settings::{AddressChoice, MAX_LOCAL_MAPPERS};
use mrdeck_cluster::{MOST_TASKS, ScaleRequest};
use mrdeck_core::api::{SplitMode, parse_chunk_count};
use mrdeck_core::role::Role;
use mrdeck_core::run_id::RunId;

/// Run MapReduce on your own Amazon ECS cluster, or on one embedded here, from a terminal.
///
/// Without a command, the dashboard opens.
#[derive(Debug, Clone, Parser)]
#[command(name = "mrdeck", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub common: CommonArgs,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run split → map → reduce once, without the dashboard
    Run(RunArgs),
    /// Go on with a run that stopped: only what is missing is done
    Resume(ResumeArgs),
    /// List the cluster's tasks with their IPs
    Tasks,
    /// Check what a run needs: what is reachable, what is not, why, and what to do
    Doctor,
    /// Make as many tasks of a role run as are wanted: mapper=10
    Scale(ScaleArgs),
    /// Put the services on ECS: bucket, image repositories, cluster, tasks
    Up(UpArgs),
    /// Take down what up put up; a bucket with data is kept
    Down(DownArgs),
    /// Run one service in the foreground (what --local starts)
    Serve(ServeArgs),
}

/// Which cluster, and how to reach it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct CommonArgs {
    /// Bring up an embedded cluster: an S3 server, a splitter, MAPPERS mappers (default 3), a reducer
    #[arg(long, global = true, value_name = "MAPPERS", num_args = 0..=1, require_equals = true, default_missing_value = "3", value_parser = whole_number(1..=MAX_LOCAL_MAPPERS))]
    pub local: Option<u32>,

    /// Keep the embedded cluster's data here (default: mrdeck/local under the XDG state directory)
    #[arg(long, global = true, value_name = "DIR")]
    pub local_data: Option<PathBuf>,

    /// The ECS cluster's name or ARN
    #[arg(long, global = true, env = "MRDECK_CLUSTER", value_name = "NAME")]
    pub cluster: Option<String>,

    /// Which of a task's addresses requests go to (default: auto)
    #[arg(long, global = true, value_enum)]
    pub address: Option<AddressArg>,

    /// The AWS region (default: the AWS SDK's own chain)
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// The AWS profile (default: the AWS SDK's own chain)
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Send every AWS call here instead of to AWS
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<Url>,

    /// The bucket that local files are uploaded to
    #[arg(long, global = true, env = "MRDECK_BUCKET", value_name = "NAME")]
    pub bucket: Option<String>,

    /// A splitter at a fixed address, instead of looking tasks up
    #[arg(long, global = true, value_name = "URL")]
    pub splitter: Option<ServiceUrl>,

    /// A mapper at a fixed address; may be given many times
    #[arg(long, global = true, value_name = "URL")]
    pub mapper: Vec<ServiceUrl>,

    /// A reducer at a fixed address
    #[arg(long, global = true, value_name = "URL")]
    pub reducer: Option<ServiceUrl>,

    /// Only look: refuse to start or stop tasks, to upload, and to run anything, since a run writes objects
    #[arg(long, global = true)]
    pub read_only: bool,

    /// Give an attempt at most this long (default: 30 s, and a second more for each MiB of its input; a day at most)
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<Timeout>,

    /// Read settings from this file (default: mrdeck/config.toml under the XDG config directory)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How to print what a command found
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AddressArg {
    /// The one that answers `/health`; the public one if both do
    Auto,
    /// The public IP only
    Public,
    /// The private IP only
    Private,
}

impl From<AddressArg> for AddressChoice {
    fn from(arg: AddressArg) -> Self {
        match arg {
            AddressArg::Auto => Self::Auto,
            AddressArg::Public => Self::Public,
            AddressArg::Private => Self::Private,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitArg {
    /// Copy each chunk to an object of its own
    Copy,
    /// Cut by byte ranges; nothing is copied
    Range,
}

impl From<SplitArg> for SplitMode {
    fn from(arg: SplitArg) -> Self {
        match arg {
            SplitArg::Copy => Self::Copy,
            SplitArg::Range => Self::Range,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// s3://BUCKET/KEY, or a local file (uploaded first); with --local it may be left out
    pub input: Option<InputChoice>,

    /// How many chunks (1 to 10000; default: one per mapper, more when the input is large)
    #[arg(long, value_name = "N", value_parser = parse_chunk_count)]
    pub chunks: Option<u32>,

    /// How the input is cut
    #[arg(long, value_enum, default_value = "copy")]
    pub split: SplitArg,

    /// Recount the whole input in one process and compare in both directions
    #[arg(long)]
    pub verify: bool,

    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// The run's id, as it was printed when the run began
    pub run: RunId,

    #[command(flatten)]
    pub report: ReportArgs,
}

/// What is to be told and kept of a run.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Draw the latency chart (.png or .svg); an existing file is not overwritten
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,

    /// Save the final counts as JSON; an existing file is not overwritten
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Print the N most frequent words (0 to 100)
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole_number(0..=100_u8))]
    pub top: u8,
}

pub const DEFAULT_STACK: &str = "mrdeck";
pub const DEFAULT_TAG: &str = "latest";

/// Which stack; its cluster has the same name.
#[derive(Debug, Clone, Args)]
pub struct StackArgs {
    /// The name of the CloudFormation stack, and of its cluster
    #[arg(long, value_name = "NAME", default_value = DEFAULT_STACK)]
    pub stack: StackName,
}

#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub stack: StackArgs,

    /// The only addresses that may call the services (IPv4 or CIDR); needed for a new stack
    #[arg(long, value_name = "ADDRESS")]
    pub allow_from: Option<Cidr>,

    /// How many mappers (1 to 1000; default: as it is, 3 at first)
    #[arg(long, value_name = "N", value_parser = whole_number(1..=MOST_TASKS))]
    pub mappers: Option<u32>,

    /// Run hello too, the first check of a deployment; =0 takes it away again
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = whole_number(0..=MOST_TASKS))]
    pub hello: Option<u32>,

    /// Which images to run; a new image under the same tag replaces the tasks
    #[arg(long, value_name = "TAG", default_value = DEFAULT_TAG)]
    pub tag: ImageTag,

    /// A role that is there, by name or ARN, for everything, such as LabRole (default: new roles)
    #[arg(long, value_name = "ROLE", conflicts_with_all = ["execution_role", "task_role"])]
    pub role: Option<RoleName>,

    /// The same only for pulling images and writing logs
    #[arg(long, value_name = "ROLE")]
    pub execution_role: Option<RoleName>,

    /// The same only for what the services do in S3
    #[arg(long, value_name = "ROLE")]
    pub task_role: Option<RoleName>,

    /// A public subnet for the tasks; may be given many times (default: those of the default VPC)
    #[arg(long, value_name = "ID")]
    pub subnet: Vec<String>,

    /// Another bucket that the services may read and write; may be given many times
    #[arg(long, value_name = "NAME")]
    pub allow_bucket: Vec<BucketName>,

    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Do it without asking
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DownArgs {
    #[command(flatten)]
    pub stack: StackArgs,

    /// Delete the stack's bucket too, with everything in it
    #[arg(long)]
    pub delete_data: bool,

    /// Do it without asking
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ScaleArgs {
    /// How many tasks of which role are to run: splitter, mapper or reducer, 0 to 1000
    #[arg(required = true, value_name = "ROLE=N")]
    pub roles: Vec<ScaleRequest>,

    /// Wait at most this long for a role's tasks to run, and retry for as long while AWS has no room (1 to 3600)
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = whole_number(1..=3600_u64))]
    pub wait: u64,

    /// Stop tasks without asking
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Which service
    #[arg(value_parser = PossibleValuesParser::new(Role::ALL.map(Role::as_str)).try_map(|text| text.parse::<Role>()))]
    pub role: Role,

    /// End when standard input closes, so that no service outlives the console that started it
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use clap::{CommandFactory, Parser};

    use super::Cli;

    #[test]
    fn a_wrong_value_is_named_with_its_flag_and_with_what_would_be_right() {
        let run = "01J0000000000000000000000"; // one character short
        for (args, flag, value, right) in [
            (&["--local=0"][..], "--local", "0", "from 1 to 100"),
            (&["--local="], "--local", "", "from 1 to 100"),
            (&["--timeout", "0"], "--timeout", "0", "above 0"),
            (&["--splitter", "a:1"], "--splitter", "a:1", "http://"),
            (&["--mapper", "a:1"], "--mapper", "a:1", "http://"),
            (&["--reducer", "ftp://a"], "--reducer", "ftp://a", "http://"),
            (
                &["run", "--chunks", "0"],
                "--chunks",
                "0",
                "from 1 to 10000",
            ),
            (&["run", "--top", "101"], "--top", "101", "from 0 to 100"),
            (
                &["run", "http://x"],
                "[INPUT]",
                "http://x",
                "s3://BUCKET/KEY",
            ),
            (&["resume", run], "<RUN>", run, "26 letters and digits"),
            (&["scale", "mapper"], "<ROLE=N>", "mapper", "mapper=10"),
            (
                &["scale", "cook=1"],
                "<ROLE=N>",
                "cook=1",
                "splitter, mapper or reducer",
            ),
            (
                &["scale", "mapper=1001"],
                "<ROLE=N>",
                "mapper=1001",
                "from 0 to 1000",
            ),
            (
                &["up", "--stack", "Mr"],
                "--stack",
                "Mr",
                "lower-case letters",
            ),
            (
                &["down", "--stack", "m_r"],
                "--stack",
                "m_r",
                "lower-case letters",
            ),
            (
                &["up", "--allow-from", "::1"],
                "--allow-from",
                "::1",
                "IPv4",
            ),
            (
                &["up", "--mappers", "0"],
                "--mappers",
                "0",
                "from 1 to 1000",
            ),
            (&["up", "--hello=x"], "--hello", "x", "from 0 to 1000"),
            (&["up", "--tag", ".x"], "--tag", ".x", "128 characters"),
            (&["up", "--role", "a b"], "--role", "a b", "ARN"),
            (
                &["up", "--execution-role", ""],
                "--execution-role",
                "",
                "ARN",
            ),
            (&["up", "--task-role", "a/b"], "--task-role", "a/b", "ARN"),
            (
                &["up", "--allow-bucket", "A"],
                "--allow-bucket",
                "A",
                "lower-case letters",
            ),
        ] {
            let parsed = Cli::try_parse_from([&["mrdeck"], args].concat());
            let error = parsed.expect_err("a wrong value");
            assert_eq!(error.exit_code(), 2, "{args:?}");
            let text = error.to_string();
            for part in [flag, &format!("'{value}'"), right] {
                assert!(text.contains(part), "'{part}' is not in: {text}");
            }
        }
    }

    #[test]
    fn a_right_value_is_read() {
        for args in [
            &["--local", "--timeout", "0.5", "run", "--chunks", "9"][..],
            &["run", "s3://b/k", "--top", "100"],
            &["resume", "01J00000000000000000000000", "--top=0"],
            &["scale", "mapper=0", "reducer=2", "--wait", "3600"],
            &["up", "--mappers=9", "--hello", "--role", "LabRole"],
            &["down", "--stack", "mr-2"],
        ] {
            let parsed = Cli::try_parse_from([&["mrdeck"], args].concat());
            parsed.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn a_role_for_everything_leaves_no_other() {
        let both = ["mrdeck", "up", "--role", "a", "--task-role", "b"];
        let text = Cli::try_parse_from(both)
            .expect_err("a conflict")
            .to_string();
        assert!(
            text.contains("--role") && text.contains("--task-role"),
            "{text}"
        );
    }

    #[test]
    fn the_manual_names_every_flag_and_command() {
        let manual = include_str!("../../README.md");
        let root = Cli::command();
        root.clone().debug_assert();
        let commands = std::iter::once(&root).chain(root.get_subcommands());
        for command in commands {
            let name = command.get_name();
            assert!(manual.contains(&format!("mrdeck {name} ")) || name == "mrdeck", "{name}");
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                if let Some(flag) = argument.get_long() {
                    assert!(
                        manual.contains(&format!("`--{flag}"))
                            || manual.contains(&format!(" --{flag}")),
                        "--{flag}"
                    );
                }
            }
        }
    }
}
