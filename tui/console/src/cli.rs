//! The command line as clap sees it: every value is read once, here, into the type that the rest works with.

// The comments here are the text of --help, not Markdown.
#![allow(clippy::doc_markdown)]

pub mod value;

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use self::value::{RunName, ServiceUrl, Timeout, bucket, cluster, profile, region, whole_number};
use crate::input::InputChoice;
use mrdeck_cluster::deploy::request::{BucketName, Cidr, ImageTag, RoleName, StackName};
use mrdeck_cluster::settings::{AddressChoice, MAX_LOCAL_MAPPERS};
use mrdeck_cluster::{MAX_TASKS, ScaleRequest};
use mrdeck_core::api::parse_chunk_count;
use mrdeck_core::role::Role;
use mrdeck_core::run_id::RunId;
use mrdeck_engine::event::{RunStatus, SplitChoice};

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

impl Cli {
    /// Returns the name of the command; the dashboard has none.
    pub fn command_name(&self) -> &'static str {
        match &self.command {
            None => "dashboard",
            Some(Command::Run(_)) => "run",
            Some(Command::Resume(_)) => "resume",
            Some(Command::Runs(_)) => "runs",
            Some(Command::Tasks) => "tasks",
            Some(Command::Doctor) => "doctor",
            Some(Command::Scale(_)) => "scale",
            Some(Command::Up(_)) => "up",
            Some(Command::Down(_)) => "down",
            Some(Command::Clean(_)) => "clean",
            Some(Command::Serve(_)) => "serve",
        }
    }
}

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run split → map → reduce once, without the dashboard
    Run(RunArgs),
    /// Resume a run that stopped: do only what is missing
    Resume(ResumeArgs),
    /// List past runs, show one, draw its chart, compare two; needs no cluster
    Runs(RunsArgs),
    /// List the cluster's tasks with their IP addresses
    Tasks,
    /// Check everything a run needs, and say what to do where something is wrong
    Doctor,
    /// Change how many tasks of a role run, for instance mapper=10
    Scale(ScaleArgs),
    /// Deploy the services to ECS: bucket, image repositories, cluster, tasks
    Up(UpArgs),
    /// Remove what `up` created; a bucket that holds data is kept
    Down(DownArgs),
    /// Remove old uploads and runs from the bucket; what may be in use is kept
    Clean(CleanArgs),
    /// Run one service in the foreground, as --local does for each of its tasks
    Serve(ServeArgs),
}

