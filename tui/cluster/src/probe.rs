//! Asks every task's `/health` now and then, and adds what it found to the task list.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use mrdeck_client::identify;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use url::Url;

use mrdeck_core::role::Role;
use mrdeck_core::task::{FailedProbe, Probe, Task, TaskId, TaskList};

/// Between two rounds.
const INTERVAL: Duration = Duration::from_secs(5);
/// Probes under way at once.
const CONCURRENCY: usize = 16;

/// Starts a round of probes before its time.
#[derive(Clone)]
pub struct Prober {
    wake: Arc<Notify>,
}

impl Prober {
    /// Starts the next round now.
    pub fn probe_now(&self) {
        self.wake.notify_one();
    }
}

/// Follows `tasks`, and returns the same list with probes. Ends when the last receiver is dropped.
pub fn follow(
    mut tasks: watch::Receiver<TaskList>,
    http: reqwest::Client,
) -> (watch::Receiver<TaskList>, Prober) {
    let wake = Arc::new(Notify::new());
    let prober = Prober { wake: wake.clone() };
    let (sender, receiver) = watch::channel(tasks.borrow().clone());
    tokio::spawn(async move {
        let mut known = HashMap::new();
        loop {
            let list = tasks.borrow_and_update().clone();
            sender.send_replace(with_probes(list.clone(), &known));
            tokio::select! {
                found = probe_all(&http, &list) => known = found,
                () = sender.closed() => return,
            }
            sender.send_replace(with_probes(list, &known));
            tokio::select! {
                changed = tasks.changed() => if changed.is_err() { return },
                () = wake.notified() => {}
                () = sleep(INTERVAL) => {}
                () = sender.closed() => return,
            }
        }
    });
    (receiver, prober)
}

/// Adds the known probes; work goes to the address that answered.
fn with_probes(list: TaskList, known: &HashMap<TaskId, Probe>) -> TaskList {
    let tasks = list
        .tasks
        .iter()
        .cloned()
        .map(|mut task| {
            if task.is_usable()
                && let Some(probe) = known.get(&task.id)
            {
                task.probe = probe.clone();
                if let Probe::Reachable { via, .. } = probe {
                    task.base = Some(via.clone());
                }
            }
            task
        })
        .collect();
    TaskList { tasks, ..list }
}

async fn probe_all(http: &reqwest::Client, list: &TaskList) -> HashMap<TaskId, Probe> {
    let mut waiting = list.tasks.iter().filter(|task| task.is_usable());
    let probe_next = |waiting: &mut dyn Iterator<Item = &Task>| {
        let task = waiting.next()?;
        let (id, role, candidates) = (task.id.clone(), task.role, task.candidates.clone());
        Some(async move { (id, probe_any(http, role, &candidates).await) })
    };
    let mut under_way = FuturesUnordered::new();
    while under_way.len() < CONCURRENCY
        && let Some(next) = probe_next(&mut waiting)
    {
        under_way.push(next);
    }
    let mut found = HashMap::new();
    while let Some((id, probe)) = under_way.next().await {
        found.insert(id, probe);
        if let Some(next) = probe_next(&mut waiting) {
            under_way.push(next);
        }
    }
    found
}

/// Asks the addresses in the order of preference until one answers. The next is asked only if the one before does not:
/// a private address may belong to another machine in the console's own network.
async fn probe_any(http: &reqwest::Client, role: Option<Role>, candidates: &[Url]) -> Probe {
    let mut missed = Vec::new();
    for base in candidates {
        let started = Instant::now();
        match identify(http, role, base).await {
            Ok(service) => {
                return Probe::Reachable {
                    latency: started.elapsed(),
                    via: base.clone(),
                    service,
                    missed,
                };
            }
            Err(reason) => missed.push(FailedProbe {
                at: Some(base.clone()),
                reason,
            }),
        }
    }
    Probe::Unreachable(missed)
}
