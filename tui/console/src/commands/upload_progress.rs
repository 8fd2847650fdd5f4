//! The progress of an upload on standard error: a bar on a terminal that takes one, one line elsewhere.

use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};

use crate::input::InputChoice;
use crate::stderr;
use crate::tty;
use crate::upload::UploadProgress;
use mrdeck_core::human::{bytes, printable};

const TEMPLATE: &str = "{spinner} upload {elapsed:>4} {wide_bar} {binary_bytes} of {binary_total_bytes} {percent:>3} %";

/// Shows the upload of one input. An object needs no upload, and nothing is shown.
pub struct UploadDisplay {
    name: String,
    bar: OnceLock<Option<ProgressBar>>,
}

impl UploadDisplay {
    pub fn new(input: &InputChoice) -> Self {
        Self {
            name: printable(&input.to_string()).into_owned(),
            bar: OnceLock::new(),
        }
    }

    pub fn show(&self, progress: UploadProgress) {
        let bar = self.bar.get_or_init(|| self.begin(progress.total));
        if let Some(bar) = bar {
            bar.set_position(progress.sent);
        }
    }

    fn begin(&self, total: u64) -> Option<ProgressBar> {
        stderr::line(&format!("uploading {}, {}", self.name, bytes(total)));
        if !tty::takes_escapes(&std::io::stderr()) {
            return None;
        }
        let style = ProgressStyle::with_template(TEMPLATE);
        let bar = ProgressBar::new(total)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(super::TICK);
        Some(bar)
    }
}

impl Drop for UploadDisplay {
    fn drop(&mut self) {
        if let Some(Some(bar)) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
