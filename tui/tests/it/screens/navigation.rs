//! Moving about: cursors, panels, zoom, filters, scrolling, and what happens when lists shrink.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mrdeck::dashboard::model::{Clipboard, Msg, Overlay, Panel, PipelineRow, Purpose, Selected};
use mrdeck::dashboard::view;
use mrdeck::dashboard::view::Look;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::fixtures::Scene;
use super::screen;

fn connected() -> Scene {
    Scene::new().connected()
}

fn selected(scene: &Scene) -> &str {
    scene.state.selected_task().map_or("", |task| &task.id.0)
}

fn cursor(scene: &Scene, panel: Panel) -> usize {
    scene.state.rows().extent(panel).1
}

#[test]
fn the_cursor_moves_and_stays_in_the_list() {
    let mut scene = connected();
    let mut at = |code: KeyCode| {
        scene.key(code);
        cursor(&scene, Panel::Tasks)
    };
    let keys = [
        (KeyCode::Char('k'), 0),
        (KeyCode::Char('j'), 1),
        (KeyCode::Down, 2),
        (KeyCode::Up, 1),
        (KeyCode::Char('G'), 4),
        (KeyCode::Char('j'), 4),
        (KeyCode::Char('k'), 3),
        (KeyCode::Char('g'), 0),
        (KeyCode::PageDown, 4),
        (KeyCode::PageUp, 0),
        (KeyCode::End, 4),
        (KeyCode::Home, 0),
    ];
    for (key, expected) in keys {
        assert_eq!(at(key), expected, "{key:?}");
    }
}

#[test]
fn the_cursor_follows_a_list_that_shrinks_and_an_empty_one_has_none() {
    let mut scene = connected().pressed("G");
    assert_eq!(selected(&scene), "reducer-1");
    let tasks = scene.state.session.tasks().tasks.to_vec();
    scene.list(tasks[..2].to_vec());
    assert_eq!(selected(&scene), "mapper-1", "the last one left");
    scene.press("k");
    assert_eq!(selected(&scene), "splitter-1", "one key moves at once");
    scene.list(Vec::new());
    assert!(scene.state.selected_task().is_none());
    assert_eq!(scene.press("jkGdlSc"), [], "nothing to act on");
    assert!(scene.state.overlay.is_none());
}

#[test]
fn a_page_is_ten_lines() {
    let mut scene = connected().large().tabs(1);
    scene.key(KeyCode::PageDown);
    scene.key(KeyCode::PageDown);
    assert_eq!(cursor(&scene, Panel::Pipeline), 20);
    scene.key(KeyCode::PageUp);
    assert_eq!(cursor(&scene, Panel::Pipeline), 10);
}

#[test]
fn what_runs_comes_first_and_the_cursor_stays_on_its_chunk() {
    let mut scene = connected().large().tabs(1);
    let chosen = |scene: &Scene| match scene.state.rows().selected() {
        Selected::Work(row) => row,
        other => panic!("{other:?}"),
    };
    assert_eq!(chosen(&scene), PipelineRow::Chunk(660));
    scene.map_done(660, 1, 90.0, 7);
    let next = PipelineRow::Chunk(661);
    assert_eq!(chosen(&scene), next, "at the top it is what is at the top");
    scene.press("jj");
    assert_eq!(chosen(&scene), PipelineRow::Chunk(663));
    scene.map_done(661, 1, 90.0, 7);
    scene.map_done(663, 1, 90.0, 7);
    assert_eq!(chosen(&scene), PipelineRow::Chunk(663));
    scene.key(KeyCode::Right);
    assert_eq!(chosen(&scene), PipelineRow::Chunk(664));
    for _ in 0..9 {
        scene.key(KeyCode::Left);
    }
    assert_eq!(chosen(&scene), PipelineRow::Chunk(655));
    scene.press("g");
    assert_eq!(chosen(&scene), PipelineRow::Chunk(662), "back at the top");
    // The chunk is filtered out, and there is none in another panel.
    scene.press("/mapper-3");
    scene.key(KeyCode::Enter);
    scene.key(KeyCode::Right);
    assert_eq!(chosen(&scene), PipelineRow::Chunk(702));
    scene.key(KeyCode::Tab);
    scene.key(KeyCode::Right);
    assert!(screen(&scene.state, (80, 24)).contains("the pipeline panel (2)"));
}

#[test]
fn tab_visits_every_panel_and_comes_back() {
    let mut scene = connected();
    for expected in [1, 2, 3, 4, 0].map(|index| Panel::ALL[index]) {
        scene.key(KeyCode::Tab);
        assert_eq!(scene.state.panels.focus(), expected);
    }
    let shift_tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
    scene.pressed_key(shift_tab);
    assert_eq!(scene.state.panels.focus(), Panel::Events);
}

#[test]
fn a_digit_goes_to_the_panel_that_shows_it() {
    let mut scene = connected();
    let shown = screen(&scene.state, (80, 24));
    for (digit, panel, title) in [
        ('3', Panel::Latency, "³Latency"),
        ('5', Panel::Events, "⁵Events"),
        ('1', Panel::Tasks, "¹Tasks"),
        ('4', Panel::Results, "⁴Results"),
        ('2', Panel::Pipeline, "²Pipeline"),
    ] {
        scene.key(KeyCode::Char(digit));
        assert_eq!(scene.state.panels.focus(), panel);
        assert!(shown.contains(title), "{title} in\n{shown}");
    }
    for nothing in ['0', '6', '9'] {
        scene.key(KeyCode::Char(nothing));
        assert_eq!(scene.state.panels.focus(), Panel::Pipeline);
    }
    // Of one that is zoomed, another takes the place.
    scene.key(KeyCode::Enter);
    scene.key(KeyCode::Char('5'));
    let shown = screen(&scene.state, (80, 24));
    assert!(
        shown.contains("⁵Events") && !shown.contains("²Pipeline"),
        "{shown}"
    );
}

