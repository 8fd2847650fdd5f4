//! The first deployment check as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    mrdeck_services::entry::hello()
}
