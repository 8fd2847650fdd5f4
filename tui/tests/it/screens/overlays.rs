//! What opens over the panels: help, descriptions, logs, the question, the prompts.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::Msg;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;

use super::fixtures::Scene;
use super::{ROOMY, check, screen};

#[test]
fn the_help() {
    check("help", &Scene::new().connected().pressed("?").state);
}

#[test]
fn a_task_described() {
    let scene = Scene::new().connected().pressed("jd");
    check("describe-task", &scene.state);
}

#[test]
fn why_a_task_stopped_is_described_where_it_is_known() {
    let reason = "OutOfMemoryError: Container killed";
    let mut scene = Scene::new().connected();
    let described = |scene: &mut Scene| {
        scene.press("jd");
        let shown = screen(&scene.state, ROOMY);
        scene.press("qk");
        shown
    };
    assert!(!described(&mut scene).contains("stopped because"));
    let mut tasks = scene.state.session.tasks().tasks.to_vec();
    tasks[1].stopped_reason = Some(reason.to_owned());
    scene.list(tasks);
    let shown = described(&mut scene);
    assert!(shown.contains("stopped because") && shown.contains(reason));
}

#[test]
fn a_chunk_with_three_attempts_described() {
    let scene = Scene::new().connected().done().tabs(1).pressed("jjjd");
    check("describe-chunk", &scene.state);
}

#[test]
fn the_run_described() {
    let scene = Scene::new().connected().failed().tabs(1).pressed("jjd");
    check("describe-run", &scene.state);
}

#[test]
fn a_log() {
    let mut scene = Scene::new().connected().pressed("jl");
    check("logs-loading", &scene.state);
    let lines = (0..60).map(|n| {
        format!("2026-03-14T09:27:{n:02}.004Z  INFO answered role=mapper path=/map chunk={n:05} attempt=1 run=01KKP4R4XJ8Z3V9Q2T6W5M7C1D status=200 ms=58")
    });
    scene.send(Msg::Logs(
        TaskId("mapper-1".to_owned()),
        Ok(lines.collect()),
    ));
    check("logs", &scene.state);
    let diagnostic = Diagnostic::new(
        "the logs of mapper-1 are not kept here",
        "look for them where the task was started",
    );
    scene.send(Msg::Logs(TaskId("mapper-1".to_owned()), Err(diagnostic)));
    check("logs-missing", &scene.state);
}

#[test]
fn the_question_before_a_run_is_left() {
    let scene = Scene::new().connected().mapping().pressed("q");
    check("confirm-quit", &scene.state);
}

#[test]
fn the_question_before_a_task_is_stopped() {
    let scene = Scene::new().connected().pressed("jS");
    check("confirm-stop", &scene.state);
}

#[test]
fn prompts() {
    let mut scene = Scene::new().connected().pressed("oi");
    check("prompt-input", &scene.state);
    scene.press("http://example.com/text");
    scene.key(KeyCode::Enter);
    check("prompt-input-refused", &scene.state);
    scene.key(KeyCode::Esc);
    scene.press("q");
    scene.press(":");
    check("prompt-command", &scene.state);
    scene.press("chunks 10001");
    scene.key(KeyCode::Enter);
    check("prompt-command-refused", &scene.state);
}
