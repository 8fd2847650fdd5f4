//! Tasks at addresses given by hand: any deployed set of services that speaks the interface.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use mrdeck_store::Store;
use mrdeck_store::aws;
use mrdeck_store::regional::RegionalStore;
use tokio::sync::watch;
use url::{Host, Url};

use super::{Cluster, Connection, probe};
use crate::settings::{ConnectOptions, FixedAddresses};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};

struct FixedCluster {
    tasks: watch::Sender<TaskList>,
}

#[async_trait]
impl Cluster for FixedCluster {
    fn name(&self) -> String {
        "fixed addresses".to_owned()
    }

    fn tasks(&self) -> watch::Receiver<TaskList> {
        self.tasks.subscribe()
    }
}

pub(super) async fn connect(
    addresses: &FixedAddresses,
    options: &ConnectOptions,
) -> Result<Connection, Diagnostic> {
    let mut tasks = vec![
        fixed_task("splitter-1", Role::Splitter, &addresses.splitter),
        fixed_task("reducer-1", Role::Reducer, &addresses.reducer),
    ];
    for (index, mapper) in addresses.mappers.iter().enumerate() {
        let id = format!("mapper-{}", index + 1);
        tasks.push(fixed_task(&id, Role::Mapper, mapper));
    }
    let cluster = FixedCluster {
        tasks: watch::Sender::new(TaskList::new(tasks)),
    };
    let sdk_config = aws::sdk_config(&options.aws).await?;
    let store: Arc<dyn Store> = Arc::new(RegionalStore::new(aws::s3_client(
        &sdk_config,
        aws::Retries::Standard,
    )));
    let (tasks, prober) = probe::follow(
        cluster.tasks(),
        mrdeck_client::http_client(options.task_proxy.as_ref())?,
    );
    Ok(Connection {
        cluster: Arc::new(cluster),
        tasks,
        prober,
        store,
        bucket: options.bucket.clone(),
        default_input: None,
    })
}

fn fixed_task(id: &str, role: Role, base: &Url) -> Task {
    let ip = match base.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        _ => None,
    };
    let is_private = ip.is_some_and(|ip| match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    });
    Task {
        private_ip: ip.filter(|_| is_private),
        public_ip: ip.filter(|_| !is_private),
        port: base.port_or_known_default(),
        base: Some(base.clone()),
        candidates: vec![base.clone()],
        details: vec![("url".to_owned(), base.to_string())],
        ..Task::new(TaskId(id.to_owned()), role, TaskStatus::Running)
    }
}
