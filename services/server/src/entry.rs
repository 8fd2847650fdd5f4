//! The entry point that the service binaries share.

use std::fmt::Display;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use crate::config::{environment, listen_addr};
use crate::healthcheck::{Unhealthy, check};
use crate::server::{RunOptions, ServeError, run, run_hello};
use crate::usage::{Asked, asked, help, version};
use mrdeck_core::role::Role;
use mrdeck_store::settings::environment::start_without_empty;

/// Obeys the command line of a service; without arguments, runs the service until it is stopped. A running service
/// prints `listening on HOST:PORT` on stdout and logs to stderr.
///
/// The exit code is 0 after an orderly stop, 2 for invalid arguments or configuration, and 1 for any other failure.
pub fn main(role: Role) -> ExitCode {
    start(role.as_str(), true, |options| run(role, options))
}

/// Obeys the command line of the deployment check.
pub fn hello() -> ExitCode {
    start("hello", false, run_hello)
}

fn start<F>(name: &str, s3: bool, service: impl FnOnce(RunOptions) -> F) -> ExitCode
where
    F: Future<Output = Result<(), ServeError>>,
{
    start_without_empty(&[]);
    match asked(std::env::args_os().skip(1)) {
        Ok(Asked::Serve) => serve(service),
        Ok(Asked::HealthCheck) => match healthy() {
            Ok(()) => ExitCode::SUCCESS,
            // Always 1: the health checks of containers know only 0 and 1.
            Err(error) => complain(1, name, error),
        },
        Ok(Asked::Help) => print(&help(name, s3)),
        Ok(Asked::Version) => print(&version(name)),
        Err(error) => complain(2, name, error),
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

fn complain(code: u8, name: &str, error: impl Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{name}: {error}");
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
