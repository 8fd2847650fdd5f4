//! A shell's job control: the program stops, the shell has the terminal, and `fg` lets the program go on.

use std::io;

/// What is asked for from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobSignal {
    /// SIGTSTP: to stop, in good order.
    Stop,
    /// SIGCONT: the program was stopped, and goes on.
    GoOn,
}

/// What is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The shell's whole job, as by a key: what started this program waits with it.
    Job,
    /// This program alone, as by a signal to it.
    Program,
}

#[cfg(unix)]
pub use self::unix::JobControl;

#[cfg(unix)]
mod unix {
    use super::{JobSignal, Stopped, io};

    use std::future::pending;

    use futures_util::FutureExt;
    use nix::sys::signal::{Signal as Name, kill};
    use nix::unistd::{Pid, getpgrp, getpid, getppid, getsid};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// The number of any process that can't be seen from this one's namespace.
    const OUTSIDE: Pid = Pid::from_raw(0);
    /// What `kill` takes as the group of the process that calls it.
    const OWN_GROUP: Pid = Pid::from_raw(0);

    /// SIGTSTP and SIGCONT. As long as nothing listens, they do what they do in any program.
    #[derive(Debug, Default)]
    pub struct JobControl {
        stop: Option<Signal>,
        go_on: Option<Signal>,
    }

    impl JobControl {
        /// Listens from now on, to the end of the process.
        pub fn listen() -> Self {
            let of = |name: Name| signal(SignalKind::from_raw(name as i32)).ok();
            Self {
                stop: of(Name::SIGTSTP),
                go_on: of(Name::SIGCONT),
            }
        }

        /// Waits for the next signal. None is lost if this is dropped before it is there.
        pub async fn next(&mut self) -> JobSignal {
            tokio::select! {
                biased;
                () = receive(&mut self.go_on) => JobSignal::GoOn,
                () = receive(&mut self.stop) => JobSignal::Stop,
            }
        }

        /// Returns whether a shell would notice that this program is stopped, and can let it go on.
        ///
        /// Without one, in a window of its own for instance, a stopped program would never be heard of again.
        pub fn has_shell(&self) -> bool {
            // A process outside of this one's namespace, as a container's starter, has the number 0: such a session
            // can be its shell's as well, such a parent can't.
            let parent = getppid();
            let (Ok(session), false) = (getsid(None), parent == OUTSIDE) else {
                return false;
            };
            // A shell gives each job a group. The session's own group is its leader's, which nobody watches, and a
            // parent in another session, as init, watches nothing of this one.
            let is_job = getpgrp() != session;
            self.go_on.is_some() && is_job && getsid(Some(parent)) == Ok(session)
        }

        /// Stops, and returns once it goes on.
        ///
        /// # Errors
        ///
        /// Returns why it can't be stopped.
        pub async fn stop(&mut self, what: Stopped) -> io::Result<()> {
            // One that came before would be taken for the one that is to come.
            let _ = receive(&mut self.go_on).now_or_never();
            match what {
                Stopped::Job => kill(OWN_GROUP, Name::SIGSTOP)?,
                Stopped::Program => kill(getpid(), Name::SIGSTOP)?,
            }
            // The other threads may be stopped later than this one, so the call above may return before the stop.
            receive(&mut self.go_on).await;
            Ok(())
        }
    }

    async fn receive(signal: &mut Option<Signal>) {
        if let Some(signal) = signal
            && signal.recv().await.is_some()
        {
            return;
        }
        pending::<()>().await;
    }
}

#[cfg(not(unix))]
pub use self::other::JobControl;

#[cfg(not(unix))]
mod other {
    use super::{JobSignal, Stopped, io};

    /// There is no job control here.
    #[derive(Debug, Default)]
    pub struct JobControl;

    impl JobControl {
        pub fn listen() -> Self {
            Self
        }

        /// Waits for ever.
        pub async fn next(&mut self) -> JobSignal {
            std::future::pending().await
        }

        pub fn has_shell(&self) -> bool {
            false
        }

        /// Returns at once.
        ///
        /// # Errors
        ///
        /// Returns that there is no job control.
        pub async fn stop(&mut self, _: Stopped) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
