//! Flags over environment over file over defaults, made into one validated configuration.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use mrdeck_store::aws::AwsOptions;
use serde::Deserialize;

use crate::cli::value::{self, ServiceUrl, Timeout};
use crate::cli::{CommonArgs, OutputFormat};
use mrdeck_cluster::settings::{
    AddressChoice, Backend, ConnectOptions, EcsSettings, FixedAddresses,
};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;

const CLUSTER: &str = "MRDECK_CLUSTER";
const BUCKET: &str = "MRDECK_BUCKET";
/// The environment variables that the console itself reads.
pub const VARIABLES: [&str; 4] = [CLUSTER, BUCKET, "MRDECK_LOG", "NO_COLOR"];

/// The folder of the local cluster's data in mrdeck's own.
const LOCAL: &str = "local";

/// Everything a session needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    pub connect: ConnectOptions,
    /// A fixed limit for every attempt, instead of one by the input's size.
    pub attempt_limit: Option<Duration>,
    pub output: OutputFormat,
    /// Where runs are recorded, a file each.
    pub runs_dir: PathBuf,
}

/// Why flags, environment and file make no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("no cluster was named")]
    NoCluster,
    #[error("--local can't be combined with --splitter, --mapper or --reducer")]
    LocalAndFixed,
    #[error("--cluster can't be combined with --splitter, --mapper or --reducer")]
    ClusterAndFixed,
    #[error("with fixed addresses all three roles are needed, and --{0} is missing")]
    MissingRole(Role),
    #[error("up and down work on a cluster on ECS")]
    NotOnEcs,
    #[error(
        "the cluster is named after the stack '{stack}', but --cluster (or MRDECK_CLUSTER) says '{cluster}'"
    )]
    ClusterOfStack { cluster: String, stack: String },
    #[error("the settings in {} can't be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("line {line} of the settings in {} is wrong: {}", .path.display(), .source.message())]
    Invalid {
        path: PathBuf,
        line: usize,
        source: Box<toml::de::Error>,
    },
    #[error("{name} can't be used: {fault}")]
    Variable { name: &'static str, fault: String },
    #[error("there is no home directory to keep data in: HOME is not an absolute path")]
    NoHome,
}

impl From<&ConfigError> for Diagnostic {
    fn from(error: &ConfigError) -> Self {
        let advice = match error {
            ConfigError::NoCluster => {
                "start an embedded one with --local, name an ECS cluster with --cluster, or give --splitter, --mapper and --reducer"
            }
            ConfigError::LocalAndFixed | ConfigError::ClusterAndFixed => "choose one",
            ConfigError::MissingRole(_) => "give it an http:// address",
            ConfigError::NotOnEcs => "leave out --local, --splitter, --mapper and --reducer",
            ConfigError::ClusterOfStack { cluster, .. } => {
                return Self::new(
                    error.to_string(),
                    format!("use --stack {cluster}, or leave out --cluster"),
                );
            }
            ConfigError::Unreadable { .. } => "check --config",
            ConfigError::Invalid { .. } => {
                "correct it; the names are those of the flags, with _ for -"
            }
            ConfigError::Variable { .. } => "correct or unset it",
            ConfigError::NoHome => "set XDG_STATE_HOME, or use --local-data DIR",
        };
        Self::new(error.to_string(), advice)
    }
}

/// The configuration file (TOML): the same names as the flags, with `_` for `-`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileSettings {
    #[serde(deserialize_with = "value::cluster_in_file")]
    cluster: Option<String>,
    address: AddressChoice,
    /// What a family's name contains, by role.
    families: Families,
    #[serde(deserialize_with = "value::region_in_file")]
    region: Option<String>,
    #[serde(deserialize_with = "value::profile_in_file")]
    profile: Option<String>,
    endpoint_url: Option<ServiceUrl>,
    task_proxy: Option<ServiceUrl>,
    #[serde(deserialize_with = "value::bucket_in_file")]
    bucket: Option<String>,
    splitter: Option<ServiceUrl>,
    mapper: Vec<ServiceUrl>,
    reducer: Option<ServiceUrl>,
    read_only: bool,
    timeout: Option<Timeout>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Families {
    splitter: String,
    mapper: String,
    reducer: String,
}

impl Default for Families {
    fn default() -> Self {
        Self {
            splitter: Role::Splitter.to_string(),
            mapper: Role::Mapper.to_string(),
            reducer: Role::Reducer.to_string(),
        }
    }
}

impl Config {
    /// Makes the configuration of `up` and `down`, whose cluster is the stack's own.
    ///
    /// # Errors
    ///
    /// Returns an error if another cluster is named, or for what [`Config::load`] refuses.
    pub fn for_stack(args: &CommonArgs, stack: &str) -> Result<Self, ConfigError> {
        let is_elsewhere = args.local.is_some()
            || args.splitter.is_some()
            || !args.mapper.is_empty()
            || args.reducer.is_some();
        if is_elsewhere {
            return Err(ConfigError::NotOnEcs);
        }
        let cluster = given(args.cluster.as_ref(), CLUSTER, value::cluster)?;
        if let Some(cluster) = cluster.filter(|name| *name != stack) {
            return Err(ConfigError::ClusterOfStack {
                cluster,
                stack: stack.to_owned(),
            });
        }
        Self::load(&CommonArgs {
            cluster: Some(stack.to_owned()),
            ..args.clone()
        })
    }

