//! Scaling and switching as the state sees them: what is asked, what is refused, what a half-typed command shows.

use crossterm::event::KeyCode;
use mrdeck::app::{Effect, Link, LinkInfo, Msg, Overlay};
use mrdeck::switch::{Kind, Place, Switch};
use mrdeck_cluster::aws::places::Places;
use mrdeck_cluster::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskId;

use super::scene::{Scene, ecs_tasks};
use super::{check, screen};

const WIDE: (u16, u16) = (120, 40);

/// On ECS, where one can go elsewhere.
fn on_ecs() -> Scene {
    let mut scene = Scene::new().after(1_000);
    scene.state.place.kind = Kind::Ecs("mapreduce".to_owned());
    scene.send(linked("mapreduce"));
    scene.list(ecs_tasks(scene.now));
    scene
}

fn linked(cluster: &str) -> Msg {
    Msg::Linked(LinkInfo {
        cluster: cluster.to_owned(),
        bucket: None,
        default_input: None,
        can_stop: true,
        region: Some("eu-central-1".to_owned()),
    })
}

fn entered(scene: &mut Scene, line: &str) -> Vec<Effect> {
    scene.press(line);
    scene.key(KeyCode::Enter)
}

fn typed(scene: &Scene) -> String {
    match &scene.state.overlay {
        Some(Overlay::Prompt { input, .. }) => input.value().to_owned(),
        other => panic!("{other:?}"),
    }
}

const FOUR: ScaleRequest = ScaleRequest {
    role: Role::Mapper,
    count: 4,
};

fn plan(step: Step) -> ScalePlan {
    ScalePlan {
        wanted: FOUR,
        now: 6,
        step,
    }
}

fn stopping() -> ScalePlan {
    let tasks = ["a", "b"].map(|id| TaskId(id.to_owned())).into();
    plan(Step::Stop { tasks })
}

#[test]
fn what_only_starts_tasks_is_done_at_once() {
    let mut scene = on_ecs();
    assert_eq!(
        entered(&mut scene, ":scale mapper 4"),
        [Effect::PlanScale(FOUR)]
    );
    assert_eq!(entered(&mut scene, ":scale mapper 5"), [], "one at a time");
    scene.key(KeyCode::Esc);
    let like = Vec::new();
    let starting = plan(Step::Start { count: 1, like });
    let effects = scene.send(Msg::ScalePlanned(Ok(starting.clone())));
    assert_eq!(effects, [Effect::Scale(starting.clone())]);
    scene.send(Msg::ScaleEvent(ScaleEvent::PutOff {
        reason: "RESOURCE:ENI".to_owned(),
        retry_in: std::time::Duration::from_secs(3),
    }));
    assert!(screen(&scene.state, WIDE).contains("RESOURCE:ENI; tried again in 3s"));
    scene.send(Msg::Scaled(ScaleReport {
        plan: starting,
        running: 3,
        diagnostic: Some(Diagnostic::new("RESOURCE:ENI", "later")),
    }));
    assert!(screen(&scene.state, WIDE).contains("3 of 4 mappers run: RESOURCE:ENI"));
    assert_eq!(
        entered(&mut scene, ":scale mapper 4"),
        [Effect::PlanScale(FOUR)]
    );
}

#[test]
fn what_stops_tasks_is_asked_and_only_yes_is_yes() {
    for no in [KeyCode::Enter, KeyCode::Esc, KeyCode::Char('n')] {
        let mut scene = on_ecs();
        entered(&mut scene, ":scale mapper 4");
        assert_eq!(scene.send(Msg::ScalePlanned(Ok(stopping()))), []);
        assert_eq!(scene.key(no), []);
        assert!(scene.state.overlay.is_none());
        let again = entered(&mut scene, ":scale mapper 4");
        assert_eq!(again, [Effect::PlanScale(FOUR)], "nothing is under way");
    }
    let mut scene = on_ecs();
    entered(&mut scene, ":scale mapper 4");
    scene.send(Msg::ScalePlanned(Ok(stopping())));
    check("confirm-scale", &scene.state);
    assert_eq!(scene.press("y"), [Effect::Scale(stopping())]);

    let mut scene = on_ecs();
    entered(&mut scene, ":scale mapper 4");
    let name = "mr-mapper".to_owned();
    let service = plan(Step::Service {
        name,
        from: 6,
        to: 4,
    });
    scene.send(Msg::ScalePlanned(Ok(service)));
    check("confirm-scale-service", &scene.state);
}

#[test]
fn the_question_waits_until_nothing_else_is_open() {
    let mut scene = on_ecs();
    entered(&mut scene, ":scale mapper 4");
    scene.press("/y");
    scene.send(Msg::ScalePlanned(Ok(stopping())));
    assert_eq!(scene.press("y"), [], "this is still the filter");
    assert_eq!(typed(&scene), "yy");
    scene.key(KeyCode::Esc);
    assert!(matches!(
        &scene.state.overlay,
        Some(Overlay::ConfirmScale { .. })
    ));
}

