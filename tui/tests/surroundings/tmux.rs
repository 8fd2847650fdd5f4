//! The dashboard as the program of a tmux window: where a copied text goes, and what ctrl-z does.

use std::ops::{Deref, DerefMut};
use std::process::Command;

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;
use mrdeck_testkit::console::binary;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::pty::{Deck, Open};
use mrdeck_testkit::skip::Lack;

use super::Test;

pub const TESTS: &[Test] = &[
    (
        "a_copy_is_in_tmux_s_buffer_and_on_its_way_to_the_clipboard",
        a_copy_is_in_tmux_s_buffer_and_on_its_way_to_the_clipboard,
    ),
    (
        "a_copied_text_is_taken_literally",
        a_copied_text_is_taken_literally,
    ),
    (
        "what_keeps_a_copy_from_the_clipboard_is_said",
        what_keeps_a_copy_from_the_clipboard_is_said,
    ),
    (
        "ctrl_z_in_a_window_of_its_own_says_that_there_is_no_shell",
        ctrl_z_in_a_window_of_its_own_says_that_there_is_no_shell,
    ),
];

pub fn lack() -> Lack {
    match Command::new("tmux").arg("-V").output() {
        Ok(answer) if answer.status.success() => Lack::Nothing,
        Ok(answer) => Lack::Broken(format!("tmux -V: {answer:?}")),
        Err(error) => Lack::Absent(format!("tmux is not installed: {error}")),
    }
}

/// A tmux server of the test's own, with a dashboard in its only window. Dropping it ends the server.
struct Tmux {
    home: Home,
    window: Open,
}

impl Tmux {
    /// On a terminal of this kind; `window` shows what tmux draws there.
    fn open(term: &str) -> Self {
        let home = Home::new();
        let deck = Deck::of("tmux", home.path()).env("TERM", term);
        let deck = deck.args(["-f", "/dev/null", "-S", "socket", "new-session"]);
        let deck = deck.args([binary(), "--local", "--local-data", "data"]);
        let window = deck.open();
        window.wait_until_up();
        Self { home, window }
    }

    fn ask(&self, args: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", "socket"]).args(args);
        let answer = tmux.current_dir(self.home.path()).output().unwrap();
        assert!(answer.status.success(), "{args:?}: {answer:?}");
        String::from_utf8(answer.stdout).unwrap()
    }

    fn buffer(&self) -> String {
        self.ask(&["show-buffer"])
    }

    /// The address in the first mapper's row.
    fn address(&self) -> String {
        let screen = self.window.wait_text(&["mapper-1"]);
        let row = screen.lines().find(|line| line.contains("mapper-1"));
        row.unwrap().split_whitespace().nth(3).unwrap().to_owned()
    }

    /// Ends the server; returns what was written to the terminal outside.
    fn end(mut self) -> Vec<u8> {
        self.send("q");
        let window = std::mem::replace(&mut self.window, Deck::of("true", self.home.path()).open());
        window.wait().bytes()
    }
}

impl Deref for Tmux {
    type Target = Open;

    fn deref(&self) -> &Open {
        &self.window
    }
}

impl DerefMut for Tmux {
    fn deref_mut(&mut self) -> &mut Open {
        &mut self.window
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It fails where the server has ended with its last window.
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", "socket", "kill-server"]);
        let _ = tmux.current_dir(self.home.path()).output();
    }
}

fn a_copy_is_in_tmux_s_buffer_and_on_its_way_to_the_clipboard() {
    let mut tmux = Tmux::open("xterm-256color");
    let address = tmux.address();
    tmux.send("jc");
    tmux.wait_text(&[&format!("copied {address} to tmux's buffer")]);
    assert_eq!(tmux.buffer(), address);
    let mut sent = Vec::new();
    queue!(sent, CopyToClipboard::to_clipboard_from(&address)).unwrap();
    let sent = String::from_utf8(sent).unwrap();
    // tmux names another selection, or none.
    let (_, encoded) = sent.trim_end_matches("\x1b\\").rsplit_once(';').unwrap();
    let encoded = format!(";{encoded}");
    let written = tmux.end();
    let is_passed_on = |part: &[u8]| part == encoded.as_bytes();
    assert!(written.windows(encoded.len()).any(is_passed_on));
}

fn a_copied_text_is_taken_literally() {
    const NAME: &str = r#"it's $HOME #{pid} "q" \n;.txt"#;
    let mut tmux = Tmux::open("xterm-256color");
    tmux.home.write(NAME, "to be or not to be");
    tmux.send(&format!(":input {NAME}\r"));
    tmux.wait_text(&["input is"]);
    tmux.send("s");
    tmux.wait_text(&["done in", "6 words"]);
    // The newest panel's lines, of which one names the input.
    tmux.send("\x1b[Z/#{pid}\rc");
    tmux.wait_text(&["to tmux's buffer"]);
    let copied = tmux.buffer();
    assert!(copied.contains(NAME), "{copied}");
}

fn what_keeps_a_copy_from_the_clipboard_is_said() {
    let mut tmux = Tmux::open("linux");
    let address = tmux.address();
    tmux.send("jc");
    tmux.wait_text(&["to tmux's buffer", "terminal-features ',*:clipboard'"]);
    assert_eq!(tmux.buffer(), address);
    tmux.ask(&["set-option", "-s", "set-clipboard", "off"]);
    tmux.send("c");
    tmux.wait_text(&["to tmux's buffer", "tmux set -s set-clipboard on"]);
}

fn ctrl_z_in_a_window_of_its_own_says_that_there_is_no_shell() {
    let mut tmux = Tmux::open("xterm-256color");
    tmux.send("\x1a");
    tmux.wait_text(&["not suspended: there is no shell here"]);
    tmux.send("?");
    tmux.wait_text(&["Keys", "quit from anywhere"]);
}
