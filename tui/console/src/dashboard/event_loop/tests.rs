#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use futures_util::stream;
use jiff::tz::TimeZone;
use ratatui::backend::TestBackend;
use tokio::time::timeout;

use super::*;
use crate::dashboard::model::{Access, Target};

const PATIENCE: Duration = Duration::from_secs(10);

fn quit() -> Event {
    let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    Event::Key(key)
}

/// Runs the loop until it is quit; returns how many frames it drew.
async fn run(effects: &mut EffectRuntime, input: impl Stream<Item = io::Result<Event>>) -> usize {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let event_loop = EventLoop {
        model: Model::new(Timestamp::now(), Access::Full, Target::default()),
        effects,
        look: Look::new(TimeZone::UTC, true),
        terminal: &mut terminal,
        guard: TerminalGuard::default(),
        jobs: JobControl::default(),
    };
    let ended = timeout(PATIENCE, event_loop.run(pin!(input))).await;
    ended.expect("it was quit").unwrap();
    terminal.get_frame().count()
}

#[tokio::test]
async fn a_key_waits_for_no_messages() {
    let mut effects = EffectRuntime::unconnected();
    let send = effects.sender();
    for _ in 0..10_000 {
        send(Msg::Tick);
    }
    // Pressed while the loop takes messages in: it looks ten times before it finds the key.
    let mut looks = 0;
    let input = stream::poll_fn(|_| {
        looks += 1;
        if looks > 10 {
            Poll::Ready(Some(Ok(quit())))
        } else {
            Poll::Pending
        }
    });
    run(&mut effects, input).await;
    let left = std::iter::from_fn(|| effects.try_next()).count();
    assert!(left >= 10_000 - 10 * BATCH, "{left} of 10,000 are left");
}

#[tokio::test]
async fn messages_that_pour_in_are_drawn_together() {
    let mut effects = EffectRuntime::unconnected();
    let send = effects.sender();
    let (is_over, over) = tokio::sync::oneshot::channel();
    let started = Instant::now();
    let pouring = tokio::spawn(async move {
        for _ in 0..300 {
            send(Msg::Tick);
            sleep(Duration::from_millis(1)).await;
        }
        is_over.send(()).unwrap();
    });
    let input = stream::once(async {
        over.await.unwrap();
        Ok(quit())
    });
    let frames = run(&mut effects, input).await;
    pouring.await.unwrap();
    let most = started.elapsed().as_millis() / 30 + 2;
    assert!(frames as u128 <= most, "{frames} frames, {most} at most");
    assert!(frames > 3, "it goes on drawing: {frames} frames");
}
