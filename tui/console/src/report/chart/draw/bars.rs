//! The bar chart: a column for every slot, its value above it, its name below.

use plotters_backend::DrawingBackend;

use super::axis::Scale;
use super::column::Column;
use super::lanes::Lanes;
use super::palette::{AXIS, INK, MUTED, VERMILLION};
use super::pen::{Area, Drawn, Pen, Type, px, room};
use super::writing::Writing;
use crate::report::chart::model::{BarKind, Slot};

pub fn draw<DB: DrawingBackend>(pen: &mut Pen<DB>, slots: &[Slot], plot: Area) -> Drawn<DB> {
    let lanes = Lanes::new(slots, plot);
    let columns: Vec<Column> = slots
        .iter()
        .enumerate()
        .flat_map(|(index, slot)| Column::of(slot, lanes.centre(index), lanes.width))
        .collect();
    let labels: Vec<_> = columns.iter().map(|column| &column.label).collect();
    let writing = Writing::choose(&labels);
    let most = columns.iter().map(Column::ms).fold(0.0, f64::max);
    let scale = Scale::new(plot, most, writing.headroom(&labels));
    scale.draw(pen, "latency (ms)", false)?;
    for column in &columns {
        writing.clear(pen, &column.label, column.top(&scale))?;
    }
    for column in &columns {
        column.draw(pen, &scale)?;
    }
    for column in &columns {
        writing.draw(pen, &column.label, column.top(&scale))?;
    }
    for (index, slot) in slots.iter().enumerate() {
        name(pen, slot, lanes.centre(index), lanes.width, plot.bottom)?;
    }
    caption(&lanes, pen, slots, plot.bottom)
}

/// Draws a bracket under the chunks that says what their numbers are.
fn caption<DB: DrawingBackend>(
    lanes: &Lanes,
    pen: &mut Pen<DB>,
    slots: &[Slot],
    bottom: i32,
) -> Drawn<DB> {
    let is_map = |slot: &Slot| slot.kind == BarKind::Map;
    let (Some(first), Some(last)) = (
        slots.iter().position(is_map),
        slots.iter().rposition(is_map),
    ) else {
        return Ok(());
    };
    if slots[first].name.starts_with("chunk") {
        return Ok(());
    }
    let half = lanes.width * 0.4;
    let left = px(lanes.centre(first) - half);
    let right = px(lanes.centre(last) + half);
    let y = bottom + 46;
    pen.fill(Area::new(left, y, right, y + 1), AXIS)?;
    pen.fill(Area::new(left, y - 5, left + 1, y), AXIS)?;
    pen.fill(Area::new(right - 1, y - 5, right, y), AXIS)?;
    let look = Type::new(17.0, INK).centred();
    pen.text("chunks", (i32::midpoint(left, right), y + 18), look)
}

fn name<DB: DrawingBackend>(
    pen: &mut Pen<DB>,
    slot: &Slot,
    centre: f64,
    width: f64,
    bottom: i32,
) -> Drawn<DB> {
    let color = if slot.is_failed { VERMILLION } else { INK };
    let em = if width < 60.0 { 15.0 } else { 17.0 };
    let mut look = Type::new(em, color).centred();
    look.is_bold = slot.is_failed;
    // "map wall" takes two lines where one is too narrow.
    let narrow = room(&slot.name, em) > width - 4.0;
    let lines: Vec<&str> = if narrow {
        slot.name.split(' ').collect()
    } else {
        vec![&slot.name]
    };
    let mut y = bottom + 24;
    for line in lines {
        pen.text(line, (px(centre), y), look)?;
        y += 20;
    }
    let attempts = format!("{} attempts", slot.attempts());
    if slot.attempts() > 1 && room(&attempts, 14.0) < width - 4.0 {
        pen.text(
            &attempts,
            (px(centre), y + 2),
            Type::new(14.0, MUTED).centred(),
        )?;
    }
    Ok(())
}
