//! The model on a page: where everything goes.
//!
//! ```text
//! +--------------------------------------------------+   +------------------------------------------+
//! | title                                     status |   | title                             status |
//! | what ran, what it gained                         |   | what ran, what it gained                 |
//! | legend                                           |   | legend                                   |
//! | ms                                               |   | ms            | chunks       :p50 :p95   |
//! |  |  split | map 0 map 1 ... | map wall | reduce  |   |  | s | w | r  |   |    ##    :    :      |
//! |  +------------------------------------------     |   |  +----------- |   +--####----------- ms  |
//! |                                            run   |   |                                    run   |
//! +--------------------------------------------------+   +------------------------------------------+
//!        up to 24 chunks                                         more
//! ```

mod axis;
mod bars;
mod column;
mod distribution;
mod header;
mod lanes;
mod palette;
mod pen;
mod writing;

use plotters_backend::DrawingBackend;

use super::font::Letters;
use super::model::ChartModel;
use palette::PAPER;
pub use pen::px;
use pen::{Area, Drawn, Pen};

pub const WIDTH: u32 = 1600;
pub const HEIGHT: u32 = 900;

/// The free border left and right of everything.
const MARGIN: i32 = 64;
const RIGHT: i32 = 1600 - MARGIN;
/// The plots' base line; names, a caption and the footer go below.
const BOTTOM: i32 = 766;

pub fn page<DB: DrawingBackend>(
    backend: &mut DB,
    letters: Letters,
    model: &ChartModel,
) -> Drawn<DB> {
    let mut pen = Pen { backend, letters };
    pen.fill(Area::new(0, 0, 1600, 900), PAPER)?;
    let top = header::draw(&mut pen, model)? + 56;
    match &model.histogram {
        None => bars::draw(&mut pen, &model.slots, Area::new(150, top, RIGHT, BOTTOM)),
        Some(histogram) => {
            bars::draw(&mut pen, &model.slots, Area::new(150, top, 520, BOTTOM))?;
            distribution::draw(&mut pen, histogram, Area::new(640, top, RIGHT, BOTTOM))
        }
    }
}
