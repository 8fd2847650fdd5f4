//! Title, status, the lines below them, the legend and the footer.

use plotters_backend::DrawingBackend;

use super::palette::{INK, MUTED, VERMILLION, mood};
use super::pen::{Area, Drawn, Fault, Pen, Type, px, room};
use super::{MARGIN, RIGHT};
use crate::report::chart::model::{ChartModel, TITLE};

/// Draws the header, and returns its height, down to where the chart may begin.
pub fn draw<DB: DrawingBackend>(pen: &mut Pen<DB>, model: &ChartModel) -> Result<i32, Fault<DB>> {
    let header = &model.header;
    pen.text(TITLE, (MARGIN, 62), Type::new(34.0, INK).bold())?;
    let status = Type::new(22.0, mood(header.mood)).bold().flush_right();
    pen.text(&header.status, (RIGHT, 62), status)?;

    let lines = header.lines.iter().map(|line| (line, MUTED));
    let diagnostic = header.diagnostic.iter().map(|line| (line, VERMILLION));
    let mut y = 104;
    for (line, color) in lines.chain(diagnostic) {
        pen.text_within(line, RIGHT - MARGIN, (MARGIN, y), Type::new(18.0, color))?;
        y += 28;
    }
    legend(pen, model, y + 16)?;
    let footer = Type::new(14.0, MUTED).flush_right();
    pen.text(&header.footer, (RIGHT, 866), footer)?;
    Ok(y + 32)
}

fn legend<DB: DrawingBackend>(pen: &mut Pen<DB>, model: &ChartModel, y: i32) -> Drawn<DB> {
    const EM: f64 = 17.0;
    let mut x = MARGIN;
    for (kind, text) in &model.legend {
        pen.bar(Area::new(x, y - 9, x + 30, y + 9), *kind)?;
        pen.text(text, (x + 40, y), Type::new(EM, INK))?;
        x += 40 + px(room(text, EM)) + 28;
    }
    Ok(())
}
