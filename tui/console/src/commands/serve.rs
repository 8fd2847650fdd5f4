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
        // Nobody may be reading; that is no reason not to serve.
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
                ServeError::Config(_) => Exit::Usage,
                _ => Exit::Failed,
            }
        }
    }
}

/// Completes when nobody holds the other end of standard input any more.
async fn stdin_closes() {
    let (closed, seen) = oneshot::channel();
    // A thread of its own: a read can't be cancelled, and must not hold the runtime up.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 64];
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        // The service may have ended before.
        let _ = closed.send(());
    });
    let _ = seen.await;
}
