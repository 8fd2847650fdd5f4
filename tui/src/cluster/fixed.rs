//! Tasks at addresses given by hand: any deployed set of services that speaks the interface.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use mrdeck_services::store::Store;
use mrdeck_services::store::aws;
use mrdeck_services::store::s3::S3Store;
use tokio::sync::watch;
use url::{Host, Url};

use super::{Cluster, Connection, Role, Task, TaskId, TaskList, TaskStatus, probe};
use crate::config::{Config, FixedAddresses};
use crate::engine::client;
use crate::trouble::Trouble;

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
    config: &Config,
) -> Result<Connection, Trouble> {
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
    let sdk_config = aws::sdk_config(&config.aws).await;
    let store: Arc<dyn Store> = Arc::new(S3Store::new(aws::s3_client(
        &sdk_config,
        aws::Retries::Standard,
    )));
    let (tasks, prober) = probe::follow(cluster.tasks(), client::http_client()?);
    Ok(Connection {
        cluster: Arc::new(cluster),
        tasks,
        prober,
        store,
        bucket: config.bucket.clone(),
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
        id: TaskId(id.to_owned()),
        role,
        family: None,
        revision: None,
        last_status: TaskStatus::Running,
        desired_status: None,
        health: None,
        private_ip: ip.filter(|_| is_private),
        public_ip: ip.filter(|_| !is_private),
        port: base.port_or_known_default(),
        az: None,
        size: None,
        started_at: None,
        base: Some(base.clone()),
        candidates: vec![base.clone()],
        details: vec![("url".to_owned(), base.to_string())],
        probe: super::Probe::Unknown,
    }
}
