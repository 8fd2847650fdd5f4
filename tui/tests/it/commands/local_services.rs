//! A local cluster whose services die: they are replaced, and the run goes on.

use mrdeck_testkit::home::Home;
use mrdeck_testkit::process::children_of;
use mrdeck_testkit::{wait_for, wait_until, words};

#[test]
fn a_mapper_that_is_killed_is_replaced_and_the_run_is_exact() {
    let home = Home::new();
    let console = home
        .local_console(1, "run")
        .args(["--split", "range", "--chunks", "40"]);
    let running = console
        .args(["--output", "json", "--save", "counts.json"])
        .start();
    wait_until("the maps", || {
        home.record()
            .iter()
            .any(|e| e["event"] == "attempt_started" && e["phase"] == "map")
    });
    let mapper = wait_for("the mapper", || {
        let mut children = children_of(running.pid()).into_iter();
        children.find(|child| child.command_line().contains("serve mapper"))
    });
    mapper.signal("KILL");
    let report = running.wait().expect(0).json();
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    assert!(
        chunks.iter().any(|chunk| chunk["task"] == "mapper-2"),
        "it got a new name"
    );
    let counts = words::count(words::LIBER_PRIMUS.as_bytes());
    assert_eq!(
        String::from_utf8(home.read("counts.json")).unwrap(),
        words::json(&counts)
    );
}
