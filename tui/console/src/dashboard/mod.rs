//! The dashboard: a model, the effects it asks for, and how it is drawn, held together by one loop.
//!
//! | module | job |
//! |---|---|
//! | [`model`] | what the dashboard knows, and how each message changes it; pure |
//! | [`keymap`] | the table of keys: what each means now |
//! | [`view`] | draws the model |
//! | `effects` | what is done outside: the cluster, runs, S3, files |
//! | `event_loop`, `redraw` | the loop; alone it knows all of them |
//! | [`terminal`] | the terminal, taken over and given back |

mod effects;
mod event_loop;
pub mod keymap;
pub mod model;
mod redraw;
pub mod terminal;
pub mod view;

pub use self::event_loop::key_message;

use std::io::IsTerminal;
use std::sync::Arc;

use crossterm::event::EventStream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use self::effects::EffectRuntime;
use self::event_loop::EventLoop;
use self::model::{Access, Model};
use self::terminal::Screen;
use self::view::Look;
use crate::config::Config;
use crate::exit::Exit;
use crate::signals::{self, JobControl};
use crate::stderr;
use crate::tty;

/// Shows the dashboard until it is quit.
pub async fn run(config: Config) -> Exit {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        stderr::error(
            "the dashboard needs a terminal",
            "use 'mrdeck run' to run without the dashboard",
        );
        return Exit::Usage;
    }
    if tty::is_dumb() {
        stderr::error(
            "the dashboard can't be drawn on this terminal, which takes no escape sequences (TERM=dumb)",
            "use 'mrdeck run' to run without the dashboard, or set TERM to what the terminal is",
        );
        return Exit::Usage;
    }
    let panicked = CancellationToken::new();
    let mut screen = match Screen::open(panicked.clone()) {
        Ok(screen) => screen,
        Err(error) => {
            stderr::error(
                &format!("the terminal can't be used: {error}"),
                "use 'mrdeck run' to run without the dashboard",
            );
            return Exit::Failed;
        }
    };
    let access = Access::new(config.connect.read_only);
    let model = Model::new(Timestamp::now(), access, effects::target::of(&config));
    let guard = screen.guard();
    let mut effects = EffectRuntime::new(config, Arc::new(move |text| guard.copy(text)));
    let event_loop = EventLoop {
        model,
        effects: &mut effects,
        look: Look::new(TimeZone::system(), !tty::takes_colours(&std::io::stdout())),
        guard: screen.guard(),
        terminal: &mut screen.terminal,
        jobs: JobControl::listen(),
    };
    let ended = tokio::select! {
        biased;
        () = panicked.cancelled() => Ok(Exit::Failed),
        () = signals::termination() => Ok(Exit::Interrupted),
        ended = event_loop.run(EventStream::new()) => ended.map(|()| Exit::Done),
    };
    drop(screen);
    let unfinished = effects.shutdown().await;
    if let Some(command) = &unfinished {
        stderr::line(&format!("interrupted; resume with: {command}"));
    }
    match ended {
        Ok(Exit::Done) if unfinished.is_some() => Exit::Unfinished,
        Ok(exit) => exit,
        Err(error) => {
            stderr::error(&format!("the terminal was lost: {error}"), "");
            Exit::Failed
        }
    }
}
