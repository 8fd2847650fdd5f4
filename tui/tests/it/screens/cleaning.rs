//! `:clean` as the state sees it: what is asked, what is refused, and when.

use crossterm::event::KeyCode;
use jiff::{SignedDuration, Timestamp};
use mrdeck::clean::{Fate, Inventory, Kind, Remains, Removed};
use mrdeck::dashboard::model::{Effect, Msg};
use mrdeck_core::diagnostic::Diagnostic;

use super::fixtures::{Scene, entered, on_ecs};
use super::{ROOMY, check, screen};

fn inventory(runs: usize) -> Inventory {
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let remains = |kind, name: &str, keys: usize, bytes, hours| Remains {
        kind,
        name: name.to_owned(),
        keys: (0..keys).map(|n| format!("{name}/{n}")).collect(),
        bytes,
        modified: Some(at - SignedDuration::from_hours(hours)),
        fate: Fate::Old,
    };
    let mut all = vec![
        remains(Kind::Upload, "hamlet.txt", 1, 171_000_000, 240),
        remains(Kind::Upload, "a\u{1b}[5i.txt", 1, 9, 3),
        Remains {
            fate: Fate::InUse,
            ..remains(Kind::Run, "01J00000000000000000000000", 12, 5_000, 0)
        },
    ];
    for run in 1..=runs {
        let name = format!("01J000000000000000000000{run:02}");
        all.push(remains(Kind::Run, &name, 12, 345_000, 50));
    }
    Inventory {
        bucket: "b".to_owned(),
        at,
        remains: all,
    }
}

#[test]
fn what_is_old_is_listed_and_only_yes_is_yes() {
    for no in [KeyCode::Enter, KeyCode::Esc, KeyCode::Char('n')] {
        let mut scene = on_ecs();
        assert_eq!(entered(&mut scene, ":clean"), [Effect::FindOld]);
        assert_eq!(scene.send(Msg::OldFound(Ok(inventory(2)))), []);
        assert_eq!(scene.key(no), []);
        assert!(screen(&scene.state, ROOMY).contains("nothing was removed"));
        assert_eq!(entered(&mut scene, ":clean"), [Effect::FindOld]);
    }
    let mut scene = on_ecs();
    entered(&mut scene, ":clean");
    scene.send(Msg::OldFound(Ok(inventory(2))));
    check("confirm-clean", &scene.state);
    assert_eq!(scene.press("y"), [Effect::RemoveOld(inventory(2))]);

    let mut scene = on_ecs();
    entered(&mut scene, ":clean");
    scene.send(Msg::OldFound(Ok(inventory(90))));
    check("confirm-clean-many", &scene.state);
}

#[test]
fn nothing_runs_while_it_is_removed_and_nothing_is_removed_amid_a_run() {
    let mut scene = Scene::new().connected().done();
    entered(&mut scene, ":clean");
    scene.send(Msg::OldFound(Ok(inventory(1))));
    scene.press("y");
    for key in ["s", "R", "v"] {
        assert_eq!(scene.press(key), [], "{key}");
        let shown = screen(&scene.state, ROOMY);
        assert!(
            shown.contains("old uploads and runs are being removed"),
            "{key}"
        );
    }
    let removed = Removed {
        objects: 14,
        bytes: 1_024,
    };
    scene.send(Msg::OldRemoved("b".to_owned(), Ok(removed)));
    assert!(screen(&scene.state, ROOMY).contains("14 objects removed from s3://b, 1.0 KiB"));

    let mut scene = Scene::new().connected().mapping();
    assert_eq!(entered(&mut scene, ":clean"), []);
    assert!(screen(&scene.state, ROOMY).contains("a run is in flight"));
}

#[test]
fn a_run_that_begins_while_it_is_looked_for_wins() {
    let mut scene = Scene::new().connected();
    entered(&mut scene, ":clean");
    assert!(matches!(scene.press("s")[..], [Effect::Start { .. }]));
    scene.send(Msg::OldFound(Ok(inventory(1))));
    assert_eq!(scene.press("y"), []);
    assert!(screen(&scene.state, ROOMY).contains("nothing was removed"));
}

#[test]
fn what_stands_in_the_way_is_said_and_read_only_refuses_it() {
    let mut scene = on_ecs();
    entered(&mut scene, ":clean");
    let denied = Diagnostic::new("access to s3://b/mr/runs/ is denied", "ask for the right");
    scene.send(Msg::OldFound(Err(denied)));
    assert!(screen(&scene.state, ROOMY).contains("access to s3://b/mr/runs/ is denied"));
    assert_eq!(entered(&mut scene, ":clean"), [Effect::FindOld]);

    let mut scene = Scene::read_only().connected();
    assert_eq!(entered(&mut scene, ":clean"), []);
    assert!(screen(&scene.state, ROOMY).contains("--read-only refuses to remove anything"));
}
