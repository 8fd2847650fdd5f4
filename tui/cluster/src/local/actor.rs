//! The actor behind the supervisor: it owns what is known of the local tasks, and changes it message by message.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::child::{Launcher, LogBuffer};
use super::lifecycle::{self, Ended, Listening, Stops};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};

/// How long the actor waits with what it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pauses {
    /// Between the end of a task and the start of the next in its place.
    pub(super) replace_after: Duration,
    /// A stopped task stays listed this long, as in ECS (where it is an hour).
    pub(super) keep_stopped: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            replace_after: Duration::from_secs(3),
            keep_stopped: Duration::from_mins(1),
        }
    }
}

/// A service that ends before it listens this many times in a row is not started again.
const MAX_FALSE_STARTS: u32 = 3;

/// What the actor is asked, and what it hears of its tasks.
pub(super) enum Message {
    Start {
        role: Role,
        count: u32,
    },
    Scale {
        role: Role,
        count: u32,
    },
    Replicas {
        role: Role,
        reply: oneshot::Sender<u32>,
    },
    Kill {
        task: TaskId,
        /// Whether there was something to end.
        reply: oneshot::Sender<bool>,
    },
    Log {
        task: TaskId,
        reply: oneshot::Sender<Option<LogBuffer>>,
    },
    Listening(TaskId, Listening),
    Ended(Replica, Ended),
    /// The pause after a replica's end is over.
    ReplacementDue(Replica),
    /// A stopped task was listed for long enough.
    Forget(TaskId),
}

/// A task of a role, and those that took its place.
#[derive(Debug, Clone)]
pub(super) struct Replica {
    role: Role,
    /// The task that serves now.
    task: TaskId,
    /// How often in a row a task ended before it listened.
    false_starts: u32,
}

/// How many replicas of a role there are, and are to be.
#[derive(Debug, Clone, Copy, Default)]
struct Replicas {
    current: u32,
    desired: u32,
    /// How many tasks there were so far: the last number given.
    numbered: u32,
}

/// What stays known of a task once it was started.
struct Handle {
    kill: mpsc::Sender<()>,
    log: LogBuffer,
}

pub(super) struct Actor {
    launcher: Launcher,
    pauses: Pauses,
    tasks: watch::Sender<TaskList>,
    replicas: HashMap<Role, Replicas>,
    handles: HashMap<TaskId, Handle>,
    /// The roles of which a replica was given up, and why.
    given_up: BTreeMap<Role, Diagnostic>,
    /// To itself.
    messages: mpsc::UnboundedSender<Message>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Actor {
    pub(super) fn new(
        launcher: Launcher,
        pauses: Pauses,
        tasks: watch::Sender<TaskList>,
        messages: mpsc::UnboundedSender<Message>,
        tracker: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            launcher,
            pauses,
            tasks,
            replicas: HashMap::new(),
            handles: HashMap::new(),
            given_up: BTreeMap::new(),
            messages,
            tracker,
            shutdown,
        }
    }

