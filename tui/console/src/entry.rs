//! From the parsed command line to an exit code: starts the runtime and calls what was asked for.

use crate::cli::{Cli, Command};
use crate::config::Config;
use crate::exit::Exit;
use crate::{commands, dashboard, log_file, stderr};
use mrdeck_core::diagnostic::Diagnostic;
use tracing_appender::non_blocking::WorkerGuard;

/// Does what the command line says. Nothing below this exits.
pub fn main(cli: &Cli) -> Exit {
    let _log = match start_log(cli) {
        Ok(log) => log,
        Err(diagnostic) => return commands::refuse(&diagnostic),
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        command = cli.command_name(),
        "started"
    );
    let exit = run(cli);
    tracing::info!(exit = exit as u8, "ended");
    exit
}

/// Starts the log, if one is asked for.
fn start_log(cli: &Cli) -> Result<Option<WorkerGuard>, Diagnostic> {
    match (&cli.common.log, &cli.command) {
        (Some(_), Some(Command::Serve(_))) => Err(Diagnostic::new(
            "a service logs to standard error",
            "leave out --log; RUST_LOG filters what a service logs",
        )),
        (Some(path), _) => Ok(Some(log_file::start(path)?)),
        (None, _) => Ok(None),
    }
}

fn run(cli: &Cli) -> Exit {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            stderr::error(
                &format!("mrdeck can't start: {error}"),
                "close some programs and try again",
            );
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(dispatch(cli));
    // What is still in flight (a probe, a stalled call) must not delay the exit.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: &Cli) -> Exit {
    // These need no cluster that exists already.
    match &cli.command {
        Some(Command::Serve(args)) => return commands::serve(args).await,
        Some(Command::Up(args)) => return commands::up(&cli.common, args).await,
        Some(Command::Down(args)) => return commands::down(&cli.common, args).await,
        Some(Command::Clean(args)) => return commands::clean(&cli.common, args).await,
        Some(Command::Runs(args)) => return commands::runs(&cli.common, args),
        _ => {}
    }
    let config = match Config::load(&cli.common) {
        Ok(config) => config,
        Err(error) => return commands::refuse(&Diagnostic::from(&error)),
    };
    // The dashboard says it on its screen.
    let config = match &cli.command {
        None => return dashboard::run(config).await,
        Some(_) => commands::told_of(config),
    };
    match &cli.command {
        Some(Command::Run(args)) => commands::run(&config, args).await,
        Some(Command::Resume(args)) => commands::resume(&config, args).await,
        Some(Command::Scale(args)) => commands::scale(&config, args).await,
        Some(Command::Tasks) => commands::tasks(&config).await,
        Some(Command::Doctor) => commands::doctor(&config).await,
        None
        | Some(
            Command::Serve(_)
            | Command::Up(_)
            | Command::Down(_)
            | Command::Clean(_)
            | Command::Runs(_),
        ) => {
            unreachable!("done above")
        }
    }
}
