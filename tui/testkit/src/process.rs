//! Other processes as the system lists them (`/proc`), and signals to them by their own ids.

use std::fs;
use std::process::Command;

use crate::wait_until;

/// A process, told apart from a later one with the same id by when it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    started: String,
}

impl Process {
    /// A process that has ended but was not waited for counts as ended.
    pub fn is_alive(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && !stat.has_ended)
    }

    /// Returns whether it is stopped by a signal.
    pub fn is_frozen(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.is_frozen)
    }

    pub fn command_line(&self) -> String {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8(bytes).unwrap().replace('\0', " ")
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid, name);
    }

    /// Stops it by a signal, and waits until it is stopped. When its parent dies, the kernel wakes only what is stopped
    /// already.
    pub fn freeze(&self) {
        self.signal("STOP");
        wait_until("the freeze", || self.is_frozen());
    }
}

/// A process that runs.
pub fn of(pid: u32) -> Process {
    let started = stat(pid).unwrap().started;
    Process { pid, started }
}

/// The most memory that a process has had, in bytes.
pub fn peak_memory(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() << 10
}

/// Sends a signal by its name (`INT`, `KILL`, `STOP`, `CONT`).
pub fn signal(pid: u32, name: &str) {
    let mut kill = Command::new("kill");
    let status = kill.args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.unwrap().success(), "kill -{name} {pid}");
}

/// The living children of a process.
pub fn children_of(parent: u32) -> Vec<Process> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| {
            let stat = stat(pid)?;
            let started = stat.started;
            (stat.parent == parent && !stat.has_ended).then_some(Process { pid, started })
        })
        .collect()
}

struct Stat {
    parent: u32,
    started: String,
    has_ended: bool,
    is_frozen: bool,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what follows it doesn't.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        started: (*fields.get(19)?).to_owned(),
        has_ended: matches!(*fields.first()?, "Z" | "X"),
        is_frozen: *fields.first()? == "T",
    })
}
