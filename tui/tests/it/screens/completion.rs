//! Tab after `:`: what a half-typed command shows, what it asks for, what fills it in.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::{Effect, Msg};
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_core::diagnostic::Diagnostic;

use super::fixtures::{Scene, on_ecs, typed};
use super::{ROOMY, SIZES, check, screen};

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
    assert_eq!(
        scene.press(":cluster "),
        [Effect::LookUp(NameSource::Clusters)]
    );
    check("completion-asking", &scene.state);
    assert_eq!(scene.press("pro"), [], "asked already");
    let names = ["dev-mapreduce", "nightly", "prod-mapreduce", "my-prod"];
    let names = names.map(str::to_owned).to_vec();
    scene.send(Msg::Named(NameSource::Clusters, Ok(names)));
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
        [Effect::LookUp(NameSource::Clusters)],
        "there may be new ones"
    );
    let denied = Diagnostic::new("AWS does not allow you to list the clusters", "");
    scene.send(Msg::Named(NameSource::Clusters, Err(denied)));
    check("completion-refused", &scene.state);

    let mut local = Scene::new().connected();
    assert_eq!(local.press(":cluster "), [], "it can't go anywhere");
    assert!(screen(&local.state, ROOMY).contains("runs a local cluster"));
}

#[test]
fn names_from_outside_do_no_harm() {
    let mut scene = on_ecs();
    scene.press(":profile ");
    let names = vec!["\u{1b}[2Jevil".to_owned(), "x".repeat(500), String::new()];
    scene.send(Msg::Named(NameSource::Profiles, Ok(names)));
    for size in SIZES {
        let shown = screen(&scene.state, size);
        assert!(!shown.contains('\u{1b}') && shown.contains('…'), "{shown}");
    }
}
