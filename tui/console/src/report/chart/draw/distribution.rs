//! The map latencies' histogram, with a labelled line at each percentile.

use plotters_backend::DrawingBackend;

use super::axis::Scale;
use super::palette::{AXIS, INK, MUTED, PAPER};
use super::pen::{Area, Drawn, Pen, Type, px, room};
use crate::report::chart::model::{BarKind, Bin, Histogram, grouped, ms_text, tick_text};

const EM: f64 = 17.0;
/// Between one percentile's label and the next.
const ROW: i32 = 26;

pub fn draw<DB: DrawingBackend>(pen: &mut Pen<DB>, histogram: &Histogram, plot: Area) -> Drawn<DB> {
    let labels: Vec<String> = histogram
        .marks
        .iter()
        .map(|mark| format!("{} {} ms", mark.name, ms_text(mark.ms)))
        .collect();
    let widest = labels
        .iter()
        .map(|label| room(label, EM))
        .fold(0.0, f64::max);
    // Every label stands to the right of its line; the slowest one's needs room there.
    let bins = Area {
        right: plot.right - px(widest) - 16,
        ..plot
    };
    let rows = i32::try_from(labels.len()).unwrap_or(0);
    let scale = Scale::new(plot, histogram.fullest() as f64, rows * ROW + 34);
    scale.draw(pen, "map attempts per bin", true)?;
    axis(pen, histogram, bins)?;

    let x = |ms| bins.left + px(histogram.span.fraction(ms) * f64::from(bins.width()));
    for bin in &histogram.bins {
        let (left, right) = (x(bin.from), x(bin.to) - 1);
        let mut below = 0;
        for (kind, count) in [(BarKind::Map, bin.done)].iter().chain(&bin.lost) {
            let top = scale.y((below + count) as f64);
            pen.bar(Area::new(left, top, right, scale.y(below as f64)), *kind)?;
            below += count;
        }
    }
    // The first label lies highest. So a line, which ends at its own label, never crosses the label of
    // a smaller percentile, however close the values are.
    for (row, (mark, label)) in (0i32..).zip(histogram.marks.iter().zip(&labels)) {
        let (at, y) = (x(mark.ms), plot.top + 6 + row * ROW);
        let end = at + 8 + px(room(label, EM));
        pen.fill(Area::new(at + 4, y - 10, end, y + 10), PAPER)?;
        pen.dashes(at, y - 8, plot.bottom, INK)?;
        pen.text(label, (at + 8, y), Type::new(EM, INK))?;
    }
    counts(pen, histogram, bins, &scale)
}

/// Writes the number of attempts above each bin, where it overlaps no other.
fn counts<DB: DrawingBackend>(
    pen: &mut Pen<DB>,
    histogram: &Histogram,
    bins: Area,
    scale: &Scale,
) -> Drawn<DB> {
    const SMALL: f64 = 13.0;
    let wide = f64::from(bins.width()) / histogram.bins.len() as f64;
    let top = |index: usize| {
        let bin = histogram.bins.get(index);
        scale.y(bin.map_or(0, Bin::total) as f64)
    };
    for (index, bin) in histogram.bins.iter().enumerate() {
        if bin.total() == 0 {
            continue;
        }
        let text = grouped(bin.total() as f64);
        let half = px(room(&text, SMALL) / 2.0) + 2;
        // A count wider than its bin needs lower neighbours, whose counts then stand lower as well.
        let lower = |other| top(other) - top(index) > 18;
        let is_free = lower(index.wrapping_sub(1)) && lower(index + 1);
        if f64::from(half * 2) > if is_free { wide * 2.0 } else { wide } {
            continue;
        }
        let x = bins.left + px((index as f64 + 0.5) * wide);
        let y = top(index) - 11;
        // A percentile's line may run here.
        pen.fill(Area::new(x - half, y - 7, x + half, y + 8), PAPER)?;
        pen.text(&text, (x, y), Type::new(SMALL, MUTED).centred())?;
    }
    Ok(())
}

fn axis<DB: DrawingBackend>(pen: &mut Pen<DB>, histogram: &Histogram, bins: Area) -> Drawn<DB> {
    let span = histogram.span;
    let mut free_from = i32::MIN;
    for (value, step) in span.ticks(8.0) {
        let x = bins.left + px(span.fraction(value) * f64::from(bins.width()));
        pen.fill(Area::new(x, bins.bottom, x + 1, bins.bottom + 8), AXIS)?;
        let text = tick_text(value, step);
        let half = px(room(&text, 16.0) / 2.0);
        if x - half >= free_from {
            pen.text(
                &text,
                (x, bins.bottom + 24),
                Type::new(16.0, MUTED).centred(),
            )?;
            free_from = x + half + 12;
        }
    }
    let title = if span.is_log {
        "map latency (ms, logarithmic axis)"
    } else {
        "map latency (ms)"
    };
    let middle = i32::midpoint(bins.left, bins.right);
    pen.text(
        title,
        (middle, bins.bottom + 56),
        Type::new(17.0, INK).centred(),
    )
}
