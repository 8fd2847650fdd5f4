//! What each key of the table asks for, and when it asks for nothing.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::{
    Effect, Item, LinkInfo, ListAnswer, Location, LogContent, Msg, Overlay, Subject,
};
use mrdeck::input::InputChoice;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::{TaskId, TaskStatus};
use mrdeck_engine::event::{RunOptions, RunStatus, SplitChoice};
use mrdeck_store::Page;

use super::fixtures::{Scene, entered, run_id, uri};

fn connected() -> Scene {
    Scene::new().connected()
}

fn overlay(scene: &Scene) -> &Overlay {
    scene.state.overlay.as_ref().expect("something is open")
}

fn local() -> LinkInfo {
    LinkInfo {
        cluster: "local".to_owned(),
        bucket: Some("mrdeck".to_owned()),
        default_input: Some(uri("liber-primus.txt")),
        can_stop: true,
        region: None,
    }
}

fn lost() -> Msg {
    Msg::LinkLost {
        diagnostic: Diagnostic::new("the cluster is gone", ""),
        is_retried: false,
    }
}

#[test]
fn s_starts_a_run_over_the_default_input_and_not_twice() {
    let mut scene = connected();
    let effects = scene.press("s");
    let [Effect::Start { input, options }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(*input, InputChoice::from(uri("liber-primus.txt")));
    assert_eq!((options.chunks, options.verify), (None, false));
    assert_eq!(scene.press("ssRrv"), [], "one run at a time");
    assert_eq!(connected().mapping().press("s"), [], "in flight");
}

#[test]
fn s_needs_a_cluster_and_an_input() {
    assert_eq!(Scene::new().press("s"), [], "connecting");
    let mut scene = Scene::new();
    scene.send(lost());
    assert_eq!(scene.press("s"), [], "not connected");
    let mut scene = Scene::new();
    scene.send(Msg::Linked(LinkInfo {
        default_input: None,
        ..local()
    }));
    assert!(matches!(&scene.press("s")[..], [Effect::List(_)]));
    assert!(scene.state.browser.is_some(), "one has to be chosen");
}

#[test]
fn r_reruns_only_what_can_be_rerun() {
    let nothing_missing = [
        connected(),
        connected().mapping(),
        connected().verified(),
        connected().found_wrong(),
    ];
    for mut scene in nothing_missing {
        assert_eq!(scene.press("r"), []);
    }
    for mut scene in [connected().failed(), connected().cancelled()] {
        let effects = scene.press("r");
        let [Effect::Resume(record)] = &effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(record.run, run_id());
        assert!(!record.chunks.is_empty());
        assert_eq!(scene.press("r"), [], "not twice");
    }
}

#[test]
fn r_goes_on_with_a_run_that_was_left() {
    let mut scene = connected().left();
    let effects = scene.press("r");
    let [Effect::Resume(record)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(record.run, run_id());
    assert_eq!(scene.press("r"), [], "not twice");

    // Whoever has begun something else is not disturbed.
    let left = connected().left().state.run.record().unwrap().clone();
    for mut scene in [connected().mapping(), connected().done()] {
        let status = scene.state.run.record().unwrap().status;
        scene.send(Msg::Unfinished(Box::new(left.clone())));
        assert_eq!(scene.state.run.record().unwrap().status, status);
    }
}

#[test]
fn capital_r_runs_again_over_the_same_input() {
    assert_eq!(connected().press("R"), [], "nothing ran yet");
    assert_eq!(connected().mapping().press("R"), [], "in flight");
    for mut scene in [
        connected().done(),
        connected().failed(),
        connected().cancelled(),
    ] {
        scene.press(":input s3://mrdeck/another.txt");
        scene.key(KeyCode::Enter);
        let effects = scene.press("R");
        let [Effect::Start { input, .. }] = &effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(*input, InputChoice::from(uri("liber-primus.txt")));
    }
}

#[test]
fn what_was_chosen_holds_when_a_run_is_done_again_and_the_rest_is_as_it_was() {
    let again = |scene: &mut Scene| match &scene.press("R")[..] {
        [Effect::Start { options, .. }] => options.clone(),
        effects => panic!("{effects:?}"),
    };
    let mut scene = connected().done();
    let before = scene.state.run.record().unwrap().options.clone();
    assert_eq!(again(&mut scene), before);

    let mut scene = connected().done();
    for line in [":verify on", ":split range", ":chunks 7"] {
        scene.press(line);
        scene.key(KeyCode::Enter);
    }
    let options = again(&mut scene);
    assert!(options.verify);
    assert_eq!(
        (options.split, options.chunks),
        (SplitChoice::Range, Some(7))
    );

    // One of a run that another console left: what was not chosen here is its own.
    let mut scene = connected().left();
    scene.press(":verify on");
    scene.key(KeyCode::Enter);
    let own = scene.state.run.record().unwrap().options.clone();
    assert_eq!(
        again(&mut scene),
        RunOptions {
            verify: true,
            ..own
        }
    );
}

#[test]
fn o_begins_where_the_chosen_input_is_and_leads_up_from_there() {
    let mut scene = connected();
    entered(&mut scene, ":input s3://mine/logs/2026/b.txt");
    let listed = |effects: Vec<Effect>| match &effects[..] {
        [Effect::List(request)] => request.clone(),
        effects => panic!("{effects:?}"),
    };
    let objects = |names: &[&str]| {
        let item = |key: &&str| Item::Object {
            key: (*key).to_owned(),
            size: 1,
            modified: None,
        };
        ListAnswer::Page(Page {
            items: names.iter().map(item).collect(),
            next: None,
        })
    };
    let at = |scene: &Scene| {
        let listing = scene.state.browser.as_ref().unwrap().listing();
        (listing.location.to_string(), listing.cursor())
    };
    for line in ["o", ":input"] {
        let effects = match line {
            "o" => scene.press("o"),
            line => entered(&mut scene, line),
        };
        let request = listed(effects);
        let names = ["logs/2026/a.txt", "logs/2026/b.txt", "logs/2026/c.txt"];
        scene.send(Msg::Listed(request, objects(&names)));
        assert_eq!(at(&scene), ("s3://mine/logs/2026/".to_owned(), 1), "on it");
        let request = listed(scene.press("h"));
        assert_eq!(request.location.to_string(), "s3://mine/logs/");
        let below = ["logs/2025/", "logs/2026/"].map(|key| Item::Prefix(key.to_owned()));
        let page = Page {
            items: below.to_vec(),
            next: None,
        };
        scene.send(Msg::Listed(request, ListAnswer::Page(page)));
        assert_eq!(
            at(&scene),
            ("s3://mine/logs/".to_owned(), 1),
            "where it was"
        );
        assert_eq!(listed(scene.press("h")).location.to_string(), "s3://mine/");
        assert_eq!(listed(scene.press("h")).location, Location::Buckets);
        assert_eq!(scene.press("h"), [], "the top");
        assert!(scene.state.browser.is_none());
    }
}

#[test]
fn x_cancels_once_and_only_a_run_under_way() {
    for mut scene in [connected(), connected().done(), connected().failed()] {
        assert_eq!(scene.press("x"), []);
    }
    let mut scene = connected().pressed("s");
    assert_eq!(scene.press("x"), [Effect::Cancel], "before the first event");
    let mut scene = connected().mapping();
    assert_eq!(scene.press("xxx"), [Effect::Cancel], "once is enough");
}

#[test]
fn v_verifies_a_result_that_was_not_verified() {
    let not_now = [
        connected(),
        connected().mapping(),
        connected().failed(),
        connected().cancelled(),
        connected().verified(),
    ];
    for mut scene in not_now {
        assert_eq!(scene.press("v"), []);
    }
    let effects = connected().done().press("v");
    assert!(matches!(&effects[..], [Effect::Verify(record)] if record.status == RunStatus::Done));
}

#[test]
fn e_exports_a_run_that_ended() {
    for mut scene in [connected(), connected().mapping()] {
        assert_eq!(scene.press("e"), []);
    }
    for mut scene in [
        connected().done(),
        connected().failed(),
        connected().cancelled(),
    ] {
        let effects = scene.press("e");
        assert!(matches!(&effects[..], [Effect::ExportChart(record)] if record.run == run_id()));
        assert_eq!(scene.press("e").len(), 1, "again: under another name");
    }
}

#[test]
fn o_takes_a_new_input_or_leaves_the_old_one() {
    let mut scene = connected().pressed("oi");
    scene.press("s3://mine/a key.txt");
    assert_eq!(scene.key(KeyCode::Enter), []);
    let chosen = "s3://mine/a key.txt".parse::<InputChoice>().unwrap();
    assert_eq!(scene.state.next_run.input(), Some(&chosen));
    assert!(
        scene.state.browser.is_none(),
        "chosen: nothing is in the way"
    );
    scene.press("oihttp");
    scene.key(KeyCode::Esc);
    scene.press("q");
    assert!(scene.state.browser.is_none());
    assert_eq!(scene.state.next_run.input(), Some(&chosen));
    assert!(scene.state.overlay.is_none());
    scene.press("oi");
    scene.key(KeyCode::Enter);
    assert!(
        matches!(overlay(&scene), Overlay::Prompt(prompt) if prompt.problem().is_some()),
        "an empty line is no input"
    );
    scene.press("x");
    assert!(
        matches!(overlay(&scene), Overlay::Prompt(prompt) if prompt.problem().is_none()),
        "the problem goes when the line changes"
    );
    assert_eq!(scene.state.next_run.input(), Some(&chosen));
}

#[test]
fn d_describes_what_is_selected_where_there_is_something() {
    let mut scene = connected().pressed("jd");
    let expected = Subject::Task(TaskId("mapper-1".to_owned()));
    assert!(matches!(overlay(&scene), Overlay::Describe { subject, .. } if *subject == expected));
    scene.key(KeyCode::Esc);
    assert!(scene.state.overlay.is_none());
    for tabs in 1..5 {
        let scene = connected().tabs(tabs).pressed("d");
        assert!(scene.state.overlay.is_none(), "panel {tabs} is empty");
    }
    let scene = connected().done().tabs(1).pressed("d");
    assert!(matches!(
        overlay(&scene),
        Overlay::Describe {
            subject: Subject::Row(_),
            ..
        }
    ));
}

#[test]
fn l_asks_for_the_selected_tasks_log() {
    let task = TaskId("mapper-2".to_owned());
    let mut scene = connected();
    assert_eq!(scene.press("jjl"), [Effect::FetchLogs(task.clone())]);
    scene.send(Msg::Logs(
        TaskId("mapper-1".to_owned()),
        Ok(vec!["late".to_owned()]),
    ));
    assert!(
        matches!(
            overlay(&scene),
            Overlay::Logs {
                content: LogContent::Loading,
                ..
            }
        ),
        "another task's log is not shown here"
    );
    scene.send(Msg::Logs(task.clone(), Ok(vec!["line".to_owned()])));
    assert!(matches!(
        overlay(&scene),
        Overlay::Logs {
            content: LogContent::Lines(_),
            ..
        }
    ));
    scene.press("q");
    scene.send(Msg::Logs(task, Ok(Vec::new())));
    assert!(scene.state.overlay.is_none(), "a closed log stays closed");
    assert_eq!(connected().tabs(1).press("l"), [], "only for tasks");
}

#[test]
fn stopping_a_task_asks_and_only_yes_is_yes() {
    let task = TaskId("mapper-1".to_owned());
    for yes in ["y", "Y"] {
        let mut scene = connected();
        assert_eq!(scene.press("jS"), [], "asks first");
        assert!(matches!(overlay(&scene), Overlay::ConfirmStop { task: asked } if *asked == task));
        assert_eq!(scene.press(yes), [Effect::StopTask(task.clone())]);
        assert!(scene.state.overlay.is_none());
    }
    for no in [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Char('n'),
        KeyCode::Char('N'),
        KeyCode::Char('q'),
    ] {
        let mut scene = connected().pressed("jS");
        assert_eq!(scene.key(no), [], "{no:?}");
        assert!(scene.state.overlay.is_none(), "{no:?} closes the question");
    }
    let mut scene = connected().pressed("jS");
    assert_eq!(scene.press("sSxjk ?"), []);
    assert!(
        scene.state.overlay.is_some(),
        "other keys neither stop nor close"
    );
}

#[test]
fn a_task_is_stopped_only_where_it_can_and_may_be() {
    assert_eq!(connected().tabs(1).press("Sy"), [], "another panel");
    assert_eq!(Scene::read_only().connected().press("Sy"), [], "read-only");
    let mut scene = connected();
    scene.send(Msg::Linked(LinkInfo {
        can_stop: false,
        ..local()
    }));
    assert_eq!(scene.press("Sy"), [], "fixed addresses");
    let mut scene = connected();
    let mut tasks = scene.state.session.tasks().tasks.to_vec();
    tasks[0].last_status = TaskStatus::Stopped;
    scene.list(tasks);
    assert_eq!(scene.press("Sy"), [], "stopped already");
}

#[test]
fn c_copies_what_is_selected() {
    let copied = |mut scene: Scene| match &scene.press("c")[..] {
        [Effect::Copy(text)] => Some(text.clone()),
        [] => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        copied(connected().pressed("j")),
        Some("127.0.0.1:40211".to_owned())
    );
    assert_eq!(copied(connected().tabs(3)), None, "no result yet");
    let out = uri(&format!("mr/runs/{}/reduce/final_a1.json", run_id())).to_string();
    assert_eq!(copied(connected().done().tabs(3)), Some(out));
    assert_eq!(
        copied(connected().tabs(4)),
        Some("connected to local".to_owned())
    );
}

#[test]
fn ctrl_r_asks_again_or_connects_again() {
    let mut scene = connected();
    assert_eq!(scene.ctrl('r'), [Effect::Refresh]);
    scene.send(lost());
    assert_eq!(scene.ctrl('r'), [Effect::Connect]);
    assert_eq!(scene.ctrl('r'), [], "already connecting");
}
