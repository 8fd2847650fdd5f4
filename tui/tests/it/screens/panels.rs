//! The panels in every state a run goes through.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::{LinkInfo, Msg};
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::role::Role;
use mrdeck_core::task::{Probe, TaskList, TaskStatus};

use super::fixtures::{Scene, ecs_tasks, task};
use super::{SIZES, check_at, check_panels, screen};

#[test]
fn the_first_frame() {
    check_panels("connecting", &Scene::new().state);
}

#[test]
fn a_cluster_that_is_not_there() {
    let mut scene = Scene::new();
    scene.wait(40);
    scene.send(Msg::LinkLost {
        diagnostic: Diagnostic::new(
            "another mrdeck already runs a local cluster on /home/ada/.local/state/mrdeck/local",
            "end that one, or choose another folder with --local-data DIR",
        ),
        is_retried: false,
    });
    check_panels("not-connected", &scene.state);
}

#[test]
fn a_cluster_that_is_tried_again_is_complained_of_once() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.wait(10_000);
        scene.send(Msg::LinkLost {
            diagnostic: Diagnostic::new(
                "no valid AWS credentials: the token has expired",
                "renew them where they come from ('mrdeck doctor' says where), or choose another --profile",
            ),
            is_retried: true,
        });
    }
    check_panels("no-credentials", &scene.state);
}

#[test]
fn five_tasks_and_no_run() {
    check_panels("no-run", &Scene::new().connected().state);
}

#[test]
fn a_list_that_is_stale_says_since_when_and_why() {
    let mut scene = Scene::new().connected();
    scene.wait(34_000);
    let mut list = scene.state.session.tasks().clone();
    list.problem = Some(Diagnostic::new(
        "AWS asks to slow down (ThrottlingException)",
        "the list is refreshed less often until it answers again",
    ));
    scene.send(Msg::Tasks(list));
    check_panels("stale-list", &scene.state);
}

#[test]
fn public_ips_that_may_not_be_looked_up() {
    let mut scene = Scene::new().connected();
    let tasks = ecs_tasks(scene.now).into_iter().map(|mut task| {
        task.public_ip = None;
        task
    });
    let mut list = TaskList::new(tasks.collect());
    list.at = Some(scene.now);
    list.public_ips = Some(
        Diagnostic::new(
            "AWS does not allow you to look up public IPs (ec2:DescribeNetworkInterfaces)",
            "ask for the permission, or use another --profile",
        )
        .of_kind(DiagnosticKind::Denied),
    );
    scene.send(Msg::Tasks(list));
    check_panels("public-ips-denied", &scene.state);
}

