//! The chart's own fonts: how wide a text is and where its pixels go, the same on every machine.
//!
//! plotters can draw with a registered font, but it drops each glyph's side bearing, which spaces the
//! letters unevenly. It also can't embolden the one light face there is.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, OutlinedGlyph, PxScale, ScaleFont, point};
use unicode_width::UnicodeWidthChar;

/// SVG viewers choose the first of these they have; the widths below are the first one's.
pub const FAMILY: &str = "Ubuntu, Helvetica, Arial, sans-serif";
/// plotters' font size for one em.
pub const SIZE_PER_EM: f64 = 1.24;

/// Returns the text face, and one with more symbols for what that lacks.
fn faces() -> &'static [FontRef<'static>] {
    static FACES: OnceLock<Vec<FontRef<'static>>> = OnceLock::new();
    FACES.get_or_init(|| {
        [
            epaint_default_fonts::UBUNTU_LIGHT,
            epaint_default_fonts::HACK_REGULAR,
        ]
        .into_iter()
        .filter_map(|bytes| FontRef::try_from_slice(bytes).ok())
        .collect()
    })
}

/// Whose letters a text is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// Those of the faces here. What they lack, such as Chinese, is written as an escape: `\u{6f22}`.
    Own,
    /// Those of the program that shows the text; it has more of them.
    Viewers,
}

/// Returns the first face that has the character.
fn glyph_of(c: char) -> Option<(usize, GlyphId)> {
    let found = faces().iter().map(|face| face.glyph_id(c));
    found.enumerate().find(|(_, glyph)| glyph.0 != 0)
}

/// Returns the glyphs of a text; of an escape in place of a character that no face has.
fn glyphs_of(text: &str) -> impl Iterator<Item = (usize, GlyphId)> {
    text.chars().flat_map(|c| {
        let found = glyph_of(c);
        let is_missing = found.is_none();
        let escape = c.escape_unicode().filter(move |_| is_missing);
        found.into_iter().chain(escape.filter_map(glyph_of))
    })
}

/// Calls `place` with each glyph's face, id and distance from the text's start; returns the text's width.
fn lay_out(text: &str, em: f32, mut place: impl FnMut(&FontRef<'static>, GlyphId, f32)) -> f32 {
    let mut x = 0.0;
    let mut before = None;
    for (index, glyph) in glyphs_of(text) {
        let face = &faces()[index];
        let scaled = face.as_scaled(scale(face, em));
        if let Some((same, left)) = before
            && same == index
        {
            x += scaled.kern(left, glyph);
        }
        place(face, glyph, x);
        x += scaled.h_advance(glyph);
        before = Some((index, glyph));
    }
    x
}

/// Returns the width of a text in pixels.
pub fn width(text: &str, em: f64, letters: Letters) -> f64 {
    let own = |text: &str| f64::from(lay_out(text, narrow(em), |_, _, _| {}));
    match letters {
        Letters::Own => own(text),
        Letters::Viewers => {
            let is_known = |c: &char| glyph_of(*c).is_some();
            let known: String = text.chars().filter(is_known).collect();
            // As in a terminal: two columns are about as wide as a letter is high.
            let other = text.chars().filter(|c| !is_known(c));
            let columns: usize = other.filter_map(UnicodeWidthChar::width).sum();
            own(&known) + columns as f64 * em / 2.0
        }
    }
}

/// Calls `pixel` with each pixel of the text and how much of it is covered, relative to the left end of
/// its baseline.
pub fn rasterize(text: &str, em: f64, is_bold: bool, mut pixel: impl FnMut(i32, i32, f32)) {
    let em = narrow(em);
    // A second copy, slightly to the right, thickens the stems: the face is a light one.
    let thickening = em * if is_bold { 0.06 } else { 0.02 };
    lay_out(text, em, |face, glyph, x| {
        for shift in [0.0, thickening] {
            let glyph = glyph.with_scale_and_position(scale(face, em), point(x + shift, 0.0));
            if let Some(outline) = face.outline_glyph(glyph) {
                draw(&outline, &mut pixel);
            }
        }
    });
}

// A glyph is some dozen pixels wide, far from where these casts could wrap.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn draw(outline: &OutlinedGlyph, pixel: &mut impl FnMut(i32, i32, f32)) {
    // Whole numbers already: the bounds enclose every touched pixel.
    let corner = outline.px_bounds().min;
    let (left, top) = (corner.x as i32, corner.y as i32);
    outline.draw(|x, y, covered| {
        pixel(left + x as i32, top + y as i32, covered.clamp(0.0, 1.0));
    });
}

// A font size has a few digits; ab_glyph counts in f32.
#[allow(clippy::cast_possible_truncation)]
fn narrow(em: f64) -> f32 {
    em as f32
}

/// Returns the face's scale at which one em is so many pixels.
fn scale(face: &FontRef<'static>, em: f32) -> PxScale {
    let units = face.units_per_em().unwrap_or(1000.0);
    PxScale::from(em * face.height_unscaled() / units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_load_and_hold_what_the_chart_writes() {
        assert_eq!(faces().len(), 2);
        for c in "×÷·…□0123456789".chars() {
            let found = faces().iter().any(|face| face.glyph_id(c).0 != 0);
            assert!(found, "no face has {c:?}");
        }
    }

    #[test]
    fn width_grows_with_text_and_size_and_covers_the_pixels() {
        let width = |text: &str, em| width(text, em, Letters::Own);
        assert!(width("chunk 10", 16.0) > width("chunk 1", 16.0));
        assert!((width("map", 32.0) / width("map", 16.0) - 2.0).abs() < 0.01);
        let mut right = 0;
        rasterize("chunk 10", 16.0, true, |x, _, covered| {
            if covered > 0.0 {
                right = right.max(x);
            }
        });
        let width = width("chunk 10", 16.0);
        assert!((f64::from(right) - width).abs() < 4.0, "{right} vs {width}");
    }

    #[test]
    fn characters_without_a_glyph_are_drawn_as_escapes() {
        let pixels = |text: &str| {
            let mut pixels = Vec::new();
            rasterize(text, 16.0, false, |x, y, covered| {
                pixels.push((x, y, covered.to_bits()));
            });
            pixels
        };
        let (name, escaped) = ("a漢b🦀\u{10ffff}", r"a\u{6f22}b\u{1f980}\u{10ffff}");
        assert_eq!(pixels(name), pixels(escaped));
        let own = |text| width(text, 16.0, Letters::Own);
        assert!((own(name) - own(escaped)).abs() < f64::EPSILON);
        assert_ne!(pixels("漢"), pixels("字"), "they can be told apart");
    }

    #[test]
    fn a_viewer_draws_what_the_faces_lack_as_wide_as_it_is_high() {
        let viewers = |text| width(text, 16.0, Letters::Viewers);
        let own = |text| width(text, 16.0, Letters::Own);
        assert!((viewers("chunk 10") - own("chunk 10")).abs() < f64::EPSILON);
        assert!((viewers("漢字.txt") - 32.0 - own(".txt")).abs() < f64::EPSILON);
        assert!(viewers("漢字") < own("漢字") / 2.0);
    }
}
