//! Keeps the local services running, as an ECS service would: a task that ends is replaced by a new one.
//!
//! One actor owns what is known of the tasks. The supervisor sends it commands, the tasks' lives send it events, and
//! it publishes the list of tasks after each change.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::actor::{Actor, Message, Pauses, newest};
use super::child::{Launcher, LogBuffer};
use super::error::LocalError;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};

/// The local services. Dropping it ends them.
pub(super) struct Supervisor {
    messages: mpsc::UnboundedSender<Message>,
    tasks: watch::Receiver<TaskList>,
    logs_dir: PathBuf,
    tracker: TaskTracker,
    shutdown: DropGuard,
}

impl Supervisor {
    pub(super) fn new(launcher: Launcher) -> Self {
        Self::with(launcher, Pauses::default())
    }

    fn with(launcher: Launcher, pauses: Pauses) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        let (sender, tasks) = watch::channel(TaskList::new(Vec::new()));
        let tracker = TaskTracker::new();
        let shutdown = CancellationToken::new();
        let logs_dir = launcher.logs_dir.clone();
        let actor = Actor::new(
            launcher,
            pauses,
            sender,
            messages.clone(),
            tracker.clone(),
            shutdown.clone(),
        );
        let running = shutdown.clone().run_until_cancelled_owned(actor.run(inbox));
        tracker.spawn(running);
        Self {
            messages,
            tasks,
            logs_dir,
            tracker,
            shutdown: shutdown.drop_guard(),
        }
    }

    pub(super) fn tasks(&self) -> watch::Receiver<TaskList> {
        self.tasks.clone()
    }

    /// Keeps `count` more tasks of a role running.
    pub(super) fn start(&self, role: Role, count: u32) {
        self.send(Message::Start { role, count });
    }

    /// Keeps that many tasks of a role running from now on; where there are more, the newest end.
    pub(super) fn scale(&self, role: Role, count: u32) {
        self.send(Message::Scale { role, count });
    }

    /// Returns how many tasks of a role are kept running.
    pub(super) async fn replicas(&self, role: Role) -> u32 {
        let ask = |reply| Message::Replicas { role, reply };
        self.ask(ask).await.unwrap_or_default()
    }

    /// Returns the newest tasks of a role that have not ended.
    pub(super) fn newest(&self, role: Role, count: u32) -> Vec<TaskId> {
        newest(&self.tasks.borrow(), role, count)
    }

    /// Returns when every task listens.
    ///
    /// # Errors
    ///
    /// Returns which task does not listen in time, with its last words.
    pub(super) async fn wait_until_up(&self, deadline: Duration) -> Result<(), LocalError> {
        // Behind every task that was to be started by now.
        self.replicas(Role::Mapper).await;
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
            _ => self.tasks.borrow().clone(),
        };
        let Some(late) = list.tasks.iter().find(|task| !task.is_usable()) else {
            return Ok(());
        };
        let last_words = self.logs(&late.id).await.unwrap_or_default().pop();
        Err(LocalError::NotStarted {
            task: late.id.clone(),
            last_words,
            logs: self.logs_dir.clone(),
        })
    }

    /// Ends a task; another takes its place.
    ///
    /// # Errors
    ///
    /// Returns that the task has ended already.
    pub(super) async fn kill(&self, task: &TaskId) -> Result<(), LocalError> {
        let id = task.clone();
        let is_killed = self.ask(|reply| Message::Kill { task: id, reply }).await;
        if is_killed == Some(true) {
            Ok(())
        } else {
            Err(LocalError::Ended(task.clone()))
        }
    }

    /// Returns the last lines a task logged, oldest first.
    ///
    /// # Errors
    ///
    /// Returns that there is no such task any more.
    pub(super) async fn logs(&self, task: &TaskId) -> Result<Vec<String>, LocalError> {
        let id = task.clone();
        let log = self.ask(|reply| Message::Log { task: id, reply }).await;
        log.flatten()
            .map(|log: LogBuffer| log.lines())
            .ok_or_else(|| LocalError::NoLog(task.clone()))
    }

    /// Ends every task and waits for that.
    pub(super) async fn shutdown(&self) {
        self.shutdown.token().cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn send(&self, message: Message) {
        // After a shutdown there is nothing left to change.
        let _ = self.messages.send(message);
    }

    /// Sends a message and waits for its reply; `None` after a shutdown.
    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(message(reply));
        answer.await.ok()
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::Arc;

    use tempfile::TempDir;

    use super::*;

    /// Says that it listens, and runs until its input closes.
    const SERVICE: &str = "#!/bin/sh\necho listening on 127.0.0.1:1\nexec cat\n";
    const BROKEN: &str = "#!/bin/sh\necho no memory >&2\nexit 1\n";
    const DEADLINE: Duration = Duration::from_secs(20);

    /// A launcher of `script`, and where that is.
    fn launcher(folder: &TempDir, script: &str) -> (Launcher, PathBuf) {
        let program = folder.path().join("service");
        install(&program, script);
        let launcher = Launcher {
            program: program.clone(),
            environment: Vec::new(),
            logs_dir: folder.path().to_owned(),
        };
        (launcher, program)
    }

    /// Puts the script in its place at once: a running one is left as it is.
    fn install(program: &Path, script: &str) {
        let new = program.with_extension("new");
        std::fs::write(&new, script).unwrap();
        std::fs::set_permissions(&new, PermissionsExt::from_mode(0o700)).unwrap();
        std::fs::rename(new, program).unwrap();
    }

    #[tokio::test]
    async fn what_does_not_start_is_given_up_and_said_and_scaling_brings_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let (launcher, program) = launcher(&folder, SERVICE);
        let pauses = Pauses {
            replace_after: Duration::from_millis(1),
            keep_stopped: Duration::from_millis(50),
        };
        let supervisor = Supervisor::with(launcher, pauses);
        supervisor.start(Role::Mapper, 2);
        supervisor.wait_until_up(DEADLINE).await.unwrap();
        install(&program, BROKEN);
        let first = supervisor.tasks().borrow().tasks[0].id.clone();
        supervisor.kill(&first).await.unwrap();

        let mut tasks = supervisor.tasks();
        let given_up = tasks.wait_for(|list| list.short.is_some());
        let list = timeout(DEADLINE, given_up).await.unwrap().unwrap().clone();
        let short = list.short.unwrap();
        assert_eq!(
            short.cause,
            "mapper-5 did not start, 3 times in a row: no more are tried; no memory"
        );
        assert!(short.advice.contains(":scale mapper 2"), "{short}");
        let gone = tasks.wait_for(|list| list.tasks.len() == 1);
        let list = timeout(DEADLINE, gone).await.unwrap().unwrap().clone();
        assert!(list.tasks[0].is_usable() && list.short.is_some());

        install(&program, SERVICE);
        supervisor.scale(Role::Mapper, 2);
        let back = tasks.wait_for(|list| list.usable(Role::Mapper).count() == 2);
        let list = timeout(DEADLINE, back).await.unwrap().unwrap().clone();
        assert_eq!(list.short, None);
        supervisor.shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 8)]
    async fn no_start_is_lost_and_all_end() {
        let folder = tempfile::tempdir().unwrap();
        let (launcher, _) = launcher(&folder, SERVICE);
        let supervisor = Arc::new(Supervisor::new(launcher));
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let supervisor = supervisor.clone();
                tokio::spawn(async move {
                    for _ in 0..5 {
                        supervisor.start(Role::Mapper, 1);
                    }
                })
            })
            .collect();
        for start in starts {
            start.await.unwrap();
        }
        assert_eq!(supervisor.replicas(Role::Mapper).await, 40);
        supervisor.wait_until_up(DEADLINE).await.unwrap();
        let running = |list: &TaskList| list.usable(Role::Mapper).count();
        assert_eq!(running(&supervisor.tasks().borrow()), 40);

        supervisor.scale(Role::Mapper, 3);
        let mut tasks = supervisor.tasks();
        let fewer = tasks.wait_for(|list| running(list) == 3);
        timeout(DEADLINE, fewer).await.unwrap().unwrap();
        assert_eq!(supervisor.newest(Role::Mapper, 3).len(), 3);
        supervisor.shutdown().await;
        assert_eq!(supervisor.replicas(Role::Mapper).await, 0, "it is over");
    }
}