#[test]
fn a_wide_window_shows_every_column() {
    let mut scene = Scene::new().connected();
    let tasks = ecs_tasks(scene.now);
    scene.list(tasks);
    let shown = screen(&scene.state, (170, 40));
    for text in [
        "CPU/MEM",
        "256/512",
        "mr-mapper:7",
        "eu-central-1a",
        "10.0.137.11:8080",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}

#[test]
fn tasks_on_ecs() {
    let mut scene = Scene::new();
    scene.send(Msg::Linked(LinkInfo {
        cluster: "mapreduce-lab".to_owned(),
        bucket: Some("my-bucket".to_owned()),
        default_input: None,
        can_stop: true,
        region: Some("eu-central-1".to_owned()),
    }));
    let tasks = ecs_tasks(scene.now);
    scene.list(tasks);
    scene.wait(3_723_000);
    for size in SIZES {
        let shown = screen(&scene.state, size);
        for (public, private) in [
            ("203.0.113.111", "10.0.137.11"),
            ("203.0.113.115", "10.0.137.15"),
        ] {
            let is_whole = |ip: &str| {
                [' ', ':']
                    .iter()
                    .any(|end| shown.contains(&format!("{ip}{end}")))
            };
            assert!(
                is_whole(public) && is_whole(private),
                "half an address is another one:\n{shown}"
            );
        }
    }
    check_panels("ecs", &scene.state);
    scene.press("jjd");
    check_panels("ecs-task", &scene.state);
}

#[test]
fn a_run_in_flight_with_one_chunk_to_be_tried_again() {
    check_panels("mapping", &Scene::new().connected().mapping().state);
}

#[test]
fn a_run_that_is_done() {
    check_panels("done", &Scene::new().connected().done().state);
}

#[test]
fn a_result_says_what_share_of_the_input_is_beyond_ascii() {
    let scene = Scene::new().connected().verified_beyond_ascii();
    check_panels("beyond-ascii", &scene.state);
}

#[test]
fn a_run_that_is_done_and_verified() {
    check_panels("verified", &Scene::new().connected().verified().state);
}

#[test]
fn a_run_whose_recount_differs() {
    check_panels("found-wrong", &Scene::new().connected().found_wrong().state);
}

#[test]
fn a_run_with_a_chunk_given_up() {
    check_panels("failed", &Scene::new().connected().failed().state);
}

#[test]
fn a_run_that_was_cancelled() {
    check_panels("cancelled", &Scene::new().connected().cancelled().state);
}

#[test]
fn a_run_that_another_dashboard_left() {
    check_panels("left", &Scene::new().connected().left().state);
}

#[test]
fn what_is_done_about_faults_is_said() {
    let scene = Scene::new().connected().hardened();
    check_panels("hardened", &scene.state);
    let mut scene = scene.tabs(4);
    scene.key(KeyCode::Enter);
    check_panels("hardened-events", &scene.state);
}

#[test]
fn stopped_tasks_come_last_and_many_of_them_are_one_line() {
    let mut scene = Scene::new().connected();
    let mut tasks = scene.state.session.tasks().tasks.to_vec();
    let stopped = |n: usize| {
        let id = format!("stopped-{n}");
        let mut task = task(&id, Role::Mapper, 40_600, scene.now);
        (task.last_status, task.probe) = (TaskStatus::Stopped, Probe::Unknown);
        task
    };
    let gone: Vec<_> = (1..=8).map(stopped).collect();
    tasks.splice(1..1, gone[..3].to_vec());
    scene.list(tasks.clone());
    check_panels("three-stopped", &scene.state);
    tasks.splice(3..3, gone[3..].to_vec());
    scene.list(tasks);
    check_panels("eight-stopped", &scene.state);
    // The cursor does not go where nothing is seen.
    scene.press("G");
    assert_eq!(scene.state.selected_task().unwrap().id.0, "reducer-1");
    scene.key(KeyCode::Enter);
    scene.press("G");
    assert_eq!(scene.state.selected_task().unwrap().id.0, "stopped-8");
    assert!(screen(&scene.state, (80, 24)).contains("stopped-8"));
    scene.key(KeyCode::Esc);
    assert_eq!(scene.state.selected_task().unwrap().id.0, "stopped-8");
    scene.press("g");
    scene.press("/stopped-");
    assert!(screen(&scene.state, (80, 24)).contains("stopped-1"));
}

#[test]
fn the_time_of_a_run_larger_and_moved() {
    let mut scene = Scene::new().connected().large().pressed("++");
    check_panels("timeline-larger", &scene.state);
    scene.press("[[");
    check_panels("timeline-earlier", &scene.state);
    scene.wait(100);
    scene.press("f-w");
    check_panels("timeline-hidden", &scene.state);
    scene.press("+");
    assert!(screen(&scene.state, (80, 24)).contains("w shows it"));
    scene.press("w-");
    let whole = screen(&scene.state, (120, 40));
    scene.press("-");
    assert_eq!(
        screen(&scene.state, (120, 40)),
        whole,
        "no more than the whole"
    );
}

#[test]
fn a_thousand_chunks_scrolled_to_the_end() {
    let scene = Scene::new().connected().large();
    check_panels("large", &scene.state);
    let scene = scene.tabs(1).pressed("G");
    check_panels("large-end", &scene.state);
}

#[test]
fn each_panel_with_the_whole_screen() {
    for (tabs, name) in ["tasks", "pipeline", "latency", "results", "events"]
        .into_iter()
        .enumerate()
    {
        let mut scene = Scene::new().connected().done().tabs(tabs);
        scene.key(KeyCode::Enter);
        check_panels(&format!("zoomed-{name}"), &scene.state);
    }
}

#[test]
fn a_filter_is_shown_where_it_filters() {
    let mut scene = Scene::new().connected().done();
    scene.press("/mapper-2");
    check_panels("filter-typed", &scene.state);
    scene.key(KeyCode::Enter);
    check_panels("filter", &scene.state);
    scene.press("/zzz");
    scene.key(KeyCode::Enter);
    check_panels("filter-without-match", &scene.state);
}

#[test]
fn a_console_that_may_not_stop_tasks() {
    let scene = Scene::read_only().connected().done();
    for size in SIZES {
        let shown = screen(&scene.state, size);
        let header = shown.lines().next().unwrap_or_default();
        assert!(
            header.contains("read-only ") && header.contains(" run …"),
            "{header}"
        );
    }
    check_panels("read-only", &scene.state);
}

#[test]
fn a_window_too_small_is_told_so_and_none_is_too_small_to_draw() {
    let scene = Scene::new().connected().done();
    check_at("too-small", &scene.state, (60, 20));
    for size in [(1, 1), (2, 1), (1, 24), (79, 24), (80, 23)] {
        let shown = screen(&scene.state, size);
        assert!(!shown.contains("Tasks"), "{size:?}: {shown}");
    }
    assert!(screen(&scene.state, (80, 24)).contains("Tasks"));
}

#[test]
fn every_screen_fits_every_size_from_80_by_24() {
    let scenes = vec![
        Scene::new(),
        Scene::new().connected(),
        Scene::new().connected().mapping(),
        Scene::new().connected().verified(),
        Scene::new().connected().failed(),
        Scene::new().connected().large(),
    ];
    for scene in scenes {
        for size in [
            (80, 24),
            (81, 25),
            (97, 33),
            (200, 24),
            (80, 70),
            (400, 120),
        ] {
            let shown = screen(&scene.state, size);
            for part in [
                "Tasks", "Pipeline", "Latency", "Results", "Events", "q quit",
            ] {
                assert!(shown.contains(part), "{part} at {size:?}:\n{shown}");
            }
        }
    }
}

#[test]
fn errors_are_counted_since_the_run_began() {
    let scene = Scene::new().connected().failed();
    let shown = screen(&scene.state, (120, 40));
    assert!(shown.contains("Events · 2 errors"), "{shown}");
    let scene = scene.mapping();
    let shown = screen(&scene.state, (120, 40));
    assert!(shown.contains("╭ ⁵Events ─"), "{shown}");
}
