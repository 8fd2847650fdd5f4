//! The signals that end the program, and those of a shell's job control.

mod job_control;

pub use self::job_control::{JobControl, JobSignal, Stopped};

use tokio_util::sync::CancellationToken;

/// Completes when ctrl-c, SIGTERM or SIGHUP arrives.
pub async fn termination() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let wait = async |kind| match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Without a handler the signal ends the process by itself.
            Err(_) => std::future::pending().await,
        };
        tokio::select! {
            () = wait(SignalKind::interrupt()) => {}
            () = wait(SignalKind::terminate()) => {}
            () = wait(SignalKind::hangup()) => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Cancels at the first signal. A second one ends the process at once, as users expect.
pub fn cancel_on_signal(cancel: CancellationToken) {
    tokio::spawn(async move {
        termination().await;
        cancel.cancel();
        termination().await;
        std::process::exit(i32::from(crate::exit::Exit::Interrupted as u8));
    });
}
