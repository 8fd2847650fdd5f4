//! Effects: everything the dashboard does outside itself, each in a task of its own.
//!
//! An effect is one function from the connection to the message that answers it. Without a connection it still
//! answers: what was asked for failed, and why.

mod clean;
mod clipboard;
mod cluster;
mod connect;
mod export;
mod list;
mod log_text;
mod outbox;
mod paths;
mod run;
pub mod target;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

pub use self::clipboard::ToTerminal;
use self::outbox::{Content, Envelope, Outbox};
use self::run::Wanted;
use super::model::{Effect, LinkInfo, Msg, Switch};
use crate::config::Config;
use crate::resume_command;
use mrdeck_cluster::Connection;
use mrdeck_cluster::aws::lookup;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskList;
use mrdeck_engine::Job;
use mrdeck_engine::journal::Journal;
use mrdeck_store::aws::ProcessListener;

/// How long quitting waits for the cluster to end.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(2);

/// What an effect works with: the cluster that is up, or why there is none.
type Link = Result<Connection, Diagnostic>;

/// One stay at a cluster, counted by the switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SessionEpoch(u32);

/// Performs effects, and has the messages that come of them.
pub struct EffectRuntime {
    config: Arc<Config>,
    epoch: SessionEpoch,
    outbox: Outbox,
    inbox: mpsc::UnboundedReceiver<Envelope>,
    connection: Option<Connection>,
    /// The latest tasks; only those, however long nothing is read here. Keeps the tasks being asked for.
    tasks: Option<watch::Receiver<TaskList>>,
    /// The attempt to reach a cluster; another one ends it.
    connecting: Option<AbortOnDropHandle<()>>,
    to_terminal: ToTerminal,
    /// The last copy; another one replaces it, and what it would have said.
    copying: Option<AbortOnDropHandle<()>>,
    cancel: CancellationToken,
    /// Runs under way: quitting lets their records be finished.
    runs: TaskTracker,
}

impl EffectRuntime {
    pub fn new(config: Config, to_terminal: ToTerminal) -> Self {
        let (sender, inbox) = mpsc::unbounded_channel();
        let epoch = SessionEpoch(0);
        let outbox = Outbox::new(sender, epoch);
        Self {
            config: Arc::new(telling(config, &outbox)),
            epoch,
            outbox,
            inbox,
            connection: None,
            tasks: None,
            connecting: None,
            to_terminal,
            copying: None,
            cancel: CancellationToken::new(),
            runs: TaskTracker::new(),
        }
    }

    // ---- what is to be done ----

