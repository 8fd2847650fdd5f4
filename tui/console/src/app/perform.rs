//! Performs effects: everything the dashboard does outside itself, each in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::browse::ListRequest;
use super::export::export_chart;
use super::launch::{Begin, prepare, run};
use super::log_text::readable;
use super::reach;
use super::state::{Effect, LinkInfo, Msg};
use crate::config::Config;
use crate::go_on;
use crate::switch::Switch;
use crate::upload::settle;
use mrdeck_cluster::aws::lookup::{self, NameSource};
use mrdeck_cluster::settings::Backend;
use mrdeck_cluster::{Connection, SCALE_TIMEOUT, ScalePlan, ScaleRequest};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;
use mrdeck_engine::Job;
use mrdeck_engine::journal::Journal;
use mrdeck_engine::state::Record;

/// How long quitting waits for the cluster to end.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts to reach an ECS cluster.
const RECONNECT_PAUSE: Duration = Duration::from_secs(10);

/// News for the loop.
pub enum News {
    Msg(Msg),
    /// Of the place the console was at when it was asked for: worth nothing anywhere else.
    From(Stay, Msg),
    Connected(Stay, Box<Connection>),
}

/// Which of the places one was at, counted by the switches between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay(u32);

/// What effects work with.
pub struct Performer {
    config: Arc<Config>,
    news: mpsc::Sender<News>,
    stay: Stay,
    connection: Option<Connection>,
    /// The way to the cluster being looked for; another one ends it.
    connecting: Option<AbortOnDropHandle<()>>,
    /// Holds a receiver of the tasks, and so keeps them being asked for.
    follower: Option<AbortOnDropHandle<()>>,
    run: CancellationToken,
    /// Runs under way: quitting lets their records be finished.
    runs: TaskTracker,
}

impl Performer {
    pub fn new(config: Config, news: mpsc::Sender<News>) -> Self {
        Self {
            config: Arc::new(config),
            news,
            stay: Stay(0),
            connection: None,
            connecting: None,
            follower: None,
            run: CancellationToken::new(),
            runs: TaskTracker::new(),
        }
    }

