//! What the end-to-end tests share: labs of real parts, faults between them, and what must hold in the end.
//!
//! All of it is real (the S3 protocol, service processes, the console's binary) except [`proxy`], which stands between
//! console, services and S3 to make them misbehave, and moto, which stands in for AWS.
//!
//! | module | has |
//! |---|---|
//! | [`console`], [`pty`], [`home`] | the console's binary: as a command, in a terminal, with a home of its own |
//! | [`services`], [`s3`], [`lab`] | what it works with: service processes, an S3 server, both together behind proxies |
//! | [`aws`] | an ECS cluster, as far as moto imitates one, and the programs that this takes |
//! | [`proxy`] | what happens to requests on their way, as data |
//! | [`disturb`] | whole runs that are disturbed, as data: what the scenario files and the storm are made of |
//! | [`oracle`], [`words`] | what every run must end with, counted in another way |
//! | [`process`], [`panics`], [`namespace`], [`hostile`], [`skip`] | signals, a defect, namespaces, hostile text, tests that a machine can't make |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what goes wrong in the test kit fails the test"
)]
#![allow(
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    reason = "these say something of what others may do with a library; only our own tests use this one"
)]

pub mod aws;
pub mod console;
pub mod disturb;
pub mod home;
pub mod hostile;
pub mod lab;
pub mod namespace;
pub mod oracle;
pub mod panics;
pub mod process;
pub mod proxy;
pub mod pty;
pub mod s3;
pub mod services;
pub mod skip;
pub mod words;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// Far above what anything here takes: it ends a test that would otherwise hang.
pub const DEADLINE: Duration = Duration::from_mins(1);
/// Between two looks at something that gives no notice of itself, such as `/proc`.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs the S3 servers and the proxies; the tests themselves are plain blocking code.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    });
    &RUNTIME
}

/// Waits for what `look` finds.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until `holds` does.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}
