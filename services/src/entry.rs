//! What the service binaries have in common: everything but the role.

use std::io::Write as _;
use std::process::ExitCode;

use crate::config::Role;
use crate::server::{RunOptions, ServeError, run};

/// Runs one service until it is told to stop; says `listening on HOST:PORT` on stdout, logs to stderr.
///
/// The exit code is 0 after an orderly stop, 2 for a wrong configuration, 1 for everything else.
pub fn main(role: Role) -> ExitCode {
    crate::logs::init();
    match start(role) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%role, "{error}");
            ExitCode::from(if matches!(error, ServeError::Config(_)) {
                2
            } else {
                1
            })
        }
    }
}

fn start(role: Role) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let options = RunOptions::default().on_listening(|addr| {
        // Nobody may be reading; that is no reason not to serve.
        let _ = writeln!(std::io::stdout(), "listening on {addr}");
    });
    let result = runtime.block_on(run(role, options));
    // Requests that outlived the grace period must not hold the process.
    runtime.shutdown_background();
    result
}