#[test]
fn enter_zooms_and_enter_or_esc_goes_back() {
    let mut scene = connected().tabs(4);
    for back in [KeyCode::Enter, KeyCode::Esc] {
        scene.key(KeyCode::Enter);
        let shown = screen(&scene.state, (80, 24));
        assert!(
            shown.contains("Events") && !shown.contains("Tasks"),
            "{shown}"
        );
        scene.key(back);
        assert!(screen(&scene.state, (80, 24)).contains("Tasks"), "{back:?}");
    }
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_esc_drops_it() {
    let mut scene = connected().pressed("/MAPPER-");
    assert_eq!(scene.state.rows().tasks().len(), 3, "while typing");
    scene.key(KeyCode::Char('3'));
    scene.key(KeyCode::Enter);
    assert_eq!(selected(&scene), "mapper-3");
    assert!(scene.state.overlay.is_none());
    scene.key(KeyCode::Esc);
    assert_eq!(scene.state.rows().tasks().len(), 5, "dropped");
}

#[test]
fn a_filter_given_up_while_it_is_typed_leaves_no_trace() {
    let mut scene = connected().pressed("/");
    scene.send(Msg::Paste("mapper-3".to_owned()));
    assert_eq!(scene.state.rows().tasks().len(), 1, "a paste filters too");
    scene.key(KeyCode::Esc);
    assert!(scene.state.overlay.is_none());
    assert_eq!(scene.state.rows().tasks().len(), 5);
}

#[test]
fn every_panel_has_a_filter_of_its_own() {
    let mut scene = connected().done().tabs(1);
    scene.press("/chunk 1");
    scene.key(KeyCode::Enter);
    let rows = scene.state.rows().pipeline().len();
    assert_eq!(rows, 4, "the phases stay, of the chunks one");
    assert_eq!(
        scene.state.rows().tasks().len(),
        5,
        "another panel's lines stay"
    );
    scene.key(KeyCode::Tab);
    scene.press("/");
    assert!(scene.state.overlay.is_none(), "the histogram has no lines");
    assert!(screen(&scene.state, (80, 24)).contains("no lines to filter here"));
    scene.key(KeyCode::Tab);
    scene.press("/quae");
    assert_eq!(scene.state.rows().results().len(), 1);
    scene.key(KeyCode::Enter);
    scene.key(KeyCode::Tab);
    scene.press("/refused");
    assert_eq!(scene.state.rows().events().len(), 2);
    assert!(matches!(
        &scene.state.overlay,
        Some(Overlay::Prompt(prompt)) if prompt.purpose() == Purpose::Filter
    ));
}

#[test]
fn the_events_follow_the_newest_unless_one_looks_back() {
    let mut scene = connected().done();
    let newest = "done in";
    assert!(screen(&scene.state, (80, 24)).contains(newest));
    scene.key(KeyCode::BackTab);
    scene.press("g");
    assert_eq!(cursor(&scene, Panel::Events), 0);
    let shown = screen(&scene.state, (80, 24));
    assert!(shown.contains("connected to local"), "{shown}");
    scene.press("G");
    scene.send(Msg::Copied("x".to_owned(), Clipboard::Terminal));
    let count = scene.state.rows().events().len();
    assert_eq!(cursor(&scene, Panel::Events), count - 1);
}

#[test]
fn a_page_that_is_read_scrolls_no_further_than_its_end() {
    let mut scene = connected().pressed("?");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let look = Look::new(jiff::tz::TimeZone::UTC, true);
    let mut drawn = |scene: &Scene| {
        let frame = terminal.draw(|frame| view::draw(&scene.state, &look, frame));
        super::text(frame.unwrap().buffer)
    };
    let first = drawn(&scene);
    scene.press("G");
    let last = drawn(&scene);
    assert_ne!(first, last, "the help is longer than the window");
    assert!(last.contains("quit from anywhere"), "{last}");
    scene.press("jjjjj");
    assert_eq!(drawn(&scene), last);
    scene.press("k");
    assert_ne!(drawn(&scene), last, "one key moves at once");
    scene.press("g");
    assert_eq!(drawn(&scene), first);
}

#[test]
fn a_log_begins_at_its_end() {
    let mut scene = connected().pressed("jl");
    let task = scene.state.selected_task().unwrap().id.clone();
    let lines = (1..=500).map(|n| format!("line {n} of the log"));
    scene.send(Msg::Logs(task, Ok(lines.collect())));
    let shown = screen(&scene.state, (80, 24));
    assert!(
        shown.contains("line 500 of") && !shown.contains("line 1 of"),
        "{shown}"
    );
    scene.press("k");
    let shown = screen(&scene.state, (80, 24));
    assert!(
        shown.contains("line 499 of") && !shown.contains("line 500 of"),
        "{shown}"
    );
    scene.press("g");
    assert!(screen(&scene.state, (80, 24)).contains("line 1 of"));
    scene.press("G");
    assert!(screen(&scene.state, (80, 24)).contains("line 500 of"));
}

/// Otherwise nothing is drawn until something happens.
#[test]
fn time_alone_changes_the_screen_only_while_a_run_is_in_flight() {
    let connected = || Scene::new().connected();
    assert_eq!(Scene::new().state.tick(), None);
    assert_eq!(connected().state.tick(), None);
    assert!(connected().mapping().state.tick().is_some());
    for ended in [
        connected().done(),
        connected().failed(),
        connected().cancelled(),
    ] {
        assert_eq!(ended.state.tick(), None);
    }
}
