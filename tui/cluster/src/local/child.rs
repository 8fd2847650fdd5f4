//! One service as a child process: started, read from, and never left behind.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use mrdeck_core::role::Role;
use mrdeck_core::task::TaskId;

/// Lines of a task's log that the log view can show.
const LOG_LINES: usize = 1_000;
/// How long they are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// What a service prints on standard output before its address.
const ANNOUNCEMENT: &str = "listening on ";

/// A task's last log lines, also written to a file.
#[derive(Clone)]
pub(super) struct LogBuffer {
    lines: Arc<Mutex<VecDeque<String>>>,
    pub(super) file: PathBuf,
}

impl LogBuffer {
    fn new(file: PathBuf) -> Self {
        Self {
            lines: Arc::default(),
            file,
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    fn push(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    async fn capture(self, mut stream: Lines<BufReader<impl AsyncRead + Unpin>>) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file)
            .ok();
        while let Ok(Some(line)) = stream.next_line().await {
            // A full disk costs the file, not the log view and not the run.
            if let Some(writer) = &mut file
                && writeln!(writer, "{line}").is_err()
            {
                file = None;
            }
            self.push(line);
        }
    }
}

/// How the services' processes are started.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    /// This program's own file: it has the services in it.
    pub(super) program: PathBuf,
    pub(super) environment: Vec<(&'static str, String)>,
    pub(super) logs_dir: PathBuf,
}

impl Launcher {
    /// Returns an empty log for a task.
    pub(super) fn log(&self, task: &TaskId) -> LogBuffer {
        LogBuffer::new(self.logs_dir.join(format!("{task}.log")))
    }

    /// Starts a service whose standard error goes to `log`.
    pub(super) fn spawn(&self, role: Role, log: &LogBuffer) -> std::io::Result<Child> {
        Child::spawn(&self.program, role, &self.environment, log)
    }
}

/// A running service process. Dropping it kills the process.
pub(super) struct Child {
    process: tokio::process::Child,
    pub(super) pid: u32,
    stdout: Lines<BufReader<ChildStdout>>,
    /// The child ends when this closes, whatever way this process ends.
    _lifeline: Option<ChildStdin>,
    /// Reads the log to its end.
    capture: JoinHandle<()>,
}

impl Child {
    fn spawn(
        program: &Path,
        role: Role,
        environment: &[(&'static str, String)],
        log: &LogBuffer,
    ) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["serve", &role.to_string(), "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // The terminal's ctrl-c is for the console alone.
        #[cfg(unix)]
        command.process_group(0);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let is_proxy = text.to_ascii_lowercase().ends_with("_proxy");
            if text.starts_with("AWS_") || is_proxy {
                command.env_remove(name);
            }
        }
        for own in [
            "OUT_PREFIX",
            "ALLOWED_BUCKETS",
            "MAX_IN_FLIGHT",
            "MAX_TABLE_BYTES",
        ] {
            command.env_remove(own);
        }
        command
            .env("ADDR", "127.0.0.1:0")
            .envs(environment.iter().map(|(name, value)| (name, value)));
        let mut process = command.spawn()?;
        let pid = process.id().unwrap_or_default();
        let lifeline = process.stdin.take();
        let (Some(stdout), Some(stderr)) = (process.stdout.take(), process.stderr.take()) else {
            return Err(std::io::Error::other("the service's output is not piped"));
        };
        let capture = tokio::spawn(log.clone().capture(BufReader::new(stderr).lines()));
        Ok(Self {
            process,
            pid,
            stdout: BufReader::new(stdout).lines(),
            _lifeline: lifeline,
            capture,
        })
    }

    /// Returns the address the service says it listens on; `None` if it ended without saying.
    pub(super) async fn address(&mut self) -> Option<SocketAddr> {
        while let Ok(Some(line)) = self.stdout.next_line().await {
            if let Some(address) = line.strip_prefix(ANNOUNCEMENT) {
                return address.trim().parse().ok();
            }
        }
        None
    }

    pub(super) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Ends it, and waits for its last words.
    pub(super) async fn kill(&mut self) {
        // It fails only for a process that has already ended.
        let _ = self.process.kill().await;
        // Another process that has the pipe would keep it open.
        let _ = timeout(LAST_WORDS, &mut self.capture).await;
    }
}
