//! What [`connect`](crate::connect) needs to know: which cluster it is, and how AWS and its tasks are reached.

use std::path::PathBuf;

use mrdeck_core::role::Role;
use mrdeck_store::aws::AwsOptions;
use serde::Deserialize;
use url::Url;

/// Enough to see a thousand bars; more local processes only measure the machine.
pub const MAX_LOCAL_MAPPERS: u32 = 100;

/// Which cluster to reach, and with what.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    pub backend: Backend,
    pub aws: AwsOptions,
    /// Where local files are uploaded to; the local cluster brings its own.
    pub bucket: Option<String>,
    /// The proxy through which tasks are called; without one they are called directly.
    pub task_proxy: Option<Url>,
    /// Refuses to start or stop tasks.
    pub read_only: bool,
}

/// The ways to a cluster.
#[derive(Debug, Clone)]
pub enum Backend {
    Local { mappers: u32, data: PathBuf },
    Fixed(FixedAddresses),
    Ecs(EcsSettings),
}

/// Which ECS cluster, and how its tasks' roles and addresses are found.
#[derive(Debug, Clone)]
pub struct EcsSettings {
    /// Name or ARN.
    pub cluster: String,
    pub address: AddressChoice,
    /// A family whose name contains the text has the role, unless the task's tag `mrdeck:role` says otherwise.
    pub families: [(Role, String); 3],
}

impl EcsSettings {
    /// Returns the role of a task definition's family, if its name contains one of the texts.
    pub fn role_of_family(&self, family: &str) -> Option<Role> {
        let mut matches = self.families.iter();
        let found = matches.find(|(_, text)| family.contains(text.as_str()));
        found.map(|(role, _)| *role)
    }
}

/// Which of a task's addresses requests go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressChoice {
    /// The one that answers `/health`; the public one if both do
    #[default]
    Auto,
    /// The public IP only
    Public,
    /// The private IP only
    Private,
}

#[derive(Debug, Clone)]
pub struct FixedAddresses {
    pub splitter: Url,
    pub mappers: Vec<Url>,
    pub reducer: Url,
}
