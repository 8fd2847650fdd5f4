//! The dashboard: one loop that takes messages in, performs effects, and draws when something changed.

mod effects;
pub mod keymap;
pub mod model;
pub mod terminal;
pub mod view;

use std::io::IsTerminal;

use crossterm::event::{Event, EventStream, KeyEvent};
use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::effects::{News, Performer};
use self::model::{Access, Action, Effect, Mode, Model, Msg};
use self::terminal::Screen;
use self::view::Look;
use crate::config::Config;
use crate::exit::Exit;
use crate::signals;
use crate::stderr;

/// Shows the dashboard until it is quit.
pub async fn run(config: Config) -> Exit {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        stderr::error(
            "the dashboard needs a terminal, and this is not one",
            "'mrdeck run' does a run without the dashboard",
        );
        return Exit::Usage;
    }
    let panicked = CancellationToken::new();
    let mut screen = match Screen::open(panicked.clone()) {
        Ok(screen) => screen,
        Err(error) => {
            stderr::error(
                &format!("the terminal can't be used: {error}"),
                "'mrdeck run' does a run without the dashboard",
            );
            return Exit::Failed;
        }
    };
    let (sender, news) = mpsc::channel(1_024);
    let access = Access::new(config.connect.read_only);
    let model = Model::new(Timestamp::now(), access, effects::target::of(&config));
    let mut performer = Performer::new(config, sender);
    // The loop drops its end of the news with it, so that nobody waits for it to be read.
    let ended = show(&mut screen, model, &mut performer, news, panicked).await;
    drop(screen);
    if let Some(command) = performer.shutdown().await {
        stderr::line(&format!("interrupted; resume with: {command}"));
    }
    match ended {
        Ok(exit) => exit,
        Err(error) => {
            stderr::error(&format!("the terminal was lost: {error}"), "");
            Exit::Failed
        }
    }
}

async fn show(
    screen: &mut Screen,
    mut model: Model,
    performer: &mut Performer,
    mut news: mpsc::Receiver<News>,
    panicked: CancellationToken,
) -> std::io::Result<Exit> {
    let look = Look::new(TimeZone::system(), std::env::var_os("NO_COLOR").is_some());
    let mut input = EventStream::new();
    let mut termination = std::pin::pin!(signals::termination());

    // The first frame comes before anything else is begun.
    draw(screen, &model, &look)?;
    performer.perform(Effect::Connect);
    loop {
        let msg = tokio::select! {
            () = panicked.cancelled() => return Ok(Exit::Failed),
            () = &mut termination => return Ok(Exit::Interrupted),
            event = input.next() => match event {
                Some(Ok(event)) => from_terminal(event, &model, &look, screen.terminal.size()?),
                Some(Err(error)) => return Err(error),
                None => return Ok(Exit::Done),
            },
            item = news.recv() => item.and_then(|item| performer.take(item)),
            () = sleep(model.tick().unwrap_or_default()), if model.tick().is_some() => Some(Msg::Tick),
        };
        let Some(msg) = msg else {
            continue;
        };
        let mut next = Some(msg);
        while let Some(msg) = next {
            for effect in model.update(msg, Timestamp::now()) {
                match effect {
                    Effect::Quit => return Ok(Exit::Done),
                    Effect::Copy(text) => {
                        Screen::copy(&text)?;
                        model.update(Msg::Copied(text), Timestamp::now());
                    }
                    effect => performer.perform(effect),
                }
            }
            // A burst of events makes one frame, not a frame each.
            next =
                std::iter::from_fn(|| news.try_recv().ok()).find_map(|item| performer.take(item));
        }
        draw(screen, &model, &look)?;
    }
}

fn draw(screen: &mut Screen, model: &Model, look: &Look) -> std::io::Result<()> {
    screen
        .terminal
        .draw(|frame| view::draw(model, look, frame))?;
    Ok(())
}

fn from_terminal(event: Event, model: &Model, look: &Look, size: Size) -> Option<Msg> {
    match event {
        Event::Key(key) => key_message(model, look, size, &key),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(..) => Some(Msg::Resized),
        _ => None,
    }
}

/// Returns what a key press means now. How far an open page can be scrolled only its drawing knows.
pub fn key_message(model: &Model, look: &Look, size: Size, key: &KeyEvent) -> Option<Msg> {
    match keymap::message(model, key)? {
        Msg::Act(action) if model.mode() == Mode::Reading && action != Action::Quit => {
            let limit = view::scroll_limit(model, look, size);
            Some(Msg::Read { action, limit })
        }
        msg => Some(msg),
    }
}
