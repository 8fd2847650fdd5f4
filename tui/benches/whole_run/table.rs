//! The figures as a table: medians, the spread, and how many times the first row that is.

use std::fs;

/// What a thing took, once for each run, in milliseconds.
pub struct Row {
    name: String,
    times: Vec<f64>,
}

impl Row {
    pub fn new(name: String) -> Self {
        Self {
            name,
            times: Vec::new(),
        }
    }

    pub fn add(&mut self, ms: f64) {
        self.times.push(ms);
        self.times.sort_by(f64::total_cmp);
    }

    pub fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }

    pub fn print(&self, base: f64) {
        let (least, most) = (self.times[0], self.times[self.times.len() - 1]);
        let median = self.median();
        println!(
            "  {:<40} {median:>9.1} ms  {least:>9.1} to {most:>9.1}  {:>6.2}x",
            self.name,
            median / base
        );
    }
}

/// Returns what the figures were measured on.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{cores} cores of {model}; mrdeck {}",
        env!("CARGO_PKG_VERSION")
    )
}
