//! Where the slots of a bar chart lie: evenly, with a gap between one kind and the next.

use super::pen::Area;
use crate::report::chart::model::Slot;

pub struct Lanes {
    left: f64,
    pub width: f64,
    /// How many gaps lie before each slot.
    gaps: Vec<f64>,
}

/// A gap's width, in slots.
const GAP: f64 = 0.35;

impl Lanes {
    pub fn new(slots: &[Slot], plot: Area) -> Self {
        let mut gaps = Vec::with_capacity(slots.len());
        let mut gap = GAP;
        for (index, slot) in slots.iter().enumerate() {
            if index > 0 && slots[index - 1].kind != slot.kind {
                gap += GAP;
            }
            gaps.push(gap);
        }
        let total = slots.len() as f64 + gap + GAP;
        Self {
            left: f64::from(plot.left),
            width: f64::from(plot.width()) / total,
            gaps,
        }
    }

    pub fn centre(&self, index: usize) -> f64 {
        self.left + (index as f64 + self.gaps[index] + 0.5) * self.width
    }
}
