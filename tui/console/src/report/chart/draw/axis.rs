//! The upright axis: round ticks, their grid lines, and what they count.

use plotters_backend::DrawingBackend;

use super::palette::{AXIS, GRID, MUTED};
use super::pen::{Area, Drawn, Pen, Type, px};
use crate::report::chart::model::{nice_step, tick_text};

/// From 0 at the plot's bottom to a value at its top.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    plot: Area,
    top: f64,
}

impl Scale {
    /// Leaves `headroom` pixels above the largest value, for what is written there.
    pub fn new(plot: Area, most: f64, headroom: i32) -> Self {
        let free = (plot.height() - headroom).max(1);
        let most = if most > 0.0 { most } else { 1.0 };
        Self {
            plot,
            top: most * f64::from(plot.height()) / f64::from(free),
        }
    }

    /// Returns the pixel row of a value. Anything above 0 is at least two pixels high.
    pub fn y(&self, value: f64) -> i32 {
        let pixels = value / self.top * f64::from(self.plot.height());
        let least = if value > 0.0 { 2.0 } else { 0.0 };
        self.plot.bottom - px(pixels.round().max(least))
    }

    /// Draws the axis. With `whole` it counts things, of which there are no fractions.
    pub fn draw<DB: DrawingBackend>(
        &self,
        pen: &mut Pen<DB>,
        title: &str,
        whole: bool,
    ) -> Drawn<DB> {
        let Area {
            left,
            top,
            right,
            bottom,
        } = self.plot;
        let step = nice_step(self.top, 7.0);
        let step = if whole { step.ceil() } else { step };
        let ticks = (1..=20).map(|index| f64::from(index) * step);
        for value in ticks.take_while(|value| *value <= self.top) {
            let y = self.y(value);
            pen.fill(Area::new(left, y, right, y + 1), GRID)?;
            let look = Type::new(16.0, MUTED).flush_right();
            pen.text(&tick_text(value, step), (left - 12, y), look)?;
        }
        pen.fill(Area::new(left, bottom, right, bottom + 2), AXIS)?;
        pen.text(
            "0",
            (left - 12, bottom),
            Type::new(16.0, MUTED).flush_right(),
        )?;
        pen.text(title, (left, top - 20), Type::new(16.0, MUTED))
    }
}
