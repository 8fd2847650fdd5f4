//! ECS with little to give: no room for tasks, tasks with an interface of another kind or none.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::deployed::{PUBLIC, deploy};
use crate::support::home::Home;
use crate::support::moto::Moto;
use crate::support::script::{Fault, Script};
use crate::support::words::{self, LIBER_PRIMUS};

const NO_ROOM: &str =
    r#"{"tasks":[],"failures":[{"reason":"Capacity is unavailable at this time"}]}"#;

pub fn runtask_failures() -> Option<Duration> {
    let moto = Moto::start()?;
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
        said.contains("Capacity is unavailable") && said.contains("tried again in"),
        "{said}"
    );
    assert_eq!(running(), 4);

    script.replace([full]);
    scale("mapper=7", "2").expect_complaint(3, &["4 of 7 mappers run", "Capacity is unavailable"]);
    assert_eq!(running(), 4);
    None
}

pub fn odd_attachments() -> Option<Duration> {
    let deployed = deploy()?;
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
    let report = run.run().expect(0).json();
    let counts = words::count(LIBER_PRIMUS.as_bytes());
    assert_eq!(report["words"], counts.values().sum::<u64>(), "{report}");
    assert_eq!(report["verified"], true);
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    for chunk in chunks {
        assert_eq!(chunk["task"], usual.as_str(), "{report}");
    }
    None
}
