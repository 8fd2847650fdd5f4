//! The dashboard as a person uses it: the real binary in a real pseudo-terminal, keys in, screens out.

mod browse;
mod cleaning;
mod clipboard;
mod credentials;
mod exit;
mod fixed_addresses;
mod local_cluster;
mod resume;
mod scaling;
mod stalled;
mod suspended;
mod terminal;
mod typing;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::process::Process;
use mrdeck_testkit::pty::{Deck, Open};
use mrdeck_testkit::wait_until;

/// A dashboard on a local cluster whose five tasks are all up.
fn local(home: &Home) -> Open {
    let deck = Deck::local(home.path()).open();
    deck.wait_until_up();
    deck
}

fn wait_until_gone(processes: &[Process]) {
    assert!(!processes.is_empty(), "there were some");
    for process in processes {
        let what = format!("the end of {}", process.command_line());
        wait_until(&what, || !process.is_alive());
    }
}
