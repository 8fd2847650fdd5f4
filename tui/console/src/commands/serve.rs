//! `mrdeck serve ROLE`: one service in the foreground, configured by its environment.

use std::io::{Read, Write};

use mrdeck_services::{RunOptions, ServeError, logs, run};
use tokio::sync::oneshot;

use crate::cli::ServeArgs;
use crate::exit::Exit;
use crate::stderr;

pub async fn serve(args: &ServeArgs) -> Exit {
    logs::init();
    let mut options = RunOptions::default().on_listening(|address| {
        // Without a reader the service still serves.
        let _ = writeln!(std::io::stdout(), "listening on {address}");
    });
    if args.until_stdin_closes {
        options = options.shutdown(stdin_closes());
    }
    match run(args.role, options).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            stderr::error(&error.to_string(), "");
            match error {
                ServeError::Config(_) | ServeError::Settings(_) => Exit::Usage,
                _ => Exit::Failed,
            }
        }
    }
}

/// Completes when the other end of standard input is closed.
async fn stdin_closes() {
    let (closed, seen) = oneshot::channel();
    // In a thread of its own: a read can't be cancelled, and must not delay the runtime's end.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 64];
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        // The service may have ended already.
        let _ = closed.send(());
    });
    let _ = seen.await;
}
