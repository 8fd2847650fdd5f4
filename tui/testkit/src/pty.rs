//! The dashboard in a real pseudo-terminal: keys go in, and what a terminal would show comes out.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::console::{binary, environment};
use crate::process::{self, Process};
use crate::{DEADLINE, wait_for};

/// Columns and lines of a new terminal.
const SIZE: (u16, u16) = (120, 40);

/// A dashboard that is not started yet.
pub struct Deck(CommandBuilder);

/// A dashboard in its terminal. Dropping it kills it.
pub struct Open {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    terminal: Box<dyn MasterPty + Send>,
    /// The terminal's modes before the dashboard began.
    modes: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    output: Mutex<Output>,
    changed: Condvar,
}

#[derive(Default)]
struct Output {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    has_ended: bool,
    /// The terminal stalls: what comes is left where it is.
    is_stalled: bool,
}

/// How a dashboard ended, and how it left the terminal.
pub struct Closed {
    pub code: u32,
    modes_before: String,
    modes_after: String,
    shared: Arc<Shared>,
}

impl Deck {
    /// With a home and a working folder, and nothing else from outside.
    pub fn new(home: &Path) -> Self {
        Self::of(binary(), home)
    }

    /// Another program in the dashboard's place.
    pub fn of(program: impl AsRef<OsStr>, home: &Path) -> Self {
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.cwd(home);
        command.env("TERM", "xterm-256color");
        for (name, value) in environment(home) {
            command.env(name, value);
        }
        Self(command)
    }

    /// The same on a local cluster of three mappers, whose data is kept in `data`.
    pub fn local(home: &Path) -> Self {
        Self::new(home).args(["--local", "--local-data", "data"])
    }

    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn envs(self, environment: Vec<(&'static str, String)>) -> Self {
        environment
            .into_iter()
            .fold(self, |deck, (name, value)| deck.env(name, value))
    }

    pub fn open(self) -> Open {
        let pair = native_pty_system().openpty(size(SIZE)).unwrap();
        let modes = modes(pair.master.as_ref());
        let shared = Arc::new(Shared::default());
        shared.lock().parser.set_size(cells(SIZE.1), cells(SIZE.0));
        let mut screen = pair.master.try_clone_reader().unwrap();
        let output = shared.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4 << 10];
            // The last process on the other side closes it: that is the end.
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                output.take_in(&buffer[..count]);
                output.wait_while_stalled();
            }
            output.end();
        });
        Open {
            child: pair.slave.spawn_command(self.0).unwrap(),
            keyboard: pair.master.take_writer().unwrap(),
            terminal: pair.master,
            modes,
            shared,
        }
    }
}

fn size((cols, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn modes(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios().unwrap())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap()
    }

    fn take_in(&self, bytes: &[u8]) {
        let mut output = self.lock();
        output.parser.process(bytes);
        output.bytes.extend_from_slice(bytes);
        self.changed.notify_all();
    }

    fn wait_while_stalled(&self) {
        let stalled = |output: &mut Output| output.is_stalled;
        drop(self.changed.wait_while(self.lock(), stalled).unwrap());
    }

    fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits until `holds` does; gives the screen then, and on failure tells it.
    #[track_caller]
    fn wait_for(&self, what: &str, mut holds: impl FnMut(&Output) -> bool) -> String {
        let mut has_come = false;
        let (output, _) = self
            .changed
            .wait_timeout_while(self.lock(), DEADLINE, |output| {
                has_come = holds(output);
                !has_come && !output.has_ended
            })
            .unwrap();
        let text = output.parser.screen().contents();
        // The terminal is read on while this test fails.
        drop(output);
        assert!(has_come, "waited in vain for {what}:\n{text}");
        text
    }
}

impl Output {
    #[track_caller]
    fn expect_given_back(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
    }
}

impl Open {
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// The processes the dashboard has started and that still run.
    pub fn children(&self) -> Vec<Process> {
        process::children_of(self.pid())
    }

    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Stalls the terminal, as ctrl-s or a dead network does: nothing that is drawn is read until [`Self::go_on`].
    pub fn stall(&self) {
        self.shared.lock().is_stalled = true;
    }

    /// Ends a stall.
    pub fn go_on(&self) {
        self.shared.lock().is_stalled = false;
        self.shared.changed.notify_all();
    }

    /// Presses Esc, and waits until `shown` is gone: a key right after it would be read as one with Alt.
    #[track_caller]
    pub fn escape(&mut self, shown: &str) {
        self.send("\x1b");
        let what = format!("'{shown}' to go");
        self.wait_for(&what, |screen| !screen.contains(shown));
    }

    /// Pastes, as a terminal does where bracketed paste is on.
    pub fn paste(&mut self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn resize(&self, to: (u16, u16)) {
        // Before the program hears of it, so that what it then draws finds the new size.
        let mut output = self.shared.lock();
        output.parser.set_size(cells(to.1), cells(to.0));
        self.terminal.resize(size(to)).unwrap();
    }

    /// Waits until the screen is one that `holds` waits for; gives its text.
    #[track_caller]
    pub fn wait_for(&self, what: &str, mut holds: impl FnMut(&str) -> bool) -> String {
        self.shared
            .wait_for(what, |output| holds(&output.parser.screen().contents()))
    }

    /// Waits until each of the texts is on the screen; gives the whole of it.
    #[track_caller]
    pub fn wait_text(&self, texts: &[&str]) -> String {
        self.wait_for(&texts.join(" and "), |screen| {
            texts.iter().all(|text| screen.contains(text))
        })
    }

    /// Waits until each of a lab's five services answers.
    #[track_caller]
    pub fn wait_until_up(&self) {
        self.wait_for("five tasks that answer", |screen| {
            let up = |line: &&str| line.contains("RUNNING") && line.contains(" ms");
            screen.lines().filter(up).count() == 5
        });
    }

    /// Waits for a line that has each of the texts.
    #[track_caller]
    pub fn wait_line(&self, texts: &[&str]) -> String {
        self.wait_for(&texts.join(" … "), |screen| {
            screen
                .lines()
                .any(|line| texts.iter().all(|text| line.contains(text)))
        })
    }

    /// Asserts that the terminal is as it was before, while the program is there still.
    #[track_caller]
    pub fn expect_given_back(&self) {
        assert_eq!(modes(self.terminal.as_ref()), self.modes);
        self.shared.lock().expect_given_back();
    }

    /// Kills it without a warning.
    pub fn kill(mut self) {
        self.signal("KILL");
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Closed {
        let status = wait_for("the dashboard's end", || self.child.try_wait().unwrap());
        self.shared
            .wait_for("the end of its output", |output| output.has_ended);
        let modes_after = modes(self.terminal.as_ref());
        Closed {
            code: status.exit_code(),
            modes_before: self.modes.clone(),
            modes_after,
            shared: self.shared.clone(),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.go_on();
        // Both fail only for a process that has already ended.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Closed {
    /// Everything that was ever written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.shared.lock().bytes.clone()
    }

    /// Asserts that the terminal is as it was before.
    #[track_caller]
    pub fn expect_restored(&self) {
        assert_eq!(self.modes_after, self.modes_before);
        let output = self.shared.lock();
        output.expect_given_back();
        let written = String::from_utf8_lossy(&output.bytes);
        for mode in ["?1049", "?2004", "?25"] {
            let was = |end| written.contains(&format!("\x1b[{mode}{end}"));
            assert!(was('h') && was('l'), "{mode} was changed at all");
        }
    }
}
