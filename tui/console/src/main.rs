//! A shim: parses the command line, calls the library, maps the outcome to an exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    mrdeck::main(&mrdeck::cli::Cli::parse()).into()
}
