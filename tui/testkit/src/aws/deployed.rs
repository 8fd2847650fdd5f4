//! The services on an ECS cluster, as far as moto imitates one.

use std::sync::Arc;

use serde_json::json;

use crate::aws::moto::{Moto, MotoTask, PORT};
use crate::proxy::Proxy;
use crate::proxy::script::Script;
use crate::services::Service;
use crate::words::LIBER_PRIMUS;

/// moto's private addresses belong to nobody here, so they are never asked.
pub const PUBLIC: [&str; 4] = ["--cluster", "mr", "--address", "public"];

/// A cluster with `hello` and 1 + 3 + 1 tasks; services listen at all but the first.
pub struct Deployed {
    pub moto: Moto,
    pub tasks: Vec<(&'static str, MotoTask, String)>,
    /// In the order of the tasks, without `hello`.
    pub services: Vec<Service>,
}

pub fn deploy() -> Deployed {
    let moto = Moto::start();
    moto.put_object("lab", "input.txt", LIBER_PRIMUS.as_bytes());
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let mut tasks = Vec::new();
    let mut services = Vec::new();
    for (role, family, count) in [
        ("other", "hello", 1),
        ("splitter", "mr-splitter", 1),
        ("mapper", "mr-mapper", 3),
        ("reducer", "mr-reducer", 1),
    ] {
        for task in moto.run_tasks("mr", family, count) {
            let ip = moto.give_public_ip(&task);
            if role != "other" {
                services.push(moto.serve(role, ip));
            }
            tasks.push((role, task, ip.to_string()));
        }
    }
    Deployed {
        moto,
        tasks,
        services,
    }
}

/// A mapper at a public address of its own, with a proxy before it that the script knows by a name.
pub struct ProxiedTask {
    pub task: MotoTask,
    pub service: Service,
    _proxy: Proxy,
}

impl ProxiedTask {
    pub fn mapper(moto: &Moto, name: &str, script: &Arc<Script>) -> Self {
        let task = moto.run_tasks("mr", "mr-mapper", 1).remove(0);
        let ip = moto.give_public_ip(&task);
        let service = Service::start("mapper", &moto.environment()).wait();
        let at = format!("{ip}:{PORT}");
        let proxy = Proxy::start_at(&at, name, service.address, script.clone());
        Self {
            task,
            service,
            _proxy: proxy,
        }
    }
}