/// What every command takes: which cluster to use, how to reach it, what to write where.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct CommonArgs {
    /// Start an embedded cluster: an S3 server, a splitter, MAPPERS mappers (default 3) and a reducer
    #[arg(long, global = true, value_name = "MAPPERS", num_args = 0..=1, require_equals = true, default_missing_value = "3", value_parser = whole_number(1..=MAX_LOCAL_MAPPERS))]
    pub local: Option<u32>,

    /// Keep the embedded cluster's data in DIR (default: mrdeck/local under the XDG state directory)
    #[arg(long, global = true, value_name = "DIR")]
    pub local_data: Option<PathBuf>,

    /// Use the ECS cluster with this name or ARN (default: MRDECK_CLUSTER)
    #[arg(long, global = true, value_name = "NAME", value_parser = cluster)]
    pub cluster: Option<String>,

    /// Which of a task's addresses to send requests to (default: auto)
    #[arg(long, global = true, value_enum)]
    pub address: Option<AddressArg>,

    /// Use this AWS region (default: what the AWS SDK finds)
    #[arg(long, global = true, value_name = "REGION", value_parser = region)]
    pub region: Option<String>,

    /// Use this AWS profile (default: what the AWS SDK finds)
    #[arg(long, global = true, value_name = "NAME", value_parser = profile)]
    pub profile: Option<String>,

    /// Send all AWS calls to this URL instead of to AWS
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<ServiceUrl>,

    /// Call tasks through this proxy (default: directly, whatever HTTPS_PROXY says)
    #[arg(long, global = true, value_name = "URL")]
    pub task_proxy: Option<ServiceUrl>,

    /// Upload local files to this bucket (default: MRDECK_BUCKET)
    #[arg(long, global = true, value_name = "NAME", value_parser = bucket)]
    pub bucket: Option<String>,

    /// Use the splitter at this address instead of looking tasks up
    #[arg(long, global = true, value_name = "URL")]
    pub splitter: Option<ServiceUrl>,

    /// Use the mapper at this address; repeat for more
    #[arg(long, global = true, value_name = "URL")]
    pub mapper: Vec<ServiceUrl>,

    /// Use the reducer at this address
    #[arg(long, global = true, value_name = "URL")]
    pub reducer: Option<ServiceUrl>,

    /// Change nothing: start and stop no tasks, upload nothing, start no runs (a run writes objects)
    #[arg(long, global = true)]
    pub read_only: bool,

    /// Limit each attempt to this long, a day at most (default: 30 s, plus 1 s for each MiB of its input)
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<Timeout>,

    /// Read settings from FILE (default: mrdeck/config.toml under the XDG config directory)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Append a log of runs, attempts and AWS calls to FILE; MRDECK_LOG filters it (default: info)
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Print results in this format
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AddressArg {
    /// The address that answers /health; the public one if both do
    Auto,
    /// Only the public address
    Public,
    /// Only the private address
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
    /// Read byte ranges of the input if every mapper is mrdeck's, else copy
    Auto,
    /// Copy each chunk to an object of its own
    Copy,
    /// Read byte ranges of the input, and copy nothing
    Range,
}

impl From<SplitArg> for SplitChoice {
    fn from(arg: SplitArg) -> Self {
        match arg {
            SplitArg::Auto => Self::Auto,
            SplitArg::Copy => Self::Copy,
            SplitArg::Range => Self::Range,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// What to count: s3://BUCKET/KEY, all of s3://BUCKET/PREFIX/ or of a glob ('s3://BUCKET/logs/*.txt'), local files
    /// or a directory, which are uploaded first; several are counted as one; optional with --local
    #[arg(value_name = "INPUT", value_parser = OsStringValueParser::new().try_map(InputChoice::from_argument))]
    pub inputs: Vec<InputChoice>,

    /// Cut the input into N chunks, 1 to 10000 (default: one per mapper, more for a large input)
    #[arg(long, value_name = "N", value_parser = parse_chunk_count)]
    pub chunks: Option<u32>,

    /// How to cut the input
    #[arg(long, value_enum, default_value = "auto")]
    pub split: SplitArg,

    /// Recount the whole input in one process, and compare
    #[arg(long)]
    pub verify: bool,

    /// Count the input's bytes as they are, even if they are not text; a local file is not unpacked
    #[arg(long)]
    pub as_bytes: bool,

    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// The id that the run printed when it began
    pub run: RunId,

    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Debug, Clone, Args)]
pub struct RunsArgs {
    /// What to do (default: list)
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum RunsCommand {
    /// List the runs that are recorded on this machine, the newest first
    List(RunsListArgs),
    /// Show a run as it was reported when it ended
    Show(RunsShowArgs),
    /// Draw the latency chart of a run
    Export(RunsExportArgs),
    /// Compare two runs phase by phase
    Compare(RunsCompareArgs),
}

#[derive(Debug, Clone, Args)]
pub struct RunsListArgs {
    /// List the newest N (default: 20)
    #[arg(long, value_name = "N", default_value_t = 20, hide_default_value = true, value_parser = whole_number(1..=100_000_u32), conflicts_with = "all")]
    pub last: u32,

    /// List all of them
    #[arg(long)]
    pub all: bool,

