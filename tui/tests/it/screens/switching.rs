//! `:cluster`, `:profile` and `:region` as the state sees them: what is left behind, what is kept, what is refused.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::{Effect, Link, Msg, Switch, Target};
use mrdeck_core::diagnostic::Diagnostic;

use super::fixtures::{Scene, entered, linked, on_ecs};
use super::{ROOMY, check, screen};

#[test]
fn a_switch_leaves_the_tasks_behind_and_keeps_the_run() {
    let mut scene = on_ecs();
    entered(&mut scene, ":input s3://mrdeck/liber-primus.txt");
    let mut scene = scene.done();
    let run = scene.state.run.record().cloned();
    let effects = entered(&mut scene, ":cluster other");
    assert_eq!(
        effects,
        [Effect::Switch(Switch::Cluster("other".to_owned()))]
    );
    assert!(matches!(scene.state.session.link(), Link::Connecting));
    assert!(scene.state.session.tasks().tasks.is_empty());
    assert_eq!(scene.state.run.record(), run.as_ref());
    check("switching", &scene.state);
    scene.send(Msg::LinkLost {
        diagnostic: Diagnostic::new("there is no ECS cluster 'other' here", "check its name"),
        is_retried: true,
    });
    check("switched-in-vain", &scene.state);
    entered(&mut scene, ":cluster mapreduce");
    scene.send(linked("mapreduce"));
    let shown = screen(&scene.state, ROOMY);
    assert!(shown.contains("mapreduce eu-central-1"), "{shown}");
}

#[test]
fn nobody_is_torn_from_a_run_or_from_scaling() {
    let mut scene = on_ecs();
    entered(&mut scene, ":input s3://mrdeck/liber-primus.txt");
    let mut scene = scene.mapping();
    assert_eq!(entered(&mut scene, ":region eu-west-1"), []);
    assert!(screen(&scene.state, ROOMY).contains("a run is in flight"));
    let mut scene = on_ecs();
    entered(&mut scene, ":scale mapper 4");
    assert_eq!(entered(&mut scene, ":profile work"), []);
    assert!(screen(&scene.state, ROOMY).contains("tasks are being started or stopped"));
    let mut local = Scene::new().connected();
    assert_eq!(entered(&mut local, ":cluster mr"), []);
    assert_eq!(*local.state.session.target(), Target::default());
}

#[test]
fn a_switch_closes_the_browser_of_the_place_before() {
    let mut scene = on_ecs().pressed("o");
    assert!(scene.state.browser.is_some());
    scene.press(":");
    let asked = scene.press("region ");
    assert!(
        matches!(&asked[..], [Effect::LookUp(_)]),
        "completed here, too: {asked:?}"
    );
    scene.press("eu-west-3");
    let effects = scene.key(KeyCode::Enter);
    assert!(matches!(&effects[..], [Effect::Switch(_)]), "{effects:?}");
    assert!(scene.state.browser.is_none());
}