    /// Makes the configuration of what needs only a bucket: a cluster may be named, and is not looked at.
    ///
    /// # Errors
    ///
    /// Returns an error for what [`Config::load`] refuses, but for a missing cluster.
    pub fn for_bucket(args: &CommonArgs) -> Result<Self, ConfigError> {
        match Self::load(args) {
            Err(ConfigError::NoCluster) => Self::load(&CommonArgs {
                cluster: Some(String::new()),
                ..args.clone()
            }),
            loaded => loaded,
        }
    }

    /// Returns the folders with the records of runs: of the local cluster if it is meant, else of all that ran here.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no home directory.
    pub fn record_folders(args: &CommonArgs) -> Result<Vec<PathBuf>, ConfigError> {
        if let Some(data) = &args.local_data {
            return Ok(vec![records_of(data)]);
        }
        let state = state_dir()?;
        let local = records_of(&state.join(LOCAL));
        Ok(match args.local {
            Some(_) => vec![local],
            None => vec![records_of(&state), local],
        })
    }

    /// Makes the configuration of everything else.
    ///
    /// # Errors
    ///
    /// Returns an error if no cluster or more than one is named, or if the file can't be used.
    pub fn load(args: &CommonArgs) -> Result<Self, ConfigError> {
        let file = file_settings(args.config.as_deref())?;
        let backend = choose_backend(args, &file)?;
        let runs_dir = match &backend {
            Backend::Local { data, .. } => records_of(data),
            Backend::Fixed(_) | Backend::Ecs(_) => records_of(&state_dir()?),
        };
        let bucket = match &backend {
            // It has a bucket of its own.
            Backend::Local { .. } => None,
            Backend::Fixed(_) | Backend::Ecs(_) => {
                given(args.bucket.as_ref(), BUCKET, value::bucket)?.or(file.bucket)
            }
        };
        let endpoint_url = args.endpoint_url.clone().or(file.endpoint_url);
        let task_proxy = match &backend {
            // It is on this machine.
            Backend::Local { .. } => None,
            Backend::Fixed(_) | Backend::Ecs(_) => args.task_proxy.clone().or(file.task_proxy),
        };
        Ok(Self {
            connect: ConnectOptions {
                backend,
                aws: AwsOptions {
                    region: args.region.clone().or(file.region),
                    profile: args.profile.clone().or(file.profile),
                    endpoint_url: endpoint_url.map(|ServiceUrl(url)| url.into()),
                    ..AwsOptions::default()
                },
                bucket,
                task_proxy: task_proxy.map(|ServiceUrl(url)| url),
                read_only: args.read_only || file.read_only,
            },
            attempt_limit: args.timeout.or(file.timeout).map(|Timeout(limit)| limit),
            output: args.output,
            runs_dir,
        })
    }
}

/// Returns where the runs of a cluster are recorded whose data, or whose console's, is in a folder.
fn records_of(folder: &Path) -> PathBuf {
    folder.join("runs")
}

fn choose_backend(args: &CommonArgs, file: &FileSettings) -> Result<Backend, ConfigError> {
    let fixed_by_flag =
        args.splitter.is_some() || !args.mapper.is_empty() || args.reducer.is_some();
    if let Some(mappers) = args.local {
        if fixed_by_flag {
            return Err(ConfigError::LocalAndFixed);
        }
        let data = match &args.local_data {
            Some(dir) => dir.clone(),
            None => state_dir()?.join(LOCAL),
        };
        return Ok(Backend::Local { mappers, data });
    }
    if fixed_by_flag && args.cluster.is_some() {
        return Err(ConfigError::ClusterAndFixed);
    }
    let cluster = if fixed_by_flag {
        None
    } else {
        given(args.cluster.as_ref(), CLUSTER, value::cluster)?.or_else(|| file.cluster.clone())
    };
    if let Some(cluster) = cluster {
        return Ok(Backend::Ecs(EcsSettings {
            cluster,
            address: args.address.map_or(file.address, AddressChoice::from),
            families: [
                (Role::Splitter, file.families.splitter.clone()),
                (Role::Mapper, file.families.mapper.clone()),
                (Role::Reducer, file.families.reducer.clone()),
            ],
        }));
    }
    let splitter = args.splitter.as_ref().or(file.splitter.as_ref());
    let reducer = args.reducer.as_ref().or(file.reducer.as_ref());
    let mappers = if args.mapper.is_empty() {
        &file.mapper
    } else {
        &args.mapper
    };
    if splitter.is_none() && reducer.is_none() && mappers.is_empty() {
        return Err(ConfigError::NoCluster);
    }
    if mappers.is_empty() {
        return Err(ConfigError::MissingRole(Role::Mapper));
    }
    let url_of = |address: &ServiceUrl| address.0.clone();
    let single = |address: Option<&ServiceUrl>, role: Role| {
        let missing = ConfigError::MissingRole(role);
        address.map(url_of).ok_or(missing)
    };
    Ok(Backend::Fixed(FixedAddresses {
        splitter: single(splitter, Role::Splitter)?,
        mappers: mappers.iter().map(url_of).collect(),
        reducer: single(reducer, Role::Reducer)?,
    }))
}

