//! `l` on a task of ECS: its last lines from `CloudWatch`, or why there are none and what to do.

use serde_json::json;

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::PUBLIC;
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::hostile::{EVIL, expect_harmless};
use mrdeck_testkit::proxy::script::{Fault, Script};
use mrdeck_testkit::pty::Deck;

pub const TESTS: &[Test] = tests![
    the_log_of_a_task_is_read_and_read_again,
    of_a_long_log_the_last_lines_are_shown,
    what_would_command_the_terminal_is_shown_as_text,
];

const DENIED: &str =
    r#"{"__type":"AccessDeniedException","message":"no identity-based policy allows it"}"#;
const JSON_LINE: &str = r#"{"timestamp":"2026-07-29T10:00:00.123456Z","level":"WARN","message":"refused","status":404,"target":"x","span":{"path":"/map","name":"request"}}"#;
const CTRL_R: &str = "\x12";

fn the_log_of_a_task_is_read_and_read_again() {
    let moto = Moto::start();
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let task = moto.run_tasks("mr", "mr-mapper", 1).remove(0);
    let home = Home::new();
    let script = Script::new([]);
    let (_proxy, environment) = moto.through(&script);
    let mut deck = Deck::new(home.path()).args(PUBLIC).envs(environment).open();
    deck.wait_text(&["Tasks 1"]);

    // No group, then no stream: what to do is the command that shows the log.
    let command = "aws logs tail /mrdeck";
    deck.send("l");
    deck.wait_text(&["CloudWatch has no log", command]);
    moto.create_log_group();
    deck.send(CTRL_R);
    deck.wait_text(&["CloudWatch has no log", "has logged nothing yet"]);

    moto.log("mr-mapper", &task, &["the first line", JSON_LINE]);
    deck.send(CTRL_R);
    deck.wait_text(&["the first line", "WARN  refused status=404 path=/map"]);
    deck.escape("the first line");

    script.replace([Fault::answer(400, DENIED).aws("GetLogEvents")]);
    deck.send("l");
    deck.wait_text(&["logs:GetLogEvents", "no identity-based policy", command]);
    deck.send("q");
}

fn of_a_long_log_the_last_lines_are_shown() {
    let moto = Moto::start();
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let task = moto.run_tasks("mr", "mr-mapper", 1).remove(0);
    moto.create_log_group();
    let lines: Vec<String> = (0..2_000).map(|number| format!("line {number}.")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    moto.log("mr-mapper", &task, &lines);
    let home = Home::new();
    let deck = Deck::new(home.path()).args(PUBLIC);
    let mut deck = deck.envs(moto.environment()).open();
    deck.wait_text(&["Tasks 1"]);
    deck.send("l");
    deck.wait_text(&["line 1998.", "line 1999."]);
    deck.send("g");
    deck.wait_text(&["line 1500."]);
    deck.send("q");
}

/// A line in JSON, and as it is.
fn what_would_command_the_terminal_is_shown_as_text() {
    let moto = Moto::start();
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    moto.create_log_group();
    let task = moto.run_tasks("mr", "mr-mapper", 1).remove(0);
    let line =
        json!({"timestamp": "2026-01-01T00:00:00Z", "level": "INFO", "message": EVIL, EVIL: EVIL});
    let line = line.to_string();
    moto.log("mr-mapper", &task, &[EVIL, &line, "the last line"]);
    let home = Home::new();
    let deck = Deck::new(home.path()).args(PUBLIC);
    let mut deck = deck.envs(moto.environment()).open();
    deck.wait_text(&["Tasks 1"]);
    deck.send("l");
    deck.wait_text(&["Log of", "the last line"]);
    deck.send("\x03");
    expect_harmless("the terminal", &deck.wait().bytes());
}
