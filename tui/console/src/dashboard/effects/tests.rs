#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use jiff::Timestamp;
use mrdeck_core::role::Role;
use mrdeck_core::run_id::RunId;
use mrdeck_core::task::TaskId;
use mrdeck_engine::event::{EventKind, RunEvent, RunOptions, SplitChoice};
use mrdeck_engine::state::RunState;
use mrdeck_store::aws::AwsOptions;
use ulid::Ulid;

use super::*;
use crate::cli::OutputFormat;
use crate::dashboard::model::{Access, Action, Activity, ListRequest, Location, Model, Target};
use crate::input::InputChoice;
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_cluster::settings::{AddressChoice, Backend, ConnectOptions, EcsSettings};
use mrdeck_cluster::{ScalePlan, ScaleRequest, Step};

impl EffectRuntime {
    /// On ECS, where there is nothing to be reached.
    pub(in crate::dashboard) fn unconnected() -> Self {
        let config = Config {
            connect: ConnectOptions {
                backend: Backend::Ecs(EcsSettings {
                    cluster: "alpha".to_owned(),
                    address: AddressChoice::Auto,
                    families: Role::ALL.map(|role| (role, role.to_string())),
                }),
                aws: AwsOptions {
                    // No program listens there, and nothing is asked for.
                    endpoint_url: Some("http://127.0.0.1:9".to_owned()),
                    ..AwsOptions::default()
                },
                task_proxy: None,
                bucket: None,
                read_only: false,
            },
            attempt_limit: None,
            output: OutputFormat::Text,
            runs_dir: PathBuf::new(),
        };
        Self::new(config, Arc::new(|_| Ok(())))
    }

    /// Returns what sends a message as an effect does.
    pub(in crate::dashboard) fn sender(&self) -> impl Fn(Msg) + Send + 'static {
        let outbox = self.outbox.clone();
        move |msg| outbox.send(msg)
    }
}

async fn next(effects: &mut EffectRuntime) -> Msg {
    let next = timeout(Duration::from_secs(5), effects.next()).await;
    next.expect("an answer")
}

fn options() -> RunOptions {
    RunOptions {
        chunks: None,
        split: SplitChoice::Copy,
        verify: false,
        as_bytes: false,
    }
}

fn record() -> Box<RunState> {
    let event = RunEvent {
        at: Timestamp::UNIX_EPOCH,
        kind: EventKind::RunStarted {
            run: RunId(Ulid::nil()),
            input: "s3://b/k".parse().unwrap(),
            cluster: "alpha".to_owned(),
            mappers: 1,
            options: options(),
        },
    };
    Box::new(RunState::begin(&event).unwrap())
}

fn start() -> Effect {
    Effect::Start {
        input: "s3://b/k".parse::<InputChoice>().unwrap(),
        options: options(),
    }
}

#[tokio::test]
async fn without_a_connection_every_effect_is_answered() {
    let mut effects = EffectRuntime::unconnected();
    let task = TaskId("mapper-1".to_owned());
    let wanted = ScaleRequest {
        role: Role::Mapper,
        count: 2,
    };
    let plan = ScalePlan {
        wanted,
        now: 1,
        step: Step::Keep,
    };
    let request = ListRequest {
        location: Location::Buckets,
        beginning: String::new(),
        from: None,
    };
    for effect in [
        start(),
        Effect::Resume(record()),
        Effect::Verify(record()),
        Effect::StopTask(task.clone()),
        Effect::FetchLogs(task),
        Effect::PlanScale(wanted),
        Effect::Scale(plan),
        Effect::List(request),
    ] {
        effects.perform(effect.clone());
        let answer = next(&mut effects).await;
        let text = format!("{answer:?}");
        assert!(
            text.contains("no connection to the cluster"),
            "{effect:?}: {text}"
        );
    }
}

#[tokio::test]
async fn a_run_that_can_not_begin_does_not_stay_in_preparation() {
    let now = Timestamp::UNIX_EPOCH;
    let mut effects = EffectRuntime::unconnected();
    let mut model = Model::new(now, Access::Full, Target::default());
    // As it is when the loop loses the connection while the key is on its way.
    model.update(Msg::Unfinished(record()), now);
    let asked = model.update(Msg::Act(Action::RunAgain), now);
    assert_eq!(model.run.activity(), Activity::Preparing);
    for effect in asked {
        effects.perform(effect);
    }
    model.update(next(&mut effects).await, now);
    assert_eq!(model.run.activity(), Activity::Idle);
    let said = model.feedback.status().unwrap();
    assert!(said.text.contains("no connection"), "{said:?}");
}

#[tokio::test]
async fn news_of_a_cluster_that_was_left_is_dropped() {
    let mut effects = EffectRuntime::unconnected();
    let names = || Ok(vec!["alpha".to_owned()]);
    let send = effects.sender();
    send(Msg::Named(NameSource::Clusters, names()));
    assert!(matches!(next(&mut effects).await, Msg::Named(..)));

    send(Msg::Named(NameSource::Clusters, names()));
    // The run goes on wherever it is shown.
    send(Msg::RunEnded);
    effects.perform(Effect::Switch(Switch::Cluster("omega".to_owned())));
    assert!(matches!(next(&mut effects).await, Msg::RunEnded));
    let Backend::Ecs(settings) = &effects.config.connect.backend else {
        panic!("it was on ECS");
    };
    assert_eq!(settings.cluster, "omega");
}

#[tokio::test]
async fn of_the_task_lists_only_the_latest_waits() {
    let mut effects = EffectRuntime::unconnected();
    let (sender, receiver) = watch::channel(TaskList::default());
    effects.tasks = Some(receiver);
    for second in 1..=100 {
        sender.send_replace(TaskList {
            at: Timestamp::from_second(second).ok(),
            ..TaskList::default()
        });
    }
    let Msg::Tasks(list) = next(&mut effects).await else {
        panic!("not a list");
    };
    assert_eq!(list.at, Timestamp::from_second(100).ok());
    assert!(effects.try_next().is_none());
}
