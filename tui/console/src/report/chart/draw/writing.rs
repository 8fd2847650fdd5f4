//! The values above the bars: across and with their unit where there is room, else upwards.

use plotters::style::RGBColor;
use plotters_backend::DrawingBackend;

use super::palette::PAPER;
use super::pen::{Area, Drawn, Pen, Type, px, room};

const LINE: i32 = 22;

/// What is written above a column.
pub struct Label {
    pub value: String,
    /// The value is a number of milliseconds.
    pub is_ms: bool,
    /// In the second line: why there is no result.
    pub note: Option<&'static str>,
    pub color: RGBColor,
    /// The width that the label has for itself.
    pub room: f64,
}

impl Label {
    fn value(&self, with_unit: bool) -> String {
        let unit = if with_unit && self.is_ms { " ms" } else { "" };
        format!("{}{unit}", self.value)
    }

    fn in_one_line(&self) -> String {
        match self.note {
            Some(note) => format!("{} {note}", self.value),
            None => self.value.clone(),
        }
    }
}

/// How the labels of one chart are written; all of them alike.
pub struct Writing {
    em: f64,
    with_unit: bool,
    is_turned: bool,
}

impl Writing {
    /// Chooses the largest way in which every label has room.
    pub fn choose(labels: &[&Label]) -> Self {
        let across = |em, with_unit| Self {
            em,
            with_unit,
            is_turned: false,
        };
        [
            across(18.0, true),
            across(18.0, false),
            across(16.0, false),
            across(14.0, false),
        ]
        .into_iter()
        .find(|writing| {
            labels
                .iter()
                .all(|label| writing.width(label) <= label.room)
        })
        .unwrap_or(Self {
            em: 14.0,
            with_unit: false,
            is_turned: true,
        })
    }

    fn width(&self, label: &Label) -> f64 {
        let note = room(label.note.unwrap_or_default(), self.em);
        room(&label.value(self.with_unit), self.em).max(note)
    }

    /// Returns the height that the labels need above the tallest bar.
    pub fn headroom(&self, labels: &[&Label]) -> i32 {
        if self.is_turned {
            let lengths = labels
                .iter()
                .map(|label| room(&label.in_one_line(), self.em));
            return px(lengths.fold(0.0, f64::max)) + 16;
        }
        let noted = labels.iter().any(|label| label.note.is_some());
        34 + if noted { LINE } else { 0 }
    }

    /// Clears the grid where the label will stand; before any bar is drawn, so that none is cut.
    pub fn clear<DB: DrawingBackend>(
        &self,
        pen: &mut Pen<DB>,
        label: &Label,
        (x, y): (i32, i32),
    ) -> Drawn<DB> {
        let (half, height) = if self.is_turned {
            let length = px(room(&label.in_one_line(), self.em));
            (px(self.em / 2.0), length + 8)
        } else {
            let lines = 1 + i32::from(label.note.is_some());
            (px(self.width(label) / 2.0) + 2, 4 + lines * LINE)
        };
        pen.fill(Area::new(x - half, y - height, x + half, y), PAPER)
    }

    /// Draws a label; `at` is the middle of the column's upper edge.
    pub fn draw<DB: DrawingBackend>(
        &self,
        pen: &mut Pen<DB>,
        label: &Label,
        (x, y): (i32, i32),
    ) -> Drawn<DB> {
        let look = Type::new(self.em, label.color);
        if self.is_turned {
            return pen.text(&label.in_one_line(), (x, y - 8), look.turned());
        }
        pen.text(&label.value(self.with_unit), (x, y - 14), look.centred())?;
        match label.note {
            Some(note) => pen.text(note, (x, y - 14 - LINE), look.centred().bold()),
            None => Ok(()),
        }
    }
}
