//! Numbers made readable: thousands separated, as many decimals as help, round axis steps.

use mrdeck_core::human::thousands;

/// Times beyond this (some four months) are a defect of a clock, not a latency.
const LONGEST_MS: f64 = 1e10;

/// Returns a time fit for drawing: records are files, and files can hold anything.
pub fn sane_ms(ms: f64) -> f64 {
    if ms.is_finite() {
        ms.clamp(0.0, LONGEST_MS)
    } else {
        0.0
    }
}

/// Returns milliseconds with about three significant digits, never fewer than the whole milliseconds.
pub fn ms_text(ms: f64) -> String {
    let ms = sane_ms(ms);
    // The limits lie where rounding would add a digit: 99.96 is `100`, not `100.0`.
    if ms >= 99.95 {
        grouped(ms)
    } else if ms >= 9.995 {
        format!("{ms:.1}")
    } else if ms >= 0.0995 {
        format!("{ms:.2}")
    } else if ms >= 0.0005 {
        format!("{ms:.3}")
    } else {
        "0".to_owned()
    }
}

/// Returns a factor as text: two decimals, and none where they would only be noise.
pub fn times_text(factor: f64) -> String {
    if factor >= 100.0 {
        ms_text(factor)
    } else {
        format!("{:.2}", sane_ms(factor))
    }
}

/// Returns a whole number with its thousands separated by commas.
pub fn grouped(value: f64) -> String {
    // Saturates far above what is drawn.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = value.round_ties_even() as u64;
    thousands(whole)
}

/// Returns the smallest of 1, 2, 2.5 or 5 times a power of ten that divides `range` into at most `parts` parts.
pub fn nice_step(range: f64, parts: f64) -> f64 {
    let least = range / parts;
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// Returns the text of an axis tick, with the decimals that the step between ticks needs.
pub fn tick_text(value: f64, step: f64) -> String {
    let decimals = (0..6usize).find(|decimals| {
        let scaled = step * 10f64.powi(i32::try_from(*decimals).unwrap_or(0));
        (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1e-9)
    });
    match decimals {
        Some(0) => grouped(value),
        Some(decimals) => format!("{value:.decimals$}"),
        None => ms_text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_keep_three_digits_from_tenths_to_hours() {
        let texts = [
            0.0, 0.0001, 0.0123, 0.1, 1.234, 9.999, 12.34, 99.96, 123.4, 1234.5, 7.2e6,
        ];
        assert_eq!(
            texts.map(ms_text),
            [
                "0",
                "0",
                "0.012",
                "0.10",
                "1.23",
                "10.0",
                "12.3",
                "100",
                "123",
                "1,234",
                "7,200,000"
            ]
        );
    }

    #[test]
    fn what_no_clock_measures_becomes_drawable() {
        assert_eq!(
            [f64::NAN, f64::INFINITY, -5.0, f64::MAX].map(ms_text),
            ["0", "0", "0", "10,000,000,000"]
        );
    }

    #[test]
    fn steps_are_round_and_ticks_show_what_they_need() {
        let step = |range| nice_step(range, 6.0);
        assert_eq!(
            [0.4, 6.0, 7.0, 14.0, 100.0, 9e6].map(|range| tick_text(step(range), step(range))),
            ["0.1", "1", "2", "2.5", "20", "2,000,000"]
        );
        assert_eq!(tick_text(0.1 + 0.2, 0.1), "0.3");
        assert_eq!(tick_text(nice_step(0.0, 6.0), 1.0), "1");
    }
}
