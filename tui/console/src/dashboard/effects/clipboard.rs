//! Copies a text: into tmux's buffer inside tmux, else through the terminal (OSC 52).
//!
//! A terminal never says what it did with a text, and tmux drops what programs send it unless `set-clipboard` is `on`.
//! So tmux is asked as a program: its answer is one.

use std::io;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::dashboard::model::{Clipboard, Msg};
use mrdeck_core::diagnostic::Diagnostic;

/// Sends a text to the terminal's clipboard; may block.
pub type ToTerminal = Arc<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

/// Far more than tmux takes.
const DEADLINE: Duration = Duration::from_secs(2);
/// What tmux says of itself and of the terminal that shows it.
const ABOUT: &str = "#{set-clipboard} #{client_termfeatures}";

const SET_CLIPBOARD: &str = "tmux set -s set-clipboard on";
const TERMINAL_FEATURES: &str = "tmux set -as terminal-features ',*:clipboard'";
const UPDATE: &str = "tmux 3.2 or later";

/// Copies the text; answers with what became of it.
pub(super) async fn copy(text: String, to_terminal: ToTerminal) -> Msg {
    let clipboard = if is_in_tmux() {
        match to_tmux(&text).await {
            Ok(missing) => return Msg::Copied(text, Clipboard::Tmux { missing }),
            Err(error) => Clipboard::TerminalFor {
                refused: error.to_string(),
                setting: SET_CLIPBOARD,
            },
        }
    } else {
        Clipboard::Terminal
    };
    let sent = text.clone();
    let sent = tokio::task::spawn_blocking(move || to_terminal(&sent)).await;
    match sent.map_err(io::Error::other).flatten() {
        Ok(()) => Msg::Copied(text, clipboard),
        Err(error) => Msg::NotCopied(Diagnostic::new(
            format!("the terminal can't be written to: {error}"),
            "",
        )),
    }
}

fn is_in_tmux() -> bool {
    std::env::var_os("TMUX").is_some_and(|tmux| !tmux.is_empty())
}

/// Returns what the system's clipboard lacks to get the text too, if that can be told.
async fn to_tmux(text: &str) -> io::Result<Option<&'static str>> {
    // -w passes it on to the terminal; before 3.2 there was no such flag.
    if tmux(&["load-buffer", "-w", "-"], text).await.is_err() {
        tmux(&["load-buffer", "-"], text).await?;
        return Ok(Some(UPDATE));
    }
    let about = tmux(&["display-message", "-p", ABOUT], "").await;
    Ok(about.ok().and_then(|about| missing(&about)))
}

/// Returns what keeps tmux from passing a text on to the terminal.
fn missing(about: &str) -> Option<&'static str> {
    let (setting, features) = about.trim_end().split_once(' ')?;
    if setting == "off" {
        return Some(SET_CLIPBOARD);
    }
    let is_capable = features.split(',').any(|feature| feature == "clipboard");
    (!is_capable).then_some(TERMINAL_FEATURES)
}

/// Has tmux do something with a text; returns what it says.
async fn tmux(args: &[&str], text: &str) -> io::Result<String> {
    let answer = timeout(DEADLINE, ask(args, text)).await;
    let answer = answer.map_err(|_| {
        let patience = DEADLINE.as_secs();
        io::Error::other(format!("it has not answered within {patience} s"))
    })??;
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&answer.stderr);
    Err(io::Error::other(match said.trim() {
        "" => answer.status.to_string(),
        said => said.to_owned(),
    }))
}

async fn ask(args: &[&str], text: &str) -> io::Result<Output> {
    let mut process = Command::new("tmux")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        // One that does not read says why by its status.
        let _ = stdin.write_all(text.as_bytes()).await;
    }
    process.wait_with_output().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_s_clipboard_lacks_is_told() {
        let all = "external bpaste,ccolour,clipboard,title\n";
        assert_eq!(missing(all), None);
        assert_eq!(missing("off bpaste,clipboard\n"), Some(SET_CLIPBOARD));
        assert_eq!(missing("on bpaste,title\n"), Some(TERMINAL_FEATURES));
        assert_eq!(missing("\n"), None, "not known");
    }
}
