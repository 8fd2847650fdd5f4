//! The entry point of the services' binary.

use std::fmt::Display;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use crate::config::{environment, listen_addr};
use crate::healthcheck::{Unhealthy, check};
use crate::server::{RunOptions, ServeError, run, run_hello};
use crate::usage::{Asked, Service, asked, help, version};
use mrdeck_store::settings::environment::start_without_empty;

/// The name of the binary.
const NAME: &str = "mrdeck-service";

/// Obeys the command line: runs the named service until it is stopped. A running service prints `listening on HOST:PORT`
/// on stdout and logs to stderr.
///
/// The exit code is 0 after an orderly stop, 2 for invalid arguments or configuration, and 1 for any other failure.
pub fn main() -> ExitCode {
    start_without_empty(&[]);
    match asked(
        std::env::args_os().skip(1),
        environment("SERVICE").as_deref(),
    ) {
        Ok(Asked::Serve(Service::Role(role))) => serve(|options| run(role, options)),
        Ok(Asked::Serve(Service::Hello)) => serve(run_hello),
        Ok(Asked::HealthCheck) => match healthy() {
            Ok(()) => ExitCode::SUCCESS,
            // Always 1: the health checks of containers know only 0 and 1.
            Err(error) => complain(1, error),
        },
        Ok(Asked::Help) => print(&help(NAME)),
        Ok(Asked::Version) => print(&version(NAME)),
        Err(error) => complain(2, error),
    }
}

fn healthy() -> Result<(), Unhealthy> {
    check(&listen_addr(environment("ADDR").as_deref())?)
}

/// Prints a text; a closed stdout is not an error.
fn print(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::SUCCESS
}

fn complain(code: u8, error: impl Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{NAME}: {error}");
    ExitCode::from(code)
}

fn serve<F>(service: impl FnOnce(RunOptions) -> F) -> ExitCode
where
    F: Future<Output = Result<(), ServeError>>,
{
    crate::logs::init();
    match block_on(service) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(
                if matches!(error, ServeError::Config(_) | ServeError::Settings(_)) {
                    2
                } else {
                    1
                },
            )
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
        // A closed stdout does not prevent serving.
        let _ = writeln!(std::io::stdout(), "listening on {addr}");
    });
    let result = runtime.block_on(service(options));
    // Requests that outlive the grace period must not keep the process running.
    runtime.shutdown_background();
    result
}
