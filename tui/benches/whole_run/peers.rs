//! What others take for the same text, where they are installed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::table::Row;

/// Another program that counts the same text.
pub struct Peer {
    command: Vec<String>,
    row: Row,
}

impl Peer {
    fn new(name: String, command: &[&str]) -> Self {
        Self {
            command: command.iter().map(|part| (*part).to_owned()).collect(),
            row: Row::new(name),
        }
    }

    pub fn measure(&mut self) {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env("LC_ALL", "C");
        command.stdout(Stdio::null()).stderr(Stdio::inherit());
        let start = Instant::now();
        let status = command.status().unwrap();
        let took = start.elapsed();
        assert!(status.success(), "{:?}", self.command);
        self.row.add(took.as_secs_f64() * 1_000.0);
    }

    pub fn row(&self) -> &Row {
        &self.row
    }
}

/// Returns the peers that this machine has: they count from the file, in one process.
pub fn installed(text: &Path) -> Vec<Peer> {
    let text = text.to_str().unwrap();
    let mut peers = Vec::new();
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok()?;
        let first = String::from_utf8_lossy(&output.stdout);
        let first = first.lines().next().unwrap_or_default().to_owned();
        output.status.success().then_some(first)
    };
    // It counts no word by itself, and so is what any counting can be measured by.
    if let Some(version) = version("wc") {
        peers.push(Peer::new(format!("wc -w ({version})"), &["wc", "-w", text]));
    }
    if let Some(version) = version("duckdb") {
        let sql = format!(
            "SET threads = 2; COPY (SELECT w, count(*) FROM (SELECT unnest(regexp_extract_all(lower(line), \
             '[a-z0-9'']+')) AS w FROM read_csv('{text}', columns = {{'line': 'VARCHAR'}}, delim = '\\0', \
             quote = '', escape = '', header = false)) GROUP BY w ORDER BY w) TO '/dev/null' (FORMAT csv)"
        );
        // The number; its name and commit follow.
        let number = version.split(' ').next().unwrap_or_default();
        peers.push(Peer::new(
            format!("DuckDB {number}, 2 threads"),
            &["duckdb", "-c", &sql],
        ));
    }
    if let Some(version) = version("mawk").or_else(|| version("awk")) {
        let program = "{ gsub(/[^A-Za-z0-9']+/, \" \"); n = split(tolower($0), w, \" \"); \
                       for (i = 1; i <= n; i++) c[w[i]]++ } END { for (k in c) print k, c[k] }";
        peers.push(Peer::new(version, &["awk", program, text]));
    }
    peers
}
