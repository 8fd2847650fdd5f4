//! A shim: makes empty variables unset, parses the command line, calls the library, maps the outcome to an exit code.

use std::process::ExitCode;

use clap::Parser;
use mrdeck_store::settings::environment::start_without_empty;

fn main() -> ExitCode {
    start_without_empty(&mrdeck::config::VARIABLES);
    mrdeck::main(&mrdeck::cli::Cli::parse()).into()
}
