//! Real services: processes of the console's own binary, as `--local` starts them.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::console::binary;
use crate::process;

/// A service process. Dropping it kills it; it also ends when the test's process does.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
}

/// A service that was started and is not known to listen yet.
pub struct Starting(Child);

impl Service {
    pub fn start(role: &str, environment: &[(&'static str, String)]) -> Starting {
        let child = Command::new(binary())
            .args(["serve", role, "--until-stdin-closes"])
            .env_clear()
            .env("ADDR", "127.0.0.1:0")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Starting(child.unwrap())
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    /// Stops answering from now on; connections are still accepted, by the system.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn kill(&self) {
        self.signal("KILL");
    }
}

impl Starting {
    /// Waits for the line that says where it listens.
    pub fn wait(mut self) -> Service {
        let mut line = String::new();
        let stdout = self.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ");
        let address = address.unwrap_or_else(|| panic!("not an address: '{line}'"));
        Service {
            address: address.parse().unwrap(),
            child: self.0,
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It fails only for a process that has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
