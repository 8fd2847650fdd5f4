//! Tests that a machine can't make: reported as ignored by name, with the reason, and counted. In CI they fail.

use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Completion, Failed, Trial};

/// How many tests of this process were skipped.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// What is missing for a test.
#[derive(Debug, Clone)]
pub enum Lack {
    Nothing,
    /// This machine hasn't got it: the test is skipped.
    Absent(String),
    /// The machine could have it, and making it went wrong: the test fails.
    Broken(String),
}

/// Returns a test that is made unless something is missing for it.
pub fn test_unless(
    name: impl Into<String>,
    lack: impl FnOnce() -> Lack + Send + 'static,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, || match lack() {
        Lack::Nothing => run().map(|()| Completion::Completed),
        Lack::Absent(reason) => skip(&reason),
        Lack::Broken(reason) => Err(reason.into()),
    })
}

fn skip(reason: &str) -> Result<Completion, Failed> {
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Err(format!("{reason}; in CI no test is skipped").into());
    }
    SKIPPED.fetch_add(1, Ordering::Relaxed);
    Ok(Completion::ignored_with(reason))
}

/// Says at the end of a test run how many tests were skipped, if any were.
pub fn report() {
    match SKIPPED.load(Ordering::Relaxed) {
        0 => {}
        1 => eprintln!("1 test was skipped: the line that says 'ignored' has the reason\n"),
        count => {
            eprintln!(
                "{count} tests were skipped: the lines that say 'ignored' have the reasons\n"
            );
        }
    }
}