    /// Begins an effect and returns at once. Quitting and suspending are the loop's own.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => self.connect(),
            Effect::Refresh => self.refresh(),
            Effect::Switch(switch) => self.switch(switch),
            Effect::Start { input, options } => self.run(Wanted::New(input, options)),
            Effect::Resume(record) => {
                let before = Vec::new();
                self.run(Wanted::Job(Job::Resume { record, before }));
            }
            Effect::Verify(record) => self.run(Wanted::Job(Job::Verify(record))),
            Effect::Cancel => self.cancel.cancel(),
            Effect::StopTask(task) => self.spawn(|link| cluster::stop_task(link, task)),
            Effect::FetchLogs(task) => self.spawn(|link| cluster::fetch_logs(link, task)),
            Effect::PlanScale(request) => self.spawn(|link| cluster::plan_scale(link, request)),
            Effect::Scale(plan) => {
                let outbox = self.outbox.clone();
                self.spawn(|link| cluster::scale(link, plan, outbox));
            }
            Effect::FindOld => {
                let config = self.config.clone();
                self.spawn(|link| clean::find(link, config));
            }
            Effect::RemoveOld(found) => {
                let config = self.config.clone();
                self.spawn(|link| clean::remove(link, found, config));
            }
            Effect::List(request) => self.spawn(|link| list::list(link, request)),
            Effect::CountObjects(pattern) => self.spawn(|link| list::count(link, pattern)),
            Effect::LookUp(places) => {
                let aws = self.config.connect.aws.clone();
                self.spawn(|_| async move {
                    let names = lookup::names(places, &aws).await;
                    Msg::Named(places, names)
                });
            }
            Effect::Complete(typed) => {
                self.spawn_blocking(|| Some(Msg::Completed(paths::complete(typed))));
            }
            Effect::ExportChart(record) => {
                self.spawn_blocking(move || Some(Msg::ChartWritten(export::export_chart(&record))));
            }
            Effect::Copy(text) => self.copy(text),
            Effect::Suspend | Effect::Quit => {}
        }
    }

    fn link(&self) -> Link {
        self.connection.clone().ok_or_else(|| {
            Diagnostic::new(
                "there is no connection to the cluster",
                "ctrl-r on the panels connects again",
            )
        })
    }

    /// Does `work` in a task of its own, which answers with a message.
    fn spawn<F>(&self, work: impl FnOnce(Link) -> F)
    where
        F: Future<Output = Msg> + Send + 'static,
    {
        let (answer, outbox) = (work(self.link()), self.outbox.clone());
        tokio::spawn(async move { outbox.send(answer.await) });
    }

    /// Does `work` that blocks: on files, or on drawing a chart.
    fn spawn_blocking(&self, work: impl FnOnce() -> Option<Msg> + Send + 'static) {
        let outbox = self.outbox.clone();
        tokio::task::spawn_blocking(move || {
            if let Some(msg) = work() {
                outbox.send(msg);
            }
        });
    }

    fn connect(&mut self) {
        let connecting = connect::connect(self.config.connect.clone(), self.outbox.clone());
        self.connecting = Some(AbortOnDropHandle::new(tokio::spawn(connecting)));
    }

    fn copy(&mut self, text: String) {
        let copying = clipboard::copy(text, self.to_terminal.clone());
        let outbox = self.outbox.clone();
        let answering = async move { outbox.send(copying.await) };
        self.copying = Some(AbortOnDropHandle::new(tokio::spawn(answering)));
    }

    fn refresh(&mut self) {
        match &self.connection {
            Some(connection) => {
                connection.cluster.refresh();
                connection.prober.probe_now();
            }
            None => self.connect(),
        }
    }

    /// Leaves the cluster for another: nothing more is asked of the one before, and what it still says is dropped.
    fn switch(&mut self, switch: Switch) {
        let mut config = Config::clone(&self.config);
        target::apply(&mut config, switch);
        self.epoch.0 += 1;
        self.outbox = self.outbox.of(self.epoch);
        self.config = Arc::new(telling(config, &self.outbox));
        self.connection = None;
        self.tasks = None;
        self.connect();
    }

    fn run(&mut self, wanted: Wanted) {
        self.cancel = CancellationToken::new();
        let (config, cancel) = (self.config.clone(), self.cancel.clone());
        let outbox = self.outbox.clone();
        let run = run::run(self.link(), wanted, config, cancel, outbox.clone());
        self.runs.spawn(async move { outbox.send(run.await) });
    }

    // ---- what comes of it ----

    /// Waits for the next message. Nothing is lost if this is dropped before it is there.
    pub async fn next(&mut self) -> Msg {
        loop {
            tokio::select! {
                biased;
                Some(envelope) = self.inbox.recv() => {
                    if let Some(msg) = self.open(envelope) {
                        return msg;
                    }
                }
                list = next_list(&mut self.tasks) => return Msg::Tasks(list),
            }
        }
    }

    /// Returns a message that is there already.
    pub fn try_next(&mut self) -> Option<Msg> {
        while let Ok(envelope) = self.inbox.try_recv() {
            if let Some(msg) = self.open(envelope) {
                return Some(msg);
            }
        }
        None
    }

    /// Returns what the model is told; `None` for news of a cluster that was left.
    fn open(&mut self, envelope: Envelope) -> Option<Msg> {
        let is_current = envelope.epoch == self.epoch;
        match envelope.content {
            Content::Connected(connection) => is_current.then(|| self.connected(connection)),
            Content::Msg(msg) => (is_current || !is_of_session(&msg)).then_some(msg),
        }
    }

    /// The cluster is up: follows its tasks.
    fn connected(&mut self, connection: Connection) -> Msg {
        let mut tasks = connection.tasks.clone();
        tasks.mark_changed();
        self.tasks = Some(tasks);
        let info = LinkInfo {
            cluster: connection.cluster.name(),
            bucket: connection.bucket.clone(),
            default_input: connection.default_input.clone(),
            can_stop: connection.cluster.can_stop(),
            region: connection.cluster.region(),
        };
        self.connection = Some(connection);
        self.look_for_unfinished(info.cluster.clone());
        Msg::Linked(info)
    }

    /// Looks for a run on this cluster that stopped before its end.
    fn look_for_unfinished(&self, cluster: String) {
        let journal = Journal::new(&self.config.runs_dir);
        self.spawn_blocking(move || {
            let record = journal.unfinished()?;
            (record.cluster == cluster).then(|| Msg::Unfinished(Box::new(record)))
        });
    }

    /// Ends the run in flight and the cluster; returns the command that resumes the run.
    pub async fn shutdown(self) -> Option<String> {
        let is_interrupted = !self.runs.is_empty();
        self.cancel.cancel();
        self.runs.close();
        // The record of a run that does not end in time lacks its last line, and can be read all the same.
        let _ = timeout(SHUTDOWN_PATIENCE, self.runs.wait()).await;
        if let Some(connection) = self.connection {
            // What is left then ends with this process.
            let _ = timeout(SHUTDOWN_PATIENCE, connection.cluster.shutdown()).await;
        }
        if !is_interrupted {
            return None;
        }
        let unfinished = Journal::new(&self.config.runs_dir).unfinished()?;
        Some(resume_command::for_run(&self.config, &unfinished))
    }
}

/// Has the news of a `credential_process` sent to the model.
fn telling(mut config: Config, outbox: &Outbox) -> Config {
    let outbox = outbox.clone();
    let tell = move |news| outbox.send(Msg::Process(news));
    config.connect.aws.process_listener = ProcessListener::new(tell);
    config
}

/// Returns whether a message is worth nothing at another cluster.
fn is_of_session(msg: &Msg) -> bool {
    matches!(
        msg,
        Msg::LinkLost { .. }
            | Msg::Process(_)
            | Msg::Unfinished(_)
            | Msg::Named(..)
            | Msg::Listed(..)
            | Msg::Counted(..)
    )
}

/// Waits until there are other tasks than before.
async fn next_list(tasks: &mut Option<watch::Receiver<TaskList>>) -> TaskList {
    if let Some(receiver) = tasks
        && receiver.changed().await.is_ok()
    {
        return receiver.borrow_and_update().clone();
    }
    // The cluster has ended: its last list stays.
    pending().await
}

#[cfg(test)]
mod tests;
