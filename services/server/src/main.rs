//! One service as a process of its own: `mrdeck-service mapper`, or with `SERVICE=mapper` in the environment.

use std::process::ExitCode;

fn main() -> ExitCode {
    mrdeck_services::entry::main()
}
