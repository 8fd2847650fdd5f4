//! The real binary, run with an environment of its own: nothing of the caller's settings gets in.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;

use crate::{DEADLINE, process, wait_for};

/// Returns the path of the console's binary, which Cargo builds for the tests and names to them.
///
/// A test program that is started without Cargo finds it beside its own folder.
pub fn binary() -> &'static str {
    static BINARY: LazyLock<String> = LazyLock::new(|| {
        let told = std::env::var_os("CARGO_BIN_EXE_mrdeck").map(PathBuf::from);
        let path = told.unwrap_or_else(|| {
            let test = std::env::current_exe().unwrap();
            // TARGET/PROFILE/deps/TEST and TARGET/PROFILE/mrdeck.
            test.parent().unwrap().with_file_name("mrdeck")
        });
        assert!(path.is_file(), "{} is missing: cargo build", path.display());
        path.into_os_string().into_string().unwrap()
    });
    &BINARY
}

/// A console that is not started yet.
pub struct Console(Command);

/// A console on its way. Dropping it kills it.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// How a console ended.
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Console {
    pub fn new(home: &Path) -> Self {
        let mut command = Command::new(binary());
        clean(&mut command, home);
        Self(command)
    }

    /// Starts another program instead, which is to start the console.
    pub fn by(program: &str, home: &Path) -> Self {
        let mut command = Command::new(program);
        clean(&mut command, home);
        Self(command)
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn envs(mut self, environment: Vec<(&'static str, String)>) -> Self {
        self.0.envs(environment);
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    pub fn start(mut self) -> Running {
        let mut child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Running {
            child,
            stdout: Some(stdout),
            stderr: Some(stderr),
        }
    }

    pub fn run(self) -> Finished {
        self.start().wait()
    }

    /// Runs with nobody reading standard output, or standard error, from the start.
    pub fn run_unread(mut self, out_is_read: bool, err_is_read: bool) -> Finished {
        let mut child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let stdout = stdout.filter(|_| out_is_read).map(collect);
        let stderr = stderr.filter(|_| err_is_read).map(collect);
        let running = Running {
            child,
            stdout,
            stderr,
        };
        running.wait()
    }
}

fn clean(command: &mut Command, home: &Path) {
    command
        .env_clear()
        .current_dir(home)
        .envs(environment(home));
}

/// All that a console sees of the outside: a home of its own, and no AWS settings.
pub fn environment(home: &Path) -> Vec<(&'static str, OsString)> {
    let mut environment: Vec<(&str, OsString)> = vec![
        ("HOME", home.into()),
        ("XDG_STATE_HOME", home.join("state").into()),
        ("XDG_CONFIG_HOME", home.join("config").into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_CONFIG_FILE", "/dev/null".into()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
    ];
    for kept in ["PATH", "LLVM_PROFILE_FILE"] {
        environment.extend(std::env::var_os(kept).map(|value| (kept, value)));
    }
    environment
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end; a console that does not come to one is killed, and the test fails.
    pub fn wait(mut self) -> Finished {
        let status = self.status();
        let text = |reader: Option<JoinHandle<String>>| {
            reader.map_or(String::new(), |reader| reader.join().unwrap())
        };
        Finished {
            code: status.code(),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
        }
    }

    fn status(&mut self) -> ExitStatus {
        let started = Instant::now();
        wait_for("the console's end", || {
            let status = self.child.try_wait().unwrap();
            if status.is_none() && started.elapsed() > DEADLINE * 3 / 4 {
                self.child.kill().unwrap();
                let text = self.stderr.take().unwrap().join().unwrap();
                panic!("the console hangs; it said: {text}");
            }
            status
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It fails only for a process that has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (out, err) = (&self.stdout, &self.stderr);
        write!(f, "exit {:?}\nstdout: {out}\nstderr: {err}", self.code)
    }
}

impl Finished {
    /// Asserts the exit code and that nothing panicked.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }

    /// Asserts the exit code, and that what is said on standard error holds each of `words`.
    #[track_caller]
    pub fn expect_complaint(self, code: i32, words: &[&str]) -> Self {
        let finished = self.expect(code);
        for word in words {
            let said = &finished.stderr;
            assert!(said.contains(word), "'{word}' is not in: {said}");
        }
        finished
    }

    /// Standard output, which is one JSON value and nothing else.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}
