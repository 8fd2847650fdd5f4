//! `:scale` as the state sees it: what is done at once, what is asked first, what is refused.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::{Effect, Msg, Overlay};
use mrdeck_cluster::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest, Step};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::TaskId;

use super::fixtures::{Scene, entered, on_ecs, typed};
use super::{ROOMY, check, screen};

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
    scene.send(Msg::ScaleEvent(ScaleEvent::Retrying {
        reason: "RESOURCE:ENI".to_owned(),
        retry_in: std::time::Duration::from_secs(3),
    }));
    assert!(screen(&scene.state, ROOMY).contains("RESOURCE:ENI; retrying in 3s"));
    scene.send(Msg::Scaled(ScaleReport {
        plan: starting,
        running: 3,
        diagnostic: Some(Diagnostic::new("RESOURCE:ENI", "later")),
    }));
    assert!(screen(&scene.state, ROOMY).contains("3 of 4 mappers run: RESOURCE:ENI"));
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
    assert!(screen(&scene.state, ROOMY).contains("--read-only refuses to start or stop tasks"));
    scene.key(KeyCode::Esc);
    assert_eq!(scene.press("s"), []);
    assert!(screen(&scene.state, ROOMY).contains("--read-only refuses to start a run"));
    assert_eq!(Scene::read_only().connected().failed().press("r"), []);
    assert_eq!(Scene::read_only().connected().done().press("R"), []);
    let looks = Scene::read_only().connected().done().press("v");
    assert!(matches!(&looks[..], [Effect::Verify(_)]), "it only reads");
}