    /// Handles one message after another; ends when it is dropped.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        while let Some(message) = inbox.recv().await {
            self.handle(message);
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Start { role, count } => {
                let current = self.replicas(role).current;
                self.scale(role, current + count);
            }
            Message::Scale { role, count } => self.scale(role, count),
            Message::Replicas { role, reply } => {
                let _ = reply.send(self.replicas(role).current);
            }
            Message::Kill { task, reply } => {
                let _ = reply.send(self.kill(&task));
            }
            Message::Log { task, reply } => {
                let _ = reply.send(self.handles.get(&task).map(|handle| handle.log.clone()));
            }
            Message::Listening(task, listening) => self.listening(&task, listening),
            Message::Ended(replica, ended) => self.ended(replica, &ended),
            Message::ReplacementDue(replica) => self.replace(&replica),
            Message::Forget(task) => {
                self.change(|tasks| tasks.retain(|listed| listed.id != task));
                self.handles.remove(&task);
            }
        }
    }

    fn replicas(&mut self, role: Role) -> &mut Replicas {
        self.replicas.entry(role).or_default()
    }

    fn scale(&mut self, role: Role, count: u32) {
        self.given_up.remove(&role);
        let replicas = self.replicas(role);
        let before = replicas.current;
        replicas.desired = count;
        replicas.current = before.max(count);
        for _ in before..count {
            self.start(role, 0);
        }
        let surplus = newest(&self.tasks.borrow(), role, before.saturating_sub(count));
        for task in surplus {
            // A task that ends by itself just now is not replaced either.
            self.kill(&task);
        }
    }

    /// Returns whether there was something to end. A second request for the same task changes nothing.
    fn kill(&self, task: &TaskId) -> bool {
        let handle = self.handles.get(task);
        let Some(handle) = handle.filter(|handle| !handle.kill.is_closed()) else {
            return false;
        };
        let _ = handle.kill.try_send(());
        true
    }

    /// Lists a new task of the role and brings it up.
    fn start(&mut self, role: Role, false_starts: u32) {
        let replicas = self.replicas(role);
        replicas.numbered += 1;
        let id = TaskId(format!("{role}-{}", replicas.numbered));
        let replica = Replica {
            role,
            task: id.clone(),
            false_starts,
        };
        self.change(|tasks| tasks.push(pending_task(id.clone(), role)));

        let log = self.launcher.log(&id);
        let (kill, killed) = mpsc::channel(1);
        let handle = Handle {
            kill,
            log: log.clone(),
        };
        self.handles.insert(id.clone(), handle);
        let launcher = self.launcher.clone();
        let messages = self.messages.clone();
        let stops = Stops {
            kill: killed,
            shutdown: self.shutdown.clone(),
        };
        self.tracker.spawn(async move {
            // After a shutdown nothing receives it.
            let listening = |at| {
                let _ = messages.send(Message::Listening(id, at));
            };
            let ended = lifecycle::run(&launcher, role, &log, stops, listening).await;
            let _ = messages.send(Message::Ended(replica, ended));
        });
    }

    fn listening(&mut self, id: &TaskId, Listening { address, pid }: Listening) {
        let log = self.handles.get(id).map(|handle| handle.log.file.clone());
        self.change_task(id, |task| {
            task.last_status = TaskStatus::Running;
            task.private_ip = Some(address.ip());
            task.port = Some(address.port());
            task.base = Url::parse(&format!("http://{address}")).ok();
            task.candidates = task.base.iter().cloned().collect();
            task.started_at = Some(Timestamp::now());
            task.details = vec![("pid".to_owned(), pid.to_string())];
            let log = log.map(|file| ("log".to_owned(), file.display().to_string()));
            task.details.extend(log);
        });
    }

    fn ended(&mut self, mut replica: Replica, ended: &Ended) {
        self.change_task(&replica.task, |task| {
            task.last_status = TaskStatus::Stopped;
            task.desired_status = Some(TaskStatus::Stopped);
            task.base = None;
            task.stopped_reason = Some(ended.reason.clone());
        });
        replica.false_starts = if ended.did_listen {
            0
        } else {
            replica.false_starts + 1
        };
        let forget = Message::Forget(replica.task.clone());
        self.send_after(self.pauses.keep_stopped, forget);
        if self.is_surplus(replica.role) {
            self.remove(replica.role);
        } else if replica.false_starts == MAX_FALSE_STARTS {
            self.give_up(&replica, ended);
        } else {
            let due = Message::ReplacementDue(replica);
            self.send_after(self.pauses.replace_after, due);
        }
    }

    /// Starts no more tasks in a replica's place, and says so.
    fn give_up(&mut self, replica: &Replica, ended: &Ended) {
        let Replica { role, task, .. } = replica;
        let desired = self.replicas(*role).desired;
        let log = self.handles.get(task).map(|handle| handle.log.lines());
        let last_words = log.and_then(|mut lines| lines.pop());
        let reason = last_words.unwrap_or_else(|| ended.reason.clone());
        let diagnostic = Diagnostic::new(
            format!(
                "{task} did not start, {MAX_FALSE_STARTS} times in a row: no more are tried; {reason}"
            ),
            format!("when that is mended, :scale {role} {desired} starts it again"),
        );
        self.given_up.insert(*role, diagnostic);
        self.remove(*role);
        self.change(|_| {});
    }

    /// Starts the next task of a replica, unless fewer are wanted since.
    fn replace(&mut self, replica: &Replica) {
        if self.is_surplus(replica.role) {
            self.remove(replica.role);
        } else {
            self.start(replica.role, replica.false_starts);
        }
    }

    fn is_surplus(&mut self, role: Role) -> bool {
        let replicas = self.replicas(role);
        replicas.current > replicas.desired
    }

    fn remove(&mut self, role: Role) {
        let replicas = self.replicas(role);
        replicas.current = replicas.current.saturating_sub(1);
    }

    fn send_after(&self, delay: Duration, message: Message) {
        let messages = self.messages.clone();
        let sending = async move {
            sleep(delay).await;
            let _ = messages.send(message);
        };
        let shutdown = self.shutdown.clone();
        self.tracker
            .spawn(shutdown.run_until_cancelled_owned(sending));
    }

    fn change_task(&self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        self.change(|tasks| {
            if let Some(task) = tasks.iter_mut().find(|task| task.id == *id) {
                change(task);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Task>)) {
        self.tasks.send_modify(|list| {
            let mut tasks = list.tasks.to_vec();
            change(&mut tasks);
            *list = TaskList {
                short: self.given_up.values().next().cloned(),
                ..TaskList::new(tasks)
            };
        });
    }
}

/// Returns the newest tasks of a role that have not ended.
pub(super) fn newest(list: &TaskList, role: Role, count: u32) -> Vec<TaskId> {
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

/// Returns a task that is listed and does not run yet.
fn pending_task(id: TaskId, role: Role) -> Task {
    Task {
        desired_status: Some(TaskStatus::Running),
        ..Task::new(id, role, TaskStatus::Pending)
    }
}
