//! mrdeck: a terminal console that runs `MapReduce` on an Amazon ECS cluster.
//!
//! | module | job |
//! |---|---|
//! | [`cli`], [`config`] | the command line; flags, environment and file made into one configuration |
//! | [`cluster`] | where tasks come from: the local cluster, fixed addresses, ECS |
//! | [`aws`] | signed calls to AWS without an SDK, and what its refusals mean |
//! | [`engine`] | runs split → map → reduce, told as events |
//! | [`dashboard`] | the dashboard: its model, its effects, how it is drawn |
//! | [`doctor`] | what is reachable, what is not, why, and what to do |
//! | [`deploy`] | puts the services on ECS and takes them down again |
//! | [`input`], [`upload`] | what a run reads, and how a local file gets into S3 |
//! | [`headless`] | the commands without a dashboard |
//! | [`report`] | a run as text, as JSON, as a chart |
//! | [`go_on`] | the command that goes on with a run |

pub mod cli;
pub mod config;
pub mod dashboard;
pub mod doctor;
pub mod exit;
pub mod go_on;
pub mod headless;
pub mod input;
pub mod report;
pub mod save;
pub mod signals;
pub mod upload;

use std::io::Write;

use cli::{Cli, Command};
use config::Config;
use exit::Exit;

/// Does what the command line says. Nothing below this exits.
pub fn main(cli: &Cli) -> Exit {
    // Another provider can only be there if this was called before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(
                &format!("mrdeck can't start: {error}"),
                "close some programs and try again",
            );
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(dispatch(cli));
    // What is still under way (a probe, a stalled call) must not hold the exit up.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: &Cli) -> Exit {
    // These have no use for a cluster that is there already.
    match &cli.command {
        Some(Command::Serve(args)) => return headless::serve(args).await,
        Some(Command::Up(args)) => return headless::up(&cli.common, args).await,
        Some(Command::Down(args)) => return headless::down(&cli.common, args).await,
        _ => {}
    }
    let config = match Config::load(&cli.common) {
        Ok(config) => config,
        Err(error) => {
            complain(&error.to_string(), "");
            return Exit::Usage;
        }
    };
    match &cli.command {
        None => dashboard::run(config).await,
        Some(Command::Run(args)) => headless::run(&config, args).await,
        Some(Command::Resume(args)) => headless::resume(&config, args).await,
        Some(Command::Scale(args)) => headless::scale(&config, args).await,
        Some(Command::Tasks) => headless::tasks(&config).await,
        Some(Command::Doctor) => headless::doctor(&config).await,
        Some(Command::Serve(_) | Command::Up(_) | Command::Down(_)) => unreachable!("done above"),
    }
}

/// One sentence on standard error, and a second one for the next step.
fn complain(cause: &str, advice: &str) {
    let cause = mrdeck_core::human::printable(cause);
    if advice.is_empty() {
        say(&format!("mrdeck: {cause}"));
    } else {
        say(&format!(
            "mrdeck: {cause}\n  {}",
            mrdeck_core::human::printable(advice)
        ));
    }
}

/// A line on standard error. A reader that closed it has what it wanted, so that is no reason to panic.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
