//! A slot's columns: a solid one for what counts, a hatched one beside it for what came to nothing.

use plotters_backend::DrawingBackend;

use super::axis::Scale;
use super::palette::{INK, MUTED, VERMILLION};
use super::pen::{Area, Drawn, Pen, px};
use super::writing::Label;
use crate::report::chart::model::{BarKind, Slot, ms_text};

const WIDEST: f64 = 130.0;
/// How much of a slot its columns fill.
const FILLED: f64 = 0.68;

/// Parts on top of each other, and what is written above them.
pub struct Column {
    centre: f64,
    width: f64,
    /// From the bottom up.
    parts: Vec<(BarKind, f64)>,
    pub label: Label,
}

impl Column {
    /// Returns the columns of a slot that is `lane` pixels wide.
    pub fn of(slot: &Slot, centre: f64, lane: f64) -> Vec<Self> {
        let lost: Vec<_> = slot
            .losses
            .iter()
            .map(|loss| (loss.kind, loss.ms))
            .collect();
        let width = (lane * FILLED).min(WIDEST);
        let whole = |parts, label| Self {
            centre,
            width,
            parts,
            label,
        };
        let room = lane - 8.0;
        match slot.ms {
            None if lost.is_empty() => {
                let missing = slot.missing.unwrap_or_default();
                vec![whole(lost, missing_label(missing, room))]
            }
            None => vec![whole(lost, lost_label(slot, room))],
            Some(ms) if lost.is_empty() => {
                vec![whole(vec![(slot.kind, ms)], value_label(ms, room))]
            }
            Some(ms) => {
                // The solid column is the wider one: it is what counts.
                let (left, right) = (width * 0.42, width * 0.52);
                let half = lane / 2.0 - 8.0;
                vec![
                    Self {
                        centre: centre - (width - left) / 2.0,
                        width: left,
                        parts: lost,
                        label: lost_label(slot, half),
                    },
                    Self {
                        centre: centre + (width - right) / 2.0,
                        width: right,
                        parts: vec![(slot.kind, ms)],
                        label: value_label(ms, half),
                    },
                ]
            }
        }
    }

    pub fn ms(&self) -> f64 {
        self.parts.iter().map(|(_, ms)| ms).sum()
    }

    /// Returns the middle of the upper edge.
    pub fn top(&self, scale: &Scale) -> (i32, i32) {
        (px(self.centre), scale.y(self.ms()))
    }

    pub fn draw<DB: DrawingBackend>(&self, pen: &mut Pen<DB>, scale: &Scale) -> Drawn<DB> {
        let left = px(self.centre - self.width / 2.0);
        let right = px(self.centre + self.width / 2.0);
        let mut below = 0.0;
        for (kind, ms) in &self.parts {
            let area = Area::new(left, scale.y(below + ms), right, scale.y(below));
            pen.bar(area, *kind)?;
            below += ms;
        }
        Ok(())
    }
}

fn value_label(ms: f64, room: f64) -> Label {
    Label {
        value: ms_text(ms),
        is_ms: true,
        note: None,
        color: INK,
        room,
    }
}

fn lost_label(slot: &Slot, room: f64) -> Label {
    // The other kinds' hues are too light to read as text.
    let failed = slot.losses.iter().any(|loss| loss.kind == BarKind::Failed);
    Label {
        value: ms_text(slot.lost_ms()),
        is_ms: true,
        note: slot.missing,
        color: if failed { VERMILLION } else { MUTED },
        room,
    }
}

fn missing_label(missing: &str, room: f64) -> Label {
    Label {
        value: missing.to_owned(),
        is_ms: false,
        note: None,
        color: MUTED,
        room,
    }
}
