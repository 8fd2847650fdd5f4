//! A task that is stopped in the middle of a run, and the one that takes its place at another address.

use serde_json::json;

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::PUBLIC;
use mrdeck_testkit::aws::deployed::ProxiedTask;
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::script::{Fault, Gate, Script};
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::words::LIBER_PRIMUS;

pub const TESTS: &[Test] = tests![a_task_stopped_and_replaced_under_a_run_costs_one_attempt,];

fn a_task_stopped_and_replaced_under_a_run_costs_one_attempt() {
    let moto = Moto::start();
    moto.put_object("lab", "input.txt", LIBER_PRIMUS.as_bytes());
    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let mut services = Vec::new();
    for (role, family) in [("splitter", "mr-splitter"), ("reducer", "mr-reducer")] {
        let task = moto.run_tasks("mr", family, 1).remove(0);
        let ip = moto.give_public_ip(&task);
        services.push(moto.serve(role, ip));
    }
    let (doomed, held) = (Gate::closed(), Gate::closed());
    let script = Script::new([
        Fault::Hold(doomed.clone()).on("doomed"),
        Fault::Hold(held.clone()).on("held"),
    ]);
    let victim = ProxiedTask::mapper(&moto, "doomed", &script);
    let _held = ProxiedTask::mapper(&moto, "held", &script);

    let home = Home::new();
    let deck = Deck::new(home.path()).args(PUBLIC);
    let mut deck = deck.envs(moto.environment()).open();
    deck.wait_text(&["Tasks 4", "2 mappers running"]);
    deck.send(":chunks 6\r:verify on\r:input s3://lab/input.txt\rs");
    let asked = |name: &'static str| {
        script.wait_until(name, |seen| {
            seen.iter()
                .any(|request| request.service == name && request.path == "/map")
        });
    };
    asked("doomed");
    asked("held");

    // Its request dies with it; another task with an address of its own comes.
    victim.service.kill();
    moto.stop_task("mr", &victim.task);
    doomed.open();
    let replacement = ProxiedTask::mapper(&moto, "replacement", &script);
    deck.send("\x12");
    let id = &replacement.task.id[replacement.task.id.len() - 4..];
    // Beside the run's time the probe stands for the status.
    deck.wait_line(&["mapper", id, " ms"]);
    asked("replacement");
    held.open();
    deck.wait_text(&["✓ verified", "7,180 words", "6 chunks"]);
}