    /// Does one effect; returns at once. Quitting and the clipboard are the loop's own.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => self.connect(),
            Effect::Refresh => {
                if let Some(connection) = &self.connection {
                    connection.cluster.refresh();
                    connection.prober.probe_now();
                }
            }
            Effect::Start { input, options } => self.start(Begin::New(input, options)),
            Effect::Resume(record) => {
                let before = Vec::new();
                self.start(Begin::At(Job::Resume { record, before }));
            }
            Effect::Verify(record) => self.start(Begin::At(Job::Verify(record))),
            Effect::Cancel => self.run.cancel(),
            Effect::ExportChart(record) => self.export(record),
            Effect::StopTask(task) => self.stop_task(task),
            Effect::FetchLogs(task) => self.fetch_logs(task),
            Effect::PlanScale(wanted) => self.plan_scale(wanted),
            Effect::Scale(plan) => self.scale(plan),
            Effect::Switch(switch) => self.switch(switch),
            Effect::LookUp(places) => self.look_up(places),
            Effect::List(request) => self.list(request),
            Effect::Complete(typed) => self.complete(typed),
            Effect::Copy(_) | Effect::Quit => {}
        }
    }

    /// A cluster out of reach is tried again and again: credentials are renewed, networks come back.
    fn connect(&mut self) {
        let (config, news, stay) = (self.config.clone(), self.news.clone(), self.stay);
        let is_retried = matches!(config.connect.backend, Backend::Ecs(_));
        let connecting = tokio::spawn(async move {
            loop {
                let connected = mrdeck_cluster::connect(&config.connect).await;
                let is_last = connected.is_ok() || !is_retried;
                let item = match connected {
                    Ok(connection) => News::Connected(stay, Box::new(connection)),
                    Err(diagnostic) => News::From(
                        stay,
                        Msg::LinkLost {
                            diagnostic,
                            is_retried,
                        },
                    ),
                };
                if news.send(item).await.is_err() || is_last {
                    return;
                }
                sleep(RECONNECT_PAUSE).await;
            }
        });
        self.connecting = Some(AbortOnDropHandle::new(connecting));
    }

    /// Leaves the cluster for another: nothing more is asked of the one before, and what it still says is dropped.
    fn switch(&mut self, switch: Switch) {
        let mut config = Config::clone(&self.config);
        config.switch(switch);
        self.config = Arc::new(config);
        self.stay.0 += 1;
        self.connection = None;
        self.follower = None;
        self.connect();
    }

    fn look_up(&self, source: NameSource) {
        let (aws, news, stay) = (
            self.config.connect.aws.clone(),
            self.news.clone(),
            self.stay,
        );
        tokio::spawn(async move {
            let names = lookup::names(source, &aws).await;
            let _ = news.send(News::From(stay, Msg::Named(source, names))).await;
        });
    }

    /// News as the state understands them; `None` for those of a place that one has left.
    pub fn take(&mut self, news: News) -> Option<Msg> {
        match news {
            News::Msg(msg) => Some(msg),
            News::From(stay, msg) => (stay == self.stay).then_some(msg),
            News::Connected(stay, connection) => {
                (stay == self.stay).then(|| self.connected(*connection))
            }
        }
    }

    /// The cluster is up: follow its tasks.
    fn connected(&mut self, connection: Connection) -> Msg {
        let mut tasks = connection.tasks.clone();
        let (news, stay) = (self.news.clone(), self.stay);
        let follower = tokio::spawn(async move {
            loop {
                let list = tasks.borrow_and_update().clone();
                if news.send(News::From(stay, Msg::Tasks(list))).await.is_err()
                    || tasks.changed().await.is_err()
                {
                    return;
                }
            }
        });
        self.follower = Some(AbortOnDropHandle::new(follower));
        let info = LinkInfo {
            cluster: connection.cluster.name(),
            bucket: connection.bucket.clone(),
            default_input: connection.default_input.clone(),
            can_stop: connection.cluster.can_stop(),
            region: connection.cluster.region(),
        };
        self.look_for_left(info.cluster.clone());
        self.connection = Some(connection);
        Msg::Linked(info)
    }

    /// Was a run on this cluster left before its end?
    fn look_for_left(&self, cluster: String) {
        let (journal, news) = (Journal::new(&self.config.runs_dir), self.news.clone());
        let stay = self.stay;
        tokio::task::spawn_blocking(move || {
            let left = journal.unfinished();
            if let Some(record) = left.filter(|record| record.cluster == cluster) {
                let _ = news.blocking_send(News::From(stay, Msg::Left(Box::new(record))));
            }
        });
    }

    /// Runs a job; its events and its end come as news.
    fn start(&mut self, begin: Begin) {
        let Some(connection) = self.connection.clone() else {
            return;
        };
        self.run = CancellationToken::new();
        let cancel = self.run.clone();
        let (config, news) = (self.config.clone(), self.news.clone());
        self.runs.spawn(async move {
            let prepared = tokio::select! {
                () = cancel.cancelled() => Err(Diagnostic::new("cancelled before the run began, nothing was written", "")),
                prepared = prepare(begin, &connection, &news) => prepared,
            };
            // An upload that was given up is cleared away before anyone hears that it is over.
            let cleared = settle(connection.store.as_ref()).await;
            let last = match prepared {
                Err(diagnostic) => Msg::StartFailed(cleared.err().unwrap_or(diagnostic)),
                Ok((job, client)) => {
                    run(job, client, &config, connection, cancel, &news).await;
                    Msg::RunEnded
                }
            };
            let _ = news.send(News::Msg(last)).await;
        });
    }

    fn stop_task(&self, task: TaskId) {
        let Some(connection) = self.connection.clone() else {
            return;
        };
        let news = self.news.clone();
        tokio::spawn(async move {
            let result = connection.cluster.stop(&task).await;
            let _ = news.send(News::Msg(Msg::TaskStopped(task, result))).await;
        });
    }

    fn plan_scale(&self, wanted: ScaleRequest) {
        let Some(connection) = self.connection.clone() else {
            return;
        };
        let news = self.news.clone();
        tokio::spawn(async move {
            let plan = connection.cluster.plan_scale(wanted).await;
            let _ = news.send(News::Msg(Msg::ScalePlanned(plan))).await;
        });
    }

    fn scale(&self, plan: ScalePlan) {
        let Some(connection) = self.connection.clone() else {
            return;
        };
        let news = self.news.clone();
        tokio::spawn(async move {
            let (sender, mut said) = mpsc::channel(16);
            let scaling = connection.cluster.scale(plan, SCALE_TIMEOUT, sender);
            let (scaled, ()) = tokio::join!(scaling, async {
                while let Some(item) = said.recv().await {
                    let _ = news.send(News::Msg(Msg::ScaleEvent(item))).await;
                }
            });
            let _ = news.send(News::Msg(Msg::Scaled(scaled))).await;
        });
    }

    fn fetch_logs(&self, task: TaskId) {
        let Some(connection) = self.connection.clone() else {
            return;
        };
        let news = self.news.clone();
        tokio::spawn(async move {
            let lines = connection.cluster.logs(&task).await;
            let result = lines.map(|lines| {
                let timezone = TimeZone::system();
                lines.iter().map(|line| readable(line, &timezone)).collect()
            });
            let _ = news.send(News::Msg(Msg::Logs(task, result))).await;
        });
    }

    fn list(&self, request: ListRequest) {
        let store = self.connection.as_ref().map(|up| up.store.clone());
        let (news, stay) = (self.news.clone(), self.stay);
        tokio::spawn(async move {
            let listed = reach::list(store, &request).await;
            let listed = Msg::Listed(request, listed);
            let _ = news.send(News::From(stay, listed)).await;
        });
    }

    fn complete(&self, typed: String) {
        let news = self.news.clone();
        tokio::task::spawn_blocking(move || {
            let completion = reach::complete(typed);
            let _ = news.blocking_send(News::Msg(Msg::Completed(completion)));
        });
    }

    fn export(&self, record: Box<Record>) {
        let news = self.news.clone();
        tokio::task::spawn_blocking(move || {
            let result = export_chart(&record);
            let _ = news.blocking_send(News::Msg(Msg::ChartWritten(result)));
        });
    }

    /// Ends the run in flight and the cluster; gives the command that goes on with the run.
    pub async fn shutdown(self) -> Option<String> {
        let is_cut_short = !self.runs.is_empty();
        self.run.cancel();
        self.runs.close();
        // A run that does not end in time leaves a record without its last line, which can be read all the same.
        let _ = timeout(SHUTDOWN_PATIENCE, self.runs.wait()).await;
        if let Some(connection) = self.connection {
            // Whatever is left ends with this process.
            let _ = timeout(SHUTDOWN_PATIENCE, connection.cluster.shutdown()).await;
        }
        if !is_cut_short {
            return None;
        }
        let left = Journal::new(&self.config.runs_dir).unfinished()?;
        Some(go_on::command(&self.config, &left))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::path::PathBuf;

    use mrdeck_store::aws::AwsOptions;

    use super::*;
    use crate::cli::OutputFormat;
    use mrdeck_cluster::settings::{AddressChoice, ConnectOptions, EcsSettings};
    use mrdeck_core::role::Role;

    #[tokio::test]
    async fn news_of_a_place_that_was_left_are_dropped() {
        let config = Config {
            connect: ConnectOptions {
                backend: Backend::Ecs(EcsSettings {
                    cluster: "alpha".to_owned(),
                    address: AddressChoice::Auto,
                    families: Role::ALL.map(|role| (role, role.to_string())),
                }),
                aws: AwsOptions {
                    // Nobody listens there, and nothing is asked for.
                    endpoint_url: Some("http://127.0.0.1:9".to_owned()),
                    ..AwsOptions::default()
                },
                bucket: None,
                read_only: false,
            },
            attempt_limit: None,
            output: OutputFormat::Text,
            runs_dir: PathBuf::new(),
        };
        let (sender, _received) = mpsc::channel(1);
        let mut performer = Performer::new(config, sender);
        let named = || {
            let names = Ok(vec!["alpha".to_owned()]);
            News::From(Stay(0), Msg::Named(NameSource::Clusters, names))
        };
        assert!(performer.take(named()).is_some());
        performer.perform(Effect::Switch(Switch::Cluster("omega".to_owned())));
        assert!(performer.take(named()).is_none());
        assert!(performer.take(News::Msg(Msg::Tick)).is_some());
        let Backend::Ecs(settings) = &performer.config.connect.backend else {
            panic!("it was on ECS");
        };
        assert_eq!(settings.cluster, "omega");
    }
}
