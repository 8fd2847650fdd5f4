//! The most memory that the console and its services took, as the kernel has it (`VmHWM`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use mrdeck_testkit::process;

/// Between two looks. The kernel remembers the most, so only the last few milliseconds of a process are not seen.
const EVERY: Duration = Duration::from_millis(5);

/// The most memory of each kind of process, in KiB.
#[derive(Debug, Default)]
pub struct Peaks(BTreeMap<String, u64>);

impl Peaks {
    pub fn merge(&mut self, other: Self) {
        for (name, kib) in other.0 {
            self.see(name, kib);
        }
    }

    fn see(&mut self, name: String, kib: u64) {
        let most = self.0.entry(name).or_default();
        *most = kib.max(*most);
    }

    fn look(&mut self, pid: u32, name: String) {
        let status = fs::read_to_string(format!("/proc/{pid}/status"));
        let status = status.unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        if let Some(kib) = kib {
            self.see(name, kib);
        }
    }
}

impl fmt::Display for Peaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("most memory:")?;
        for (index, (name, kib)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} {name} {} MiB", kib.div_ceil(1_024))?;
        }
        Ok(())
    }
}

pub struct Watched {
    stop: Sender<()>,
    seen: JoinHandle<Peaks>,
}

/// Watches a console and its services.
pub fn watch(console: u32) -> Watched {
    let (stop, stopped) = channel();
    let seen = std::thread::spawn(move || {
        let mut peaks = Peaks::default();
        while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            peaks.look(console, "console and S3".to_owned());
            for service in process::children_of(console) {
                if let Some(role) = role(service.pid) {
                    peaks.look(service.pid, role);
                }
            }
        }
        peaks
    });
    Watched { stop, seen }
}

impl Watched {
    pub fn end(self) -> Peaks {
        // It ends as well if it is gone already.
        let _ = self.stop.send(());
        self.seen.join().unwrap()
    }
}

/// The role in the command line of a service: `mrdeck serve ROLE`.
fn role(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments = line.split(|byte| *byte == 0);
    arguments.find(|argument| *argument == b"serve")?;
    Some(String::from_utf8_lossy(arguments.next()?).into_owned())
}
