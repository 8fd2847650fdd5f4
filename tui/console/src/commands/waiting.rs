//! What a command says while it waits for credentials from a `credential_process`.

use mrdeck_core::human::printable;
use mrdeck_store::aws::{ProcessListener, ProcessNews};

use crate::config::Config;
use crate::stderr;

/// Has standard error tell what a `credential_process` says, and that it is waited for.
pub(crate) fn told_of(mut config: Config) -> Config {
    config.connect.aws.process_listener = ProcessListener::new(|news| match news {
        ProcessNews::Waiting(which) => {
            stderr::line(&format!(
                "waiting for credentials from {}",
                printable(&which)
            ));
        }
        ProcessNews::Said(line) => {
            stderr::line(&format!("credential_process: {}", printable(&line)));
        }
        ProcessNews::Over => {}
    });
    config
}