    /// List only runs with this status
    #[arg(long, value_enum)]
    pub status: Option<StatusArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    Running,
    Done,
    Failed,
    Cancelled,
    /// Its console ended before it did
    Stopped,
}

impl From<StatusArg> for RunStatus {
    fn from(arg: StatusArg) -> Self {
        match arg {
            StatusArg::Running => Self::Running,
            StatusArg::Done => Self::Done,
            StatusArg::Failed => Self::Failed,
            StatusArg::Cancelled => Self::Cancelled,
            StatusArg::Stopped => Self::Stopped,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct RunsShowArgs {
    /// The run's id, or `last`
    pub run: RunName,

    /// Print the N most frequent words (0 to 100)
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole_number(0..=100_u8))]
    pub top: u8,
}

#[derive(Debug, Clone, Args)]
pub struct RunsExportArgs {
    /// The run's id, or `last`
    pub run: RunName,

    /// Draw the latency chart to FILE (.png or .svg); never overwrites
    #[arg(long, value_name = "FILE")]
    pub chart: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct RunsCompareArgs {
    /// The id of the run to compare with, or `last`
    pub base: RunName,

    /// The id of the run to compare, or `last`
    pub other: RunName,
}

/// What to report and to keep of a run.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Draw the latency chart to FILE (.png or .svg); never overwrites
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,

    /// Save the final counts to FILE as JSON; never overwrites
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
    /// The name of the CloudFormation stack, and of its ECS cluster
    #[arg(long, value_name = "NAME", default_value = DEFAULT_STACK)]
    pub stack: StackName,
}

#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub stack: StackArgs,

    /// Let only these addresses call the services (IPv4 or CIDR); required for a new stack
    #[arg(long, value_name = "ADDRESS")]
    pub allow_from: Option<Cidr>,

    /// Run N mappers, 1 to 1000 (default: as many as now; 3 in a new stack)
    #[arg(long, value_name = "N", value_parser = whole_number(1..=MAX_TASKS))]
    pub mappers: Option<u32>,

    /// Run the service `hello` too, a first check of a deployment; --hello=0 stops it
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = whole_number(0..=MAX_TASKS))]
    pub hello: Option<u32>,

    /// Run the images with this tag; a new image under the same tag replaces the tasks
    #[arg(long, value_name = "TAG", default_value = DEFAULT_TAG)]
    pub tag: ImageTag,

    /// An existing IAM role, by name or ARN, for everything, for instance LabRole (default: new roles)
    #[arg(long, value_name = "ROLE", conflicts_with_all = ["execution_role", "task_role"])]
    pub role: Option<RoleName>,

    /// An existing IAM role only for pulling images and writing logs
    #[arg(long, value_name = "ROLE")]
    pub execution_role: Option<RoleName>,

    /// An existing IAM role only for what the services do in S3
    #[arg(long, value_name = "ROLE")]
    pub task_role: Option<RoleName>,

    /// Run the tasks in this public subnet; repeat for more (default: those of the default VPC)
    #[arg(long, value_name = "ID")]
    pub subnet: Vec<String>,

    /// Let the services read and write this bucket too; repeat for more
    #[arg(long, value_name = "NAME")]
    pub allow_bucket: Vec<BucketName>,

    /// Show the plan, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Don't ask before making changes
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

    /// Don't ask before making changes
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ScaleArgs {
    /// How many tasks of a role to run: splitter, mapper or reducer, 0 to 1000
    #[arg(required = true, value_name = "ROLE=N")]
    pub roles: Vec<ScaleRequest>,

    /// Wait this long for tasks to run, and retry meanwhile if AWS has no capacity (1 to 3600)
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = whole_number(1..=3600_u64))]
    pub wait: u64,

    /// Stop tasks without asking
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// Don't ask before removing
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The service to run
    #[arg(value_parser = PossibleValuesParser::new(Role::ALL.map(Role::as_str)).try_map(|text| text.parse::<Role>()))]
    pub role: Role,

    /// Exit when standard input closes, so that no service outlives the console that started it
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
}

#[cfg(test)]
mod tests;
