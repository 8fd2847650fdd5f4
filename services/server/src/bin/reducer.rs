//! The reducer as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    mrdeck_services::entry::main(mrdeck_core::role::Role::Reducer)
}