/// Returns the value of a flag, else that of its variable, which is read by the same rules.
fn given(
    flag: Option<&String>,
    name: &'static str,
    parse: fn(&str) -> Result<String, String>,
) -> Result<Option<String>, ConfigError> {
    if flag.is_some() {
        return Ok(flag.cloned());
    }
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let wrong = |fault| ConfigError::Variable { name, fault };
    let text = value
        .to_str()
        .ok_or_else(|| wrong("it is not UTF-8 text".to_owned()))?;
    parse(text).map(Some).map_err(wrong)
}

fn state_dir() -> Result<PathBuf, ConfigError> {
    let dirs = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome)?;
    let dir = dirs.state_dir().unwrap_or_else(|| dirs.data_dir());
    // Below a relative one, each folder would have records of its own.
    if dir.is_relative() {
        return Err(ConfigError::NoHome);
    }
    Ok(dir.join("mrdeck"))
}

/// Reads the named file, which must exist, or the default one, which may be missing.
fn file_settings(named: Option<&Path>) -> Result<FileSettings, ConfigError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => match etcetera::choose_base_strategy() {
            Ok(dirs) => dirs.config_dir().join("mrdeck/config.toml"),
            Err(_) => return Ok(FileSettings::default()),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            parse(text.trim_start_matches('\u{feff}')).map_err(|source| ConfigError::Invalid {
                line: line_of(&text, &source),
                path,
                source: Box::new(source),
            })
        }
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(FileSettings::default())
        }
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

fn parse(text: &str) -> Result<FileSettings, toml::de::Error> {
    toml::from_str(text)
}

/// Returns the number of the line that the error is about, counted from 1.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    1 + text
        .bytes()
        .take(start)
        .filter(|byte| *byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn args(local: Option<u32>, splitter: Option<&str>, mappers: &[&str]) -> CommonArgs {
        let url = |text: &&str| text.parse().unwrap();
        CommonArgs {
            local,
            local_data: Some(PathBuf::from("data")),
            splitter: splitter.as_ref().map(url),
            mapper: mappers.iter().map(url).collect(),
            ..CommonArgs::default()
        }
    }

    #[test]
    fn fixed_addresses_need_every_role() {
        let none = FileSettings::default();
        let error = choose_backend(&args(None, Some("http://a:1"), &[]), &none);
        assert!(matches!(error, Err(ConfigError::MissingRole(Role::Mapper))));
        let error = choose_backend(&args(None, Some("http://a:1"), &["http://b:1"]), &none);
        assert!(matches!(
            error,
            Err(ConfigError::MissingRole(Role::Reducer))
        ));
        let error = choose_backend(&args(None, None, &[]), &none);
        assert!(matches!(error, Err(ConfigError::NoCluster)));
        let error = choose_backend(&args(Some(3), Some("http://a:1"), &[]), &none);
        assert!(matches!(error, Err(ConfigError::LocalAndFixed)));
    }

    #[test]
    fn flags_win_over_the_file() {
        let file: FileSettings =
            toml::from_str("splitter='http://f:1'\nmapper=['http://f:2']\nreducer='http://f:3'")
                .unwrap();
        let Ok(Backend::Fixed(fixed)) =
            choose_backend(&args(None, Some("http://flag:9"), &[]), &file)
        else {
            panic!("expected fixed addresses");
        };
        assert_eq!(fixed.splitter.host_str(), Some("flag"));
        assert_eq!(fixed.mappers[0].port(), Some(2));
    }

    #[test]
    fn the_manuals_settings_are_understood() {
        let manual = include_str!("../../README.md");
        let (_, rest) = manual.split_once("```toml").unwrap();
        let (settings, _) = rest.split_once("```").unwrap();
        let file: FileSettings = toml::from_str(settings).unwrap();
        let none = CommonArgs::default();
        let Ok(Backend::Ecs(ecs)) = choose_backend(&none, &file) else {
            panic!("expected an ECS cluster");
        };
        assert_eq!(ecs.cluster, "mapreduce");
        assert_eq!(ecs.role_of_family("mr-map-task"), Some(Role::Mapper));
        assert_eq!(ecs.role_of_family("hello"), None);
        // The error of a setting that does not exist lists those that do.
        let error = parse("clutser = 'x'").unwrap_err().to_string();
        let (_, settings) = error.split_once("expected one of").unwrap();
        for setting in settings.split('`').skip(1).step_by(2) {
            assert!(manual.contains(&format!("`{setting}`")), "{setting}");
        }
    }
}
