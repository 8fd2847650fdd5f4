//! ECS at its worst: throttled, without room for tasks, with tasks that go and come, or that have no interface.

use std::time::Duration;

use serde_json::{Value, json};

use mrdeck_testkit::aws::deployed::{PUBLIC, ProxiedTask, deploy};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::console::{Finished, Running};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::script::{Fault, Gate, Script, Seen};
use mrdeck_testkit::services::Service;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

const NO_ROOM: &str =
    r#"{"tasks":[],"failures":[{"reason":"Capacity is unavailable at this time"}]}"#;

pub fn runtask_failures() -> Option<Duration> {
    let moto = Moto::start();
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    moto.run_tasks("mr", "mr-mapper", 1);
    let script = Script::new([]);
    let (_proxy, environment) = moto.through(&script);
    let home = Home::new();
    let scale = |to: &str, wait: &str| {
        let console = home.console().arg("scale").args(PUBLIC);
        let console = console.args([to, "--wait", wait]);
        console.envs(environment.clone()).run()
    };
    let running = || {
        let listed = moto.ecs("ListTasks", &json!({"cluster": "mr"}));
        listed["taskArns"].as_array().unwrap().len()
    };

    let full = Fault::answer(200, NO_ROOM).aws("RunTask");
    script.replace([full.clone().turns(1..=2)]);
    let scaled = scale("mapper=4", "60").expect(0);
    let said = &scaled.stderr;
    assert!(
        said.contains("Capacity is unavailable") && said.contains("retrying in"),
        "{said}"
    );
    assert_eq!(running(), 4);

    script.replace([full]);
    scale("mapper=7", "2").expect_complaint(3, &["4 of 7 mappers run", "Capacity is unavailable"]);
    assert_eq!(running(), 4);
    None
}

pub fn odd_attachments() -> Option<Duration> {
    let deployed = deploy();
    let mut mappers = deployed.tasks.iter().filter(|(role, ..)| *role == "mapper");
    let mut id_of_next = || mappers.next().unwrap().1.id.clone();
    let (bare, odd, usual) = (id_of_next(), id_of_next(), id_of_next());
    let (without, other) = (bare.clone(), odd.clone());
    let edit = Fault::edit(move |json| {
        let Some(tasks) = json["tasks"].as_array_mut() else {
            return;
        };
        for task in tasks {
            let is = |id: &str| task["taskArn"].as_str().unwrap().ends_with(id);
            let (is_bare, is_odd) = (is(&without), is(&other));
            if is_bare {
                task["attachments"] = json!([]);
            } else if is_odd {
                task["attachments"] = json!([{"id": "x", "type": "AmazonElasticBlockStorage",
                    "status": "ATTACHED", "details": [{"name": "volumeId", "value": "vol-1"}]}]);
            }
        }
    });
    let script = Script::new([edit.aws("DescribeTasks")]);
    let (_proxy, environment) = deployed.moto.through(&script);
    let home = Home::new();
    let console = |command: &str| {
        let console = home.console().arg(command).args(PUBLIC);
        console.args(["--output", "json"]).envs(environment.clone())
    };

    let listed = console("tasks").run().expect(0).json();
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), 6, "every task is listed: {listed}");
    for id in [&bare, &odd] {
        let row = rows.iter().find(|row| row["id"] == id.as_str()).unwrap();
        assert_eq!(row["private_ip"], Value::Null, "{row}");
        assert_eq!(row["reachable"], false, "{row}");
    }

    let run = console("run").args(["s3://lab/input.txt", "--chunks", "3", "--verify"]);
    let report = expect_verified(run.run());
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    for chunk in chunks {
        assert_eq!(chunk["task"], usual.as_str(), "{report}");
    }
    None
}

const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

/// A cluster with a splitter, a reducer, and the bucket with the input.
fn cluster() -> (Moto, Vec<Service>) {
    let moto = Moto::start();
    moto.put_object("lab", "input.txt", LIBER_PRIMUS.as_bytes());
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let services =
        [("splitter", "mr-splitter"), ("reducer", "mr-reducer")].map(|(role, family)| {
            let task = moto.run_tasks("mr", family, 1).remove(0);
            let ip = moto.give_public_ip(&task);
            moto.serve(role, ip)
        });
    (moto, services.into())
}

fn run(home: &Home, environment: Vec<(&'static str, String)>) -> Running {
    let console = home.console().arg("run").args(PUBLIC);
    let args = [
        "s3://lab/input.txt",
        "--chunks",
        "6",
        "--verify",
        "--output",
        "json",
    ];
    console.args(args).envs(environment).start()
}

#[track_caller]
fn expect_verified(finished: Finished) -> Value {
    let report = finished.expect(0).json();
    let counts = words::count(LIBER_PRIMUS.as_bytes());
    assert_eq!(report["words"], counts.values().sum::<u64>(), "{report}");
    assert_eq!(report["unique"], counts.len(), "{report}");
    assert_eq!(report["verified"], true, "{report}");
    report
}

fn maps_on(seen: &[Seen], name: &str) -> usize {
    let maps = seen.iter().filter(|request| request.path == "/map");
    maps.filter(|request| request.service == name).count()
}

/// The first list comes, and no other one while the run lasts.
pub fn throttled_throughout() -> Option<Duration> {
    let (moto, _services) = cluster();
    let held = Gate::closed();
    let throttled = |name| Fault::answer(400, THROTTLED).aws(name);
    let script = Script::new([
        // The tasks that run, and those that were stopped.
        throttled("ListTasks").turns(3..=usize::MAX),
        throttled("DescribeTasks").turns(2..=usize::MAX),
        Fault::Hold(held.clone()).on("only"),
    ]);
    let _mapper = ProxiedTask::mapper(&moto, "only", &script);
    let (_proxy, environment) = moto.through(&script);
    let home = Home::new();
    let running = run(&home, environment);
    script.wait_until("a map, and a list that is refused", |seen| {
        let lists = seen.iter().filter(|call| call.is("ListTasks")).count();
        maps_on(seen, "only") > 0 && lists > 2
    });
    held.open();
    expect_verified(running.wait());
    let lists = script.operations()["ListTasks"];
    assert!(lists < 10, "it is asked less and less, not {lists} times");
    None
}

/// A task is stopped with a request in its hands, and nothing tells but ECS; another one comes at a new address.
pub fn replaced() -> Option<Duration> {
    let (moto, _services) = cluster();
    let held = Gate::closed();
    let script = Script::new([
        Fault::Silence.on("doomed"),
        Fault::Hold(held.clone()).on("held"),
    ]);
    let doomed = ProxiedTask::mapper(&moto, "doomed", &script);
    let _held = ProxiedTask::mapper(&moto, "held", &script);
    let home = Home::new();
    let running = run(&home, moto.environment());
    script.wait_until("a map on each", |seen| {
        maps_on(seen, "doomed") > 0 && maps_on(seen, "held") > 0
    });
    moto.stop_task("mr", &doomed.task);
    let replacement = ProxiedTask::mapper(&moto, "replacement", &script);
    script.wait_until("a map on the replacement", |seen| {
        maps_on(seen, "replacement") > 0
    });
    held.open();
    let report = expect_verified(running.wait());
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    let by_it = chunks
        .iter()
        .filter(|chunk| chunk["task"] == replacement.task.id.as_str());
    assert!(by_it.count() > 0, "{report}");
    let gone = script.count(|seen| seen.service == "doomed" && seen.path == "/map");
    assert_eq!(gone, 1, "a task that is gone gets nothing more");
    None
}
