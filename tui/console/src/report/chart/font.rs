//! The chart's own fonts: how wide a text is and where its pixels go, the same on every machine.
//!
//! plotters can draw with a registered font, but it drops each glyph's side bearing, which spaces the
//! letters unevenly. It also can't embolden the one light face there is.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, OutlinedGlyph, PxScale, ScaleFont, point};

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

/// Returns the first face that has the character; the text face's box if none does.
fn glyph_of(c: char) -> Option<(usize, GlyphId)> {
    let faces = faces();
    let found = faces.iter().map(|face| face.glyph_id(c));
    found
        .enumerate()
        .find(|(_, glyph)| glyph.0 != 0)
        .or_else(|| Some((0, faces.first()?.glyph_id(c))))
}

/// Calls `place` with each glyph's face, id and distance from the text's start; returns the text's width.
fn lay_out(text: &str, em: f32, mut place: impl FnMut(&FontRef<'static>, GlyphId, f32)) -> f32 {
    let mut x = 0.0;
    let mut before = None;
    for (index, glyph) in text.chars().filter_map(glyph_of) {
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
pub fn width(text: &str, em: f64) -> f64 {
    f64::from(lay_out(text, narrow(em), |_, _, _| {}))
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
    fn characters_without_a_glyph_are_drawn_as_boxes() {
        let mut touched = 0;
        rasterize("漢🦀\u{10ffff}", 16.0, false, |_, _, _| touched += 1);
        assert!(touched > 0);
    }
}
