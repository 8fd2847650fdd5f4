//! Colours and hatchings: Okabe and Ito's colours, which colour-blind readers can tell apart.
//!
//! What came to nothing is hatched as well, so that it stands out in greyscale and in print.

use plotters::style::RGBColor;

use crate::report::chart::model::{BarKind, Mood};

pub const PAPER: RGBColor = RGBColor(255, 255, 255);
pub const INK: RGBColor = RGBColor(28, 32, 38);
pub const MUTED: RGBColor = RGBColor(96, 104, 116);
pub const GRID: RGBColor = RGBColor(228, 231, 235);
pub const AXIS: RGBColor = RGBColor(150, 157, 167);

const BLUE: RGBColor = RGBColor(0, 114, 178);
const SKY: RGBColor = RGBColor(86, 180, 233);
const GREEN: RGBColor = RGBColor(0, 158, 115);
pub const VERMILLION: RGBColor = RGBColor(213, 94, 0);
const PURPLE: RGBColor = RGBColor(204, 121, 167);
const ORANGE: RGBColor = RGBColor(230, 159, 0);

/// How a bar is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    Solid,
    /// An outline with nothing in it.
    Hollow,
    /// Lines that rise to the right, that fall to the right, or both.
    Hatched {
        rising: bool,
        falling: bool,
    },
}

pub fn look(kind: BarKind) -> (RGBColor, Filling) {
    let hatched = |rising, falling| Filling::Hatched { rising, falling };
    match kind {
        BarKind::Split => (SKY, Filling::Solid),
        BarKind::Map => (BLUE, Filling::Solid),
        BarKind::MapWall => (BLUE, Filling::Hollow),
        BarKind::Reduce => (GREEN, Filling::Solid),
        BarKind::Failed => (VERMILLION, hatched(true, false)),
        BarKind::Abandoned => (PURPLE, hatched(false, true)),
        BarKind::Unused => (ORANGE, hatched(true, true)),
    }
}

pub fn mood(mood: Mood) -> RGBColor {
    match mood {
        Mood::Good => GREEN,
        Mood::Bad => VERMILLION,
        Mood::Neutral => MUTED,
    }
}
