//! What the tests share. All of it is real (S3 protocol, service processes, the console's binary) except
//! the [`proxy`], which stands between console, services and S3 to make them misbehave.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod aws_tools;
pub mod console;
pub mod deployed;
pub mod fault;
pub mod home;
pub mod hostile;
pub mod lab;
pub mod message;
pub mod moto;
pub mod oracle;
pub mod panics;
pub mod process;
pub mod proxy;
pub mod pty;
pub mod rule;
pub mod s3;
pub mod script;
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
