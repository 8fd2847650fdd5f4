//! The labels of a time axis.

use mrdeck_core::human::duration;

/// Cells from one label to the next, at least.
const LABEL: usize = 9;

/// Returns the axis: round times, each at its place.
pub fn labels((begin, end): (f64, f64), width: usize) -> String {
    let mut axis = String::new();
    let per_cell = (end - begin) / width.max(1) as f64;
    let step = round_up(per_cell * LABEL as f64);
    if step <= 0.0 || !step.is_finite() {
        return " ".repeat(width);
    }
    let mut time = (begin / step).ceil() * step;
    while time < end {
        // From 0 to the width: the time is between the two.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = ((time - begin) / per_cell) as usize;
        let label = label(time, step);
        let used = axis.chars().count();
        if at >= used && at + label.chars().count() <= width {
            axis.push_str(&" ".repeat(at - used));
            axis.push_str(&label);
        }
        time += step;
    }
    let used = axis.chars().count();
    axis.push_str(&" ".repeat(width.saturating_sub(used)));
    axis
}

/// Returns the next one up of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|round| *round >= value)
        .unwrap_or(10.0 * power)
}

/// Returns a time with the unit that its step has.
fn label(ms: f64, step: f64) -> String {
    if ms == 0.0 {
        return "0".to_owned();
    }
    if step < 1.0 {
        return format!("{ms:.1} ms");
    }
    if step < 100.0 && ms < 1_000.0 {
        return format!("{ms:.0} ms");
    }
    let seconds = ms / 1e3;
    match step {
        step if step < 10.0 => format!("{seconds:.3} s"),
        step if step < 100.0 => format!("{seconds:.2} s"),
        step if step < 1_000.0 => format!("{seconds:.1} s"),
        _ if seconds < 60.0 => format!("{seconds:.0} s"),
        _ => duration(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_round_times_at_their_places() {
        assert_eq!(
            labels((0.0, 4_000.0), 40),
            "0         1 s       2 s       3 s       "
        );
        assert_eq!(labels((500.0, 900.0), 24), "      0.6 s       0.8 s ");
        assert_eq!(labels((0.0, 0.0), 3), "   ");
        assert_eq!(labels((0.0, 10.0), 0), "");
        for whole in [0.01, 0.7, 3.0, 99.0, 2_500.0, 59_000.0, 7_200_000.0] {
            for width in 1..120 {
                assert_eq!(
                    labels((0.0, whole), width).chars().count(),
                    width,
                    "{whole}"
                );
                assert_eq!(labels((whole / 3.0, whole), width).chars().count(), width);
            }
        }
    }
}
