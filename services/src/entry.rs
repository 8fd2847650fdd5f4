//! What the service binaries have in common: everything but which service it is.

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use crate::config::Role;
use crate::server::{RunOptions, ServeError, run, run_hello};

/// Runs one service until it is told to stop; says `listening on HOST:PORT` on stdout, logs to stderr.
///
/// The exit code is 0 after an orderly stop, 2 for a wrong configuration, 1 for everything else.
pub fn main(role: Role) -> ExitCode {
    start(|options| run(role, options))
}

/// The same for the deployment check.
pub fn hello() -> ExitCode {
    start(run_hello)
}

fn start<F>(service: impl FnOnce(RunOptions) -> F) -> ExitCode
where
    F: Future<Output = Result<(), ServeError>>,
{
    crate::logs::init();
    match block_on(service) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(if matches!(error, ServeError::Config(_)) {
                2
            } else {
                1
            })
        }
    }
}

fn block_on<F>(service: impl FnOnce(RunOptions) -> F) -> Result<(), ServeError>
where
    F: Future<Output = Result<(), ServeError>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let options = RunOptions::default().on_listening(|addr| {
        // Nobody may be reading; that is no reason not to serve.
        let _ = writeln!(std::io::stdout(), "listening on {addr}");
    });
    let result = runtime.block_on(service(options));
    // Requests that outlived the grace period must not hold the process.
    runtime.shutdown_background();
    result
}
