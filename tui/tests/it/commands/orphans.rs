//! No service outlives the console that started it, however the console ends.

use mrdeck_testkit::console::Running;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::process::{Process, children_of};
use mrdeck_testkit::{wait_for, wait_until};

/// A local run with one mapper and more chunks than it can map in seconds, with the mapper's first one begun.
fn long_run(home: &Home) -> Running {
    let console = home.local_console(1, "run");
    let mut running = console
        .args(["--split", "range", "--chunks", "5000"])
        .start();
    wait_until("the maps", || {
        assert!(!running.has_ended());
        home.record()
            .iter()
            .any(|e| e["event"] == "attempt_started" && e["phase"] == "map")
    });
    running
}

/// The three services, the mapper first.
fn services_of(running: &Running) -> Vec<Process> {
    let mut services = children_of(running.pid());
    services.sort_by_key(|child| !child.command_line().contains("serve mapper"));
    assert_eq!(services.len(), 3, "{services:?}");
    for service in &services {
        let line = service.command_line();
        assert!(line.contains("serve ") && service.is_alive(), "{line}");
    }
    services
}

fn assert_all_end(services: &[Process]) {
    wait_until("the services' end", || {
        services.iter().all(|service| !service.is_alive())
    });
}

#[test]
fn after_a_run_no_service_is_left() {
    let home = Home::new();
    let running = home.local_console(3, "run").start();
    let services = wait_for("five services", || {
        let services = children_of(running.pid());
        (services.len() == 5).then_some(services)
    });
    running.wait().expect(0);
    assert!(services.iter().all(|service| !service.is_alive()));
}

#[test]
fn after_ctrl_c_no_service_is_left() {
    let home = Home::new();
    let running = long_run(&home);
    let services = services_of(&running);
    services[0].signal("STOP");
    running.signal("INT");
    running.wait().expect(130);
    assert!(services.iter().all(|service| !service.is_alive()));
    assert_eq!(home.record().last().unwrap()["status"], "cancelled");
}

#[test]
fn after_kill_9_no_service_is_left() {
    let home = Home::new();
    let running = long_run(&home);
    let services = services_of(&running);
    running.signal("KILL");
    assert_all_end(&services);
    // What is left does not stop the next one.
    home.local_console(1, "tasks").run().expect(0);
}

#[test]
fn after_kill_9_not_even_a_frozen_service_is_left() {
    let home = Home::new();
    let running = long_run(&home);
    let services = services_of(&running);
    services[0].freeze();
    running.signal("KILL");
    assert_all_end(&services);
}

#[test]
fn a_second_console_on_the_same_data_is_refused_and_harms_nothing() {
    let home = Home::new();
    let running = long_run(&home);
    let services = services_of(&running);
    let finished = home.local_console(1, "tasks").run();
    finished.expect_complaint(3, &["already runs a local cluster", "data", "--local-data"]);
    assert!(services.iter().all(Process::is_alive));
    running.signal("INT");
    running.wait().expect(130);
}
