//! `mrdeck tasks`: the table, and the JSON with every field.

use serde_json::Value;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::{DeadEnd, Lab};

#[test]
fn the_json_has_every_field() {
    let home = Home::new();
    let finished = home
        .local_console(2, "tasks")
        .args(["--output", "json"])
        .run();
    let tasks = finished.expect(0).json();
    let tasks = tasks.as_array().unwrap();
    let ids: Vec<&str> = tasks
        .iter()
        .map(|task| task["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["splitter-1", "mapper-1", "mapper-2", "reducer-1"]);
    for task in tasks {
        let fields: Vec<&String> = task.as_object().unwrap().keys().collect();
        let all = [
            "az",
            "desired_status",
            "family",
            "health",
            "id",
            "last_status",
            "port",
            "private_ip",
            "public_ip",
            "reachable",
            "revision",
            "role",
            "started_at",
        ];
        assert_eq!(fields, all);
        let id = task["id"].as_str().unwrap();
        assert_eq!(task["role"], *id.split_once('-').unwrap().0);
        assert_eq!(task["last_status"], "RUNNING");
        assert_eq!(task["desired_status"], "RUNNING");
        assert_eq!(task["private_ip"], "127.0.0.1");
        assert_eq!(task["reachable"], true, "{task}");
        assert!(task["port"].as_u64().is_some_and(|port| port > 0));
        let started: jiff::Timestamp = task["started_at"].as_str().unwrap().parse().unwrap();
        assert!(started <= jiff::Timestamp::now());
        for nothing in ["az", "family", "health", "public_ip", "revision"] {
            assert_eq!(task[nothing], Value::Null, "{nothing}");
        }
    }
}

#[test]
fn the_table_has_a_line_for_each_task() {
    let home = Home::new();
    let text = home.local_console(1, "tasks").run().expect(0).stdout;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let all = [
        "ROLE", "ID", "STATUS", "PRIVATE", "PUBLIC", "HEALTH", "PROBE", "AGE",
    ];
    assert_eq!(header, all);
    for (line, role) in lines.zip(["splitter", "mapper", "reducer"]) {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let start = [role, &format!("{role}-1"), "RUNNING"];
        assert_eq!(columns[..3], start, "{line}");
        assert!(columns[3].starts_with("127.0.0.1:"), "{line}");
        assert_eq!(columns[4], "-", "{line}");
        assert!(line.contains(" ms "), "{line}");
    }
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn a_task_that_can_t_be_reached_is_listed_all_the_same() {
    let lab = Lab::new([]);
    let dead = DeadEnd::new();
    let mut addresses = lab.direct_addresses();
    addresses.mappers[2] = dead.url();
    let json = lab
        .console_to(&addresses, "tasks")
        .args(["--output", "json"])
        .run();
    let tasks = json.expect(0).json();
    let reachable: Vec<&Value> = tasks
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["reachable"])
        .collect();
    assert_eq!(reachable, [true, true, true, false, true]);
    let text = lab.console_to(&addresses, "tasks").run().expect(0).stdout;
    let line = text.lines().find(|line| line.contains("mapper-3")).unwrap();
    assert!(line.contains("refused"), "{line}");
}
