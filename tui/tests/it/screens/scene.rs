//! A dashboard's state led through a story by messages alone, at times and with ids that never change.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use mrdeck::app::{Effect, LinkInfo, Msg, State};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::run_id::RunId;
use mrdeck_core::task::{FailedProbe, Probe, Task, TaskId, TaskList, TaskSize, TaskStatus};
use mrdeck_core::unreachable::Unreachable;
use mrdeck_core::uri::S3Uri;
use mrdeck_engine::event::{EventKind, RunEvent};
use ulid::Ulid;
use url::Url;

/// When every story begins: 2026-03-14 09:26:53 UTC.
const BEGINNING: i64 = 1_773_480_413;

pub fn run_id() -> RunId {
    RunId(Ulid::from_string("01KKP4R4XJ8Z3V9Q2T6W5M7C1D").unwrap())
}

pub fn uri(key: &str) -> S3Uri {
    S3Uri::new("mrdeck", key).unwrap()
}

/// The state, and the time it is there.
pub struct Scene {
    pub state: State,
    pub now: Timestamp,
}

impl Scene {
    /// The first frame: nothing was asked yet.
    pub fn new() -> Self {
        Self::started(false)
    }

    pub fn read_only() -> Self {
        Self::started(true)
    }

    fn started(read_only: bool) -> Self {
        let now = Timestamp::from_second(BEGINNING).unwrap();
        Self {
            state: State::new(now, read_only),
            now,
        }
    }

    /// The local cluster is up with a splitter, three mappers and a reducer.
    pub fn connected(mut self) -> Self {
        self.send(Msg::Linked(LinkInfo {
            cluster: "local".to_owned(),
            bucket: Some("mrdeck".to_owned()),
            default_input: Some(uri("liber-primus.txt")),
            can_stop: true,
            region: None,
        }));
        let tasks = five_tasks(self.now);
        self.list(tasks);
        self.after(7_000)
    }

    pub fn list(&mut self, tasks: Vec<Task>) {
        let at = Some(self.now);
        let list = TaskList::new(tasks);
        self.send(Msg::Tasks(TaskList { at, ..list }));
    }

    /// Time passes, in milliseconds.
    pub fn after(mut self, ms: u64) -> Self {
        self.wait(ms);
        self
    }

    pub fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.state.apply(Msg::Tick, self.now);
    }

    pub fn send(&mut self, msg: Msg) -> Vec<Effect> {
        self.state.apply(msg, self.now)
    }

    /// Something happens in the run.
    pub fn event(&mut self, kind: EventKind) {
        let event = RunEvent { at: self.now, kind };
        self.send(Msg::Run(event));
    }

    pub fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub fn ctrl(&mut self, c: char) -> Vec<Effect> {
        let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        self.send(Msg::Key(key))
    }

    /// One key after another; gives what all of them ask for.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let keys = keys.chars().map(KeyCode::Char);
        keys.flat_map(|code| self.key(code)).collect()
    }

    pub fn pressed(mut self, keys: &str) -> Self {
        self.press(keys);
        self
    }

    pub fn tabs(mut self, count: usize) -> Self {
        for _ in 0..count {
            self.key(KeyCode::Tab);
        }
        self
    }
}

pub fn task(id: &str, role: impl Into<Option<Role>>, port: u16, started_at: Timestamp) -> Task {
    let base: Url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let role = role.into();
    let named = role.map_or("other", Role::as_str);
    Task {
        id: TaskId(id.to_owned()),
        role,
        family: None,
        revision: None,
        last_status: TaskStatus::Running,
        desired_status: Some(TaskStatus::Running),
        health: None,
        private_ip: Some([127, 0, 0, 1].into()),
        public_ip: None,
        port: Some(port),
        az: None,
        size: None,
        started_at: Some(started_at),
        base: Some(base.clone()),
        candidates: vec![base.clone()],
        details: vec![("pid".to_owned(), (port % 1_000).to_string())],
        probe: Probe::Reachable {
            latency: Duration::from_micros(u64::from(port) % 1_000 + 900),
            via: base,
            service: Some(format!("mrdeck-services/0.1.0 {named}")),
            missed: Vec::new(),
        },
    }
}

fn five_tasks(now: Timestamp) -> Vec<Task> {
    vec![
        task("splitter-1", Role::Splitter, 40_101, now),
        task("mapper-1", Role::Mapper, 40_211, now),
        task("mapper-2", Role::Mapper, 40_322, now),
        task("mapper-3", Role::Mapper, 40_433, now),
        task("reducer-1", Role::Reducer, 40_544, now),
    ]
}

/// Tasks as ECS has them: long ids, a service of its own for each role, a stranger, one that is only starting.
pub fn ecs_tasks(now: Timestamp) -> Vec<Task> {
    let roles = [
        (Some(Role::Splitter), "mr-splitter"),
        (Some(Role::Mapper), "mr-mapper"),
        (Some(Role::Mapper), "mr-mapper"),
        (Some(Role::Mapper), "mr-mapper"),
        (Some(Role::Reducer), "mr-reducer"),
        (None, "nightly-report"),
    ];
    let tasks = roles.iter().zip(11..).map(|((role, family), n)| Task {
        family: Some((*family).to_owned()),
        revision: Some(7),
        health: Some("HEALTHY".to_owned()),
        private_ip: Some([10, 0, 137, n].into()),
        public_ip: Some([203, 0, 113, 100 + n].into()),
        az: Some("eu-central-1a".to_owned()),
        size: Some(TaskSize {
            cpu_units: 256,
            memory_mib: 512,
        }),
        details: vec![("launch type".to_owned(), "FARGATE".to_owned())],
        ..task(
            &format!("{n:02}c4b8f2a97d4e6eb1f0b4c3d2a1908{n}"),
            *role,
            8_080,
            now,
        )
    });
    let mut tasks: Vec<Task> = tasks.collect();
    let late = &mut tasks[3];
    late.last_status = TaskStatus::Provisioning;
    (late.health, late.public_ip, late.started_at, late.base) = (None, None, None, None);
    (late.private_ip, late.candidates) = (None, Vec::new());
    late.probe = Probe::Unreachable(vec![FailedProbe {
        at: None,
        reason: Unreachable::NotRunning(TaskStatus::Provisioning),
    }]);
    let closed = &mut tasks[2];
    let addresses = [closed.public_ip, closed.private_ip].into_iter().flatten();
    closed.candidates = addresses
        .map(|ip| format!("http://{ip}:8080").parse().unwrap())
        .collect();
    closed.base = closed.candidates.first().cloned();
    closed.probe = Probe::Unreachable(
        closed
            .candidates
            .iter()
            .zip([Unreachable::TimedOut(2), Unreachable::Refused])
            .map(|(at, obstacle)| FailedProbe {
                at: Some(at.clone()),
                reason: obstacle,
            })
            .collect(),
    );
    let ending = &mut tasks[5];
    ending.desired_status = Some(TaskStatus::Stopped);
    tasks
}

pub fn refused_connection() -> Diagnostic {
    Diagnostic::new(
        "127.0.0.1:40322 can't be reached: Connection refused (os error 111)",
        "nothing listens there, or a security group is in the way: see the task's status",
    )
}
