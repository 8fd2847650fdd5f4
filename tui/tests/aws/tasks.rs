//! The tasks of a cluster: all of them are listed, with the addresses that a run uses.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::{PUBLIC, deploy};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::aws::tools;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::script::{Fault, Script};
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

pub const TESTS: &[Test] = tests![
    every_task_is_listed_and_a_run_uses_the_addresses_found,
    the_dashboard_shows_both_addresses_runs_and_draws,
    none_is_missing_whatever_the_number_of_tasks_and_no_call_is_wasted,
    a_page_that_names_itself_as_the_next_one_ends_the_list,
    a_stopped_task_leaves_the_list_as_ecs_forgets_it,
    the_aws_cli_sees_the_same_tasks,
    a_cluster_that_is_not_there_is_named_with_what_to_do,
];

fn every_task_is_listed_and_a_run_uses_the_addresses_found() {
    let deployed = deploy();
    let home = Home::new();
    let console = |command: &str| {
        let console = home.console().arg(command).args(PUBLIC);
        console.envs(deployed.moto.environment())
    };

    let listed = console("tasks").args(["--output", "json"]).run().expect(0);
    let listed = listed.json();
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), 6, "{listed}");
    for (role, task, public_ip) in &deployed.tasks {
        let row = rows.iter().find(|row| row["id"] == task.id.as_str());
        let row = row.unwrap_or_else(|| panic!("{} is missing: {listed}", task.id));
        let expected = json!({"role": role, "private_ip": task.private_ip,
            "public_ip": public_ip, "port": 8080, "last_status": "RUNNING", "revision": 1,
            "reachable": *role != "other"});
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&row[name], value, "{name} of {row}");
        }
    }

    let run = console("run").args(["s3://lab/input.txt", "--verify", "--output", "json"]);
    let report = run.run().expect(0).json();
    let counts = words::count(LIBER_PRIMUS.as_bytes());
    assert_eq!(report["words"], counts.values().sum::<u64>(), "{report}");
    assert_eq!(report["verified"], true, "{report}");
    let mut used: Vec<&Value> = report["phases"]["map"]["chunks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chunk| &chunk["ip"])
        .collect();
    used.sort_by_key(ToString::to_string);
    let mut mappers: Vec<String> = deployed
        .tasks
        .iter()
        .filter(|(role, ..)| *role == "mapper")
        .map(|(.., ip)| ip.clone())
        .collect();
    mappers.sort();
    assert_eq!(used, mappers.iter().collect::<Vec<_>>(), "{report}");
}

fn the_dashboard_shows_both_addresses_runs_and_draws() {
    let deployed = deploy();
    let home = Home::new();
    let deck = Deck::new(home.path()).args(PUBLIC);
    let mut deck = deck.envs(deployed.moto.environment()).open();
    for (role, task, public_ip) in &deployed.tasks {
        let id = &task.id[task.id.len() - 8..];
        deck.wait_line(&[role, id, "RUNNING", &task.private_ip, public_ip]);
    }
    deck.send(":input s3://lab/input.txt\r");
    deck.send("s");
    deck.wait_text(&["done in", "7,180 words", "v verify"]);
    deck.send("v");
    deck.wait_text(&["done and verified", "✓ verified"]);
    deck.send("e");
    deck.wait_text(&["chart written to"]);
    assert!(home.names().iter().any(|name| name.contains(".png")));
    deck.send("q");
}

fn none_is_missing_whatever_the_number_of_tasks_and_no_call_is_wasted() {
    let moto = Moto::start();
    let home = Home::new();
    for count in [0, 1, 100, 101, 1_000] {
        let cluster = format!("of-{count}");
        moto.ecs("CreateCluster", &json!({"clusterName": cluster}));
        let mut expected: Vec<String> = moto
            .run_tasks(&cluster, "other-family", count)
            .into_iter()
            .map(|task| task.id)
            .collect();
        // ECS's own limit.
        let pages_of_100 = Fault::Paged {
            list: "taskArns",
            size: 100,
        };
        let script = Script::new([pages_of_100.aws("ListTasks")]);
        let (_proxy, environment) = moto.through(&script);
        let console = home.console().args(["tasks", "--output", "json"]);
        // Nobody listens at their addresses, and without public ones nobody is asked.
        let console = console.args(["--cluster", &cluster, "--address", "public"]);
        let listed = console.envs(environment).run().expect(0).json();
        let mut ids: Vec<String> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect();
        expected.sort();
        ids.sort();
        assert_eq!(ids, expected);

        let pages = count.div_ceil(100);
        let mut calls = vec![
            // The running ones, and one look for those that were stopped.
            ("ListTasks", pages.max(1) + 1),
            ("DescribeTasks", pages),
            ("DescribeTaskDefinition", count.min(1)),
            ("DescribeNetworkInterfaces", count.div_ceil(200)),
        ];
        calls.retain(|(_, count)| *count > 0);
        let made = script.operations();
        let made: Vec<(&str, usize)> = made.iter().map(|(name, n)| (&**name, *n)).collect();
        calls.sort_unstable();
        assert_eq!(made, calls, "{count} tasks");
    }
}