#[test]
fn with_read_only_there_is_neither_scaling_nor_a_run() {
    let mut scene = Scene::read_only().connected();
    assert_eq!(entered(&mut scene, ":scale mapper 4"), []);
    assert!(screen(&scene.state, WIDE).contains("--read-only refuses to start or stop tasks"));
    scene.key(KeyCode::Esc);
    assert_eq!(scene.press("s"), []);
    assert!(screen(&scene.state, WIDE).contains("--read-only refuses to start a run"));
    assert_eq!(Scene::read_only().connected().failed().press("r"), []);
    assert_eq!(Scene::read_only().connected().done().press("R"), []);
    let looks = Scene::read_only().connected().done().press("v");
    assert!(matches!(&looks[..], [Effect::Verify(_)]), "it only reads");
}

#[test]
fn a_switch_leaves_the_tasks_behind_and_keeps_the_run() {
    let mut scene = on_ecs();
    scene.state.input = Scene::new().connected().state.input;
    let mut scene = scene.done();
    let run = scene.state.run.clone();
    let effects = entered(&mut scene, ":cluster other");
    assert_eq!(
        effects,
        [Effect::Switch(Switch::Cluster("other".to_owned()))]
    );
    assert!(matches!(scene.state.link, Link::Connecting));
    assert!(scene.state.tasks.tasks.is_empty());
    assert_eq!(scene.state.run, run);
    check("switching", &scene.state);
    scene.send(Msg::LinkLost {
        diagnostic: Diagnostic::new("there is no ECS cluster 'other' here", "check its name"),
        is_retried: true,
    });
    check("switched-in-vain", &scene.state);
    entered(&mut scene, ":cluster mapreduce");
    scene.send(linked("mapreduce"));
    let shown = screen(&scene.state, WIDE);
    assert!(shown.contains("mapreduce eu-central-1"), "{shown}");
}

#[test]
fn nobody_is_torn_from_a_run_or_from_scaling() {
    let mut scene = on_ecs();
    scene.state.input = Scene::new().connected().state.input;
    let mut scene = scene.mapping();
    assert_eq!(entered(&mut scene, ":region eu-west-1"), []);
    assert!(screen(&scene.state, WIDE).contains("a run is in flight here"));
    let mut scene = on_ecs();
    entered(&mut scene, ":scale mapper 4");
    assert_eq!(entered(&mut scene, ":profile work"), []);
    assert!(screen(&scene.state, WIDE).contains("tasks are being started or stopped here"));
    let mut local = Scene::new().connected();
    assert_eq!(entered(&mut local, ":cluster mr"), []);
    assert_eq!(local.state.place, Place::default());
}

#[test]
fn tab_fills_in_what_there_is() {
    let mut scene = on_ecs();
    scene.press(":sc");
    scene.key(KeyCode::Tab);
    assert_eq!(typed(&scene), "scale ");
    scene.key(KeyCode::Tab);
    assert_eq!(typed(&scene), "scale splitter ");
    scene.key(KeyCode::Tab);
    assert_eq!(typed(&scene), "scale mapper ");
    scene.key(KeyCode::BackTab);
    scene.key(KeyCode::BackTab);
    assert_eq!(typed(&scene), "scale reducer ");
    scene.press("3");
    scene.key(KeyCode::Tab);
    assert_eq!(
        typed(&scene),
        "scale reducer 3",
        "there is nothing to fill in"
    );
    let mut other = on_ecs().pressed(":nonsense");
    other.key(KeyCode::Tab);
    assert_eq!(typed(&other), "nonsense");
}

#[test]
fn names_are_asked_for_once_and_match_in_the_middle_too() {
    let mut scene = on_ecs();
    assert_eq!(scene.press(":cluster "), [Effect::LookUp(Places::Clusters)]);
    check("completion-asking", &scene.state);
    assert_eq!(scene.press("pro"), [], "asked already");
    let names = ["dev-mapreduce", "nightly", "prod-mapreduce", "my-prod"];
    let names = names.map(str::to_owned).to_vec();
    scene.send(Msg::Named(Places::Clusters, Ok(names)));
    scene.key(KeyCode::Tab);
    assert_eq!(
        typed(&scene),
        "cluster prod-mapreduce",
        "what begins so comes first"
    );
    check("completion-names", &scene.state);
    scene.key(KeyCode::Tab);
    assert_eq!(typed(&scene), "cluster my-prod");
    scene.key(KeyCode::Esc);
    assert_eq!(
        scene.press(":cluster "),
        [Effect::LookUp(Places::Clusters)],
        "there may be new ones"
    );
    let denied = Diagnostic::new("AWS does not allow you to list the clusters", "");
    scene.send(Msg::Named(Places::Clusters, Err(denied)));
    check("completion-refused", &scene.state);

    let mut local = Scene::new().connected();
    assert_eq!(local.press(":cluster "), [], "it can't go anywhere");
    assert!(screen(&local.state, WIDE).contains("runs a local cluster"));
}

#[test]
fn names_from_outside_do_no_harm() {
    let mut scene = on_ecs();
    scene.press(":profile ");
    let names = vec!["\u{1b}[2Jevil".to_owned(), "x".repeat(500), String::new()];
    scene.send(Msg::Named(Places::Profiles, Ok(names)));
    for size in super::SIZES {
        let shown = screen(&scene.state, size);
        assert!(!shown.contains('\u{1b}') && shown.contains('…'), "{shown}");
    }
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
