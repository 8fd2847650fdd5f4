//! Keeps the local services running, as an ECS service would: a task that ends is replaced by a new one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::child::{Child, LogBuffer};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Probe, Task, TaskId, TaskList, TaskStatus};

/// Before a task that ended is replaced.
const REPLACE_AFTER: Duration = Duration::from_secs(3);
/// A stopped task stays listed this long, as in ECS (where it is an hour).
const KEEP_STOPPED: Duration = Duration::from_mins(1);
/// A service that ended before it listened so many times in a row is not started again.
const MAX_FALSE_STARTS: u32 = 3;

/// The local services and what is known of them.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    tracker: TaskTracker,
}

struct Shared {
    tasks: watch::Sender<TaskList>,
    environment: Vec<(&'static str, String)>,
    logs_dir: PathBuf,
    running: Mutex<HashMap<TaskId, Running>>,
    numbers: [AtomicU32; 3],
    kept: Mutex<HashMap<Role, Kept>>,
    shutdown: CancellationToken,
}

/// How many tasks of a role there are, each replaced when it ends, and how many there are to be.
#[derive(Clone, Copy)]
struct Kept {
    now: u32,
    wanted: u32,
}

/// What stays known of a task once it was started.
struct Running {
    kill: mpsc::Sender<()>,
    log: LogBuffer,
}

impl Supervisor {
    pub(super) fn new(environment: Vec<(&'static str, String)>, logs_dir: PathBuf) -> Self {
        Self {
            shared: Arc::new(Shared {
                tasks: watch::Sender::new(TaskList::new(Vec::new())),
                environment,
                logs_dir,
                running: Mutex::default(),
                numbers: Default::default(),
                kept: Mutex::default(),
                shutdown: CancellationToken::new(),
            }),
            tracker: TaskTracker::new(),
        }
    }

    pub(super) fn tasks(&self) -> watch::Receiver<TaskList> {
        self.shared.tasks.subscribe()
    }

    /// Starts `count` tasks of a role and keeps that many running.
    pub(super) fn start(&self, role: Role, count: u32) {
        self.scale(role, self.kept(role) + count);
    }

    /// How many tasks of a role are kept running.
    pub(super) fn kept(&self, role: Role) -> u32 {
        self.shared.kept().get(&role).map_or(0, |kept| kept.now)
    }

    /// From now on keeps that many running; where there are more, the newest end.
    pub(super) fn scale(&self, role: Role, count: u32) {
        let kept = self.kept(role);
        let wanted = Kept {
            now: kept.max(count),
            wanted: count,
        };
        self.shared.kept().insert(role, wanted);
        for _ in kept..count {
            let first = self.shared.add_task(role);
            self.tracker
                .spawn(self.shared.clone().keep_one(role, first));
        }
        for task in self.newest(role, kept.saturating_sub(count)) {
            // One that ends by itself just now is not replaced either.
            let _ = self.kill(&task);
        }
    }

    /// The newest tasks of a role that have not ended.
    pub(super) fn newest(&self, role: Role, count: u32) -> Vec<TaskId> {
        let list = self.shared.tasks.borrow();
        let of_role = list
            .tasks
            .iter()
            .rev()
            .filter(|task| task.role == Some(role) && task.last_status != TaskStatus::Stopped);
        of_role
            .take(count as usize)
            .map(|task| task.id.clone())
            .collect()
    }

    /// Returns when every task listens, or says which one does not.
    pub(super) async fn wait_until_up(&self, deadline: Duration) -> Result<(), Diagnostic> {
        let mut tasks = self.tasks();
        let all_up = tasks.wait_for(|list| {
            list.tasks.iter().all(Task::is_usable)
                || list
                    .tasks
                    .iter()
                    .any(|task| task.last_status == TaskStatus::Stopped)
        });
        let list = match timeout(deadline, all_up).await {
            Ok(Ok(list)) => list.clone(),
            _ => self.shared.tasks.borrow().clone(),
        };
        let Some(late) = list.tasks.iter().find(|task| !task.is_usable()) else {
            return Ok(());
        };
        let last_words = self.logs(&late.id).unwrap_or_default().pop();
        Err(Diagnostic::new(
            format!(
                "the local {} did not start: {}",
                late.id,
                last_words.as_deref().unwrap_or("it said nothing")
            ),
            format!("its log is in {}", self.shared.logs_dir.display()),
        ))
    }

    pub(super) fn kill(&self, task: &TaskId) -> Result<(), Diagnostic> {
        let running = self.shared.lock();
        match running.get(task) {
            // A second request for the same task changes nothing.
            Some(entry) if !entry.kill.is_closed() => {
                let _ = entry.kill.try_send(());
                Ok(())
            }
            _ => Err(Diagnostic::new(
                format!("{task} is not running any more"),
                "choose another task",
            )),
        }
    }

    pub(super) fn logs(&self, task: &TaskId) -> Result<Vec<String>, Diagnostic> {
        let running = self.shared.lock();
        running
            .get(task)
            .map(|entry| entry.log.lines())
            .ok_or_else(|| Diagnostic::new(format!("{task} has no log"), "choose another task"))
    }

    pub(super) async fn shutdown(&self) {
        self.shared.shutdown.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.shutdown.cancel();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TaskId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Role, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a new task of the role, not yet running.
    fn add_task(&self, role: Role) -> TaskId {
        let number = match role {
            Role::Splitter => &self.numbers[0],
            Role::Mapper => &self.numbers[1],
            Role::Reducer => &self.numbers[2],
        };
        let number = number.fetch_add(1, Ordering::Relaxed) + 1;
        let id = TaskId(format!("{role}-{number}"));
        let task = Task {
            id: id.clone(),
            role: Some(role),
            family: None,
            revision: None,
            last_status: TaskStatus::Pending,
            desired_status: Some(TaskStatus::Running),
            health: None,
            private_ip: None,
            public_ip: None,
            port: None,
            az: None,
            size: None,
            started_at: None,
            base: None,
            candidates: Vec::new(),
            details: Vec::new(),
            probe: Probe::Unknown,
        };
        self.change(|tasks| tasks.push(task));
        id
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Task>)) {
        self.tasks.send_modify(|list| {
            let mut tasks = list.tasks.to_vec();
            change(&mut tasks);
            *list = TaskList::new(tasks);
        });
    }

    fn change_task(&self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        self.change(|tasks| {
            if let Some(task) = tasks.iter_mut().find(|task| task.id == *id) {
                change(task);
            }
        });
    }

    /// Runs one task after another, so that one of the role is always there.
    async fn keep_one(self: Arc<Self>, role: Role, first: TaskId) {
        let mut id = first;
        let mut false_starts = 0;
        loop {
            let did_listen = self.run_one(role, &id).await;
            false_starts = if did_listen { 0 } else { false_starts + 1 };
            if self.shutdown.is_cancelled() {
                return;
            }
            let is_given_up = false_starts == MAX_FALSE_STARTS;
            if !is_given_up {
                self.clone().forget_later(id.clone());
            }
            if self.is_surplus(role, is_given_up) {
                return;
            }
            tokio::select! {
                () = sleep(REPLACE_AFTER) => {}
                () = self.shutdown.cancelled() => return,
            }
            // There may be fewer wanted since.
            if self.is_surplus(role, false) {
                return;
            }
            id = self.add_task(role);
        }
    }

    /// Is one more task of the role kept than are wanted, or has this one to be given up? Then it is kept no more.
    fn is_surplus(&self, role: Role, is_given_up: bool) -> bool {
        let mut all = self.kept();
        let Some(kept) = all.get_mut(&role) else {
            return true;
        };
        let is_surplus = is_given_up || kept.now > kept.wanted;
        if is_surplus {
            kept.now = kept.now.saturating_sub(1);
        }
        is_surplus
    }

    fn forget_later(self: Arc<Self>, ended: TaskId) {
        tokio::spawn(async move {
            sleep(KEEP_STOPPED).await;
            self.change(|tasks| tasks.retain(|task| task.id != ended));
            self.lock().remove(&ended);
        });
    }

    /// Runs a task from its start to its end; says whether it ever listened.
    async fn run_one(&self, role: Role, id: &TaskId) -> bool {
        let log = LogBuffer::new(self.logs_dir.join(format!("{id}.log")));
        let (kill, mut killed) = mpsc::channel(1);
        let entry = Running {
            kill,
            log: log.clone(),
        };
        self.lock().insert(id.clone(), entry);
        let mut child = match Child::spawn(role, &self.environment, &log) {
            Ok(child) => child,
            Err(error) => {
                self.stopped(id, &format!("it can't be started: {error}"));
                return false;
            }
        };
        let false_start = tokio::select! {
            address = child.address() => match address {
                Some(address) => {
                    self.listening(id, address, child.pid, &log);
                    None
                }
                None => Some("it ended before it listened".to_owned()),
            },
            _ = killed.recv() => Some("stopped from the console".to_owned()),
            () = self.shutdown.cancelled() => Some("the console ended".to_owned()),
        };
        let did_listen = false_start.is_none();
        let reason = if let Some(reason) = false_start {
            reason
        } else {
            tokio::select! {
                status = child.wait() => match status {
                    Ok(status) => status.to_string(),
                    Err(error) => error.to_string(),
                },
                _ = killed.recv() => "stopped from the console".to_owned(),
                () = self.shutdown.cancelled() => "the console ended".to_owned(),
            }
        };
        child.kill().await;
        self.stopped(id, &reason);
        did_listen
    }

    fn listening(&self, id: &TaskId, address: SocketAddr, pid: u32, log: &LogBuffer) {
        self.change_task(id, |task| {
            task.last_status = TaskStatus::Running;
            task.private_ip = Some(address.ip());
            task.port = Some(address.port());
            task.base = Url::parse(&format!("http://{address}")).ok();
            task.candidates = task.base.iter().cloned().collect();
            task.started_at = Some(Timestamp::now());
            task.details = vec![
                ("pid".to_owned(), pid.to_string()),
                ("log".to_owned(), log.file.display().to_string()),
            ];
        });
    }

    fn stopped(&self, id: &TaskId, reason: &str) {
        self.change_task(id, |task| {
            task.last_status = TaskStatus::Stopped;
            task.desired_status = Some(TaskStatus::Stopped);
            task.base = None;
            task.details
                .push(("stopped because".to_owned(), reason.to_owned()));
        });
    }
}