fn a_page_that_names_itself_as_the_next_one_ends_the_list() {
    let moto = Moto::start();
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let same_again = r#"{"taskArns":[],"nextToken":"again"}"#;
    let script = Script::new([Fault::answer(200, same_again).aws("ListTasks")]);
    let (_proxy, environment) = moto.through(&script);
    let home = Home::new();
    let console = home.console().args(["tasks", "--output", "json"]);
    let console = console.args(["--cluster", "mr"]).envs(environment);
    assert_eq!(console.run().expect(0).json(), json!([]));
    // The running and the stopped ones, each asked for once more.
    assert_eq!(script.operations()["ListTasks"], 4);
}

/// What the AWS CLI says of a cluster.
fn aws_cli(moto: &Moto, args: &[&str]) -> Value {
    let output = Command::new(tools::program("aws"))
        .args(args)
        .args(["--output", "json"])
        .envs(moto.environment())
        // The older of its two versions does not read AWS_REGION.
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// moto never forgets a task; ECS does about an hour after its end, and then lists it no more.
fn a_stopped_task_leaves_the_list_as_ecs_forgets_it() {
    let moto = Moto::start();
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let [stopped, running] = &moto.run_tasks("mr", "mr-mapper", 2)[..] else {
        panic!("two tasks were asked for");
    };
    let is_forgotten = Arc::new(AtomicBool::new(false));
    let (forgotten, id) = (is_forgotten.clone(), stopped.id.clone());
    let forget = Fault::edit(move |json| {
        if forgotten.load(Ordering::SeqCst) {
            let listed = json["taskArns"].as_array_mut().unwrap();
            listed.retain(|arn| !arn.as_str().unwrap().contains(&id));
        }
    });
    let script = Script::new([forget.aws("ListTasks")]);
    let (_proxy, environment) = moto.through(&script);
    let home = Home::new();
    let deck = Deck::new(home.path()).args(PUBLIC);
    let mut deck = deck.envs(environment).open();
    let [stopped_id, running_id] = [stopped, running].map(|task| &task.id[task.id.len() - 4..]);
    for id in [stopped_id, running_id] {
        deck.wait_line(&["mapper", id, "RUNNING"]);
    }

    moto.stop_task("mr", stopped);
    deck.send("\x12");
    deck.wait_line(&["mapper", stopped_id, "STOPPED"]);
    deck.wait_line(&["mapper", running_id, "RUNNING"]);

    is_forgotten.store(true, Ordering::SeqCst);
    deck.send("\x12");
    deck.wait_for("a list without the stopped task", |screen| {
        let rows = screen.lines().filter(|line| line.starts_with("│mapper"));
        let rows: Vec<&str> = rows.collect();
        rows.len() == 1 && rows[0].contains(running_id) && screen.contains("Tasks 1")
    });
}

fn the_aws_cli_sees_the_same_tasks() {
    let deployed = deploy();
    let listed = aws_cli(&deployed.moto, &["ecs", "list-tasks", "--cluster", "mr"]);
    let arns = listed["taskArns"].as_array().unwrap().iter();
    let mut expected: Vec<&str> = arns
        .map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    let home = Home::new();
    let console = home
        .console()
        .args(["tasks", "--output", "json"])
        .args(PUBLIC);
    let ours = console
        .envs(deployed.moto.environment())
        .run()
        .expect(0)
        .json();
    let mut ids: Vec<&str> = ours
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    expected.sort_unstable();
    ids.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(ids.len(), 6);
}

fn a_cluster_that_is_not_there_is_named_with_what_to_do() {
    let moto = Moto::start();
    let home = Home::new();
    let console = home.console().args(["tasks", "--cluster", "nowhere"]);
    console.envs(moto.environment()).run().expect_complaint(
        3,
        &["there is no ECS cluster 'nowhere'", "aws ecs list-clusters"],
    );
}
