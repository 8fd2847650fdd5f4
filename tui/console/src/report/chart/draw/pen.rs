//! The few strokes the chart is made of, on any plotters backend.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, RGBColor, ShapeStyle, TextStyle};
use plotters_backend::{DrawingBackend, DrawingErrorKind, FontFamily, FontStyle, FontTransform};

use super::palette::{Filling, PAPER, look};
use crate::report::chart::font::{FAMILY, Letters, SIZE_PER_EM, width};
use crate::report::chart::model::{BarKind, elide};

pub type Fault<DB> = DrawingErrorKind<<DB as DrawingBackend>::ErrorType>;
pub type Drawn<DB> = Result<(), Fault<DB>>;

/// A rectangle in pixels; the right and bottom edges are outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    pub fn new(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    pub fn width(&self) -> i32 {
        self.right - self.left
    }

    pub fn height(&self) -> i32 {
        self.bottom - self.top
    }
}

/// How a text looks and which of its ends lies at the given place; upright, its middle always does.
#[derive(Clone, Copy)]
pub struct Type {
    pub em: f64,
    pub color: RGBColor,
    pub is_bold: bool,
    pub across: HPos,
    /// Read from bottom to top.
    pub is_turned: bool,
}

impl Type {
    pub fn new(em: f64, color: RGBColor) -> Self {
        Self {
            em,
            color,
            is_bold: false,
            across: HPos::Left,
            is_turned: false,
        }
    }

    pub fn bold(self) -> Self {
        Self {
            is_bold: true,
            ..self
        }
    }

    pub fn centred(self) -> Self {
        Self {
            across: HPos::Center,
            ..self
        }
    }

    pub fn flush_right(self) -> Self {
        Self {
            across: HPos::Right,
            ..self
        }
    }

    pub fn turned(self) -> Self {
        Self {
            is_turned: true,
            ..self
        }
    }
}

pub struct Pen<'a, DB: DrawingBackend> {
    pub backend: &'a mut DB,
    /// Those that the backend writes with.
    pub letters: Letters,
}

impl<DB: DrawingBackend> Pen<'_, DB> {
    pub fn fill(&mut self, area: Area, color: RGBColor) -> Drawn<DB> {
        if area.width() <= 0 || area.height() <= 0 {
            return Ok(());
        }
        let (from, to) = ((area.left, area.top), (area.right, area.bottom));
        self.backend.draw_rect(from, to, &color.filled(), true)
    }

    /// Draws an outline, inside the area.
    pub fn frame(&mut self, area: Area, color: RGBColor, thick: i32) -> Drawn<DB> {
        let Area {
            left,
            top,
            right,
            bottom,
        } = area;
        self.fill(Area::new(left, top, right, top + thick), color)?;
        self.fill(Area::new(left, bottom - thick, right, bottom), color)?;
        self.fill(Area::new(left, top, left + thick, bottom), color)?;
        self.fill(Area::new(right - thick, top, right, bottom), color)
    }

    /// Draws a bar or a legend's swatch.
    pub fn bar(&mut self, area: Area, kind: BarKind) -> Drawn<DB> {
        let (color, filling) = look(kind);
        match filling {
            Filling::Solid => self.fill(area, color),
            Filling::Hollow => {
                self.fill(area, PAPER)?;
                self.frame(area, color, 3)
            }
            Filling::Hatched { rising, falling } => {
                self.fill(area, PAPER)?;
                if rising {
                    self.hatch(area, color, true)?;
                }
                if falling {
                    self.hatch(area, color, false)?;
                }
                self.frame(area, color, 2)
            }
        }
    }

    /// Draws slanted lines, cut off at the area's edges.
    fn hatch(&mut self, area: Area, color: RGBColor, rises: bool) -> Drawn<DB> {
        const APART: usize = 8;
        let style = ShapeStyle::from(&color).stroke_width(2);
        // Inside the frame, so that no line's round end shows beyond it.
        let (left, right) = (area.left + 1, area.right - 1);
        let (top, bottom) = (area.top + 1, area.bottom - 1);
        if right <= left || bottom <= top {
            return Ok(());
        }
        // Every line goes through the points whose x and y have the same sum, measured from the lower
        // left corner; the falling ones are their mirror images.
        for sum in (0..=(right - left) + (bottom - top)).step_by(APART) {
            let low = (sum - (bottom - top)).max(0);
            let high = sum.min(right - left);
            let ends = [low, high].map(|x| {
                let y = top + (sum - x);
                if rises { (left + x, y) } else { (right - x, y) }
            });
            self.backend.draw_path(ends, &style)?;
        }
        Ok(())
    }

    /// Draws a dashed upright line, with a light edge that sets it off from the bars it crosses.
    pub fn dashes(&mut self, x: i32, top: i32, bottom: i32, color: RGBColor) -> Drawn<DB> {
        for y in (top..bottom).step_by(9) {
            let end = (y + 6).min(bottom);
            self.fill(Area::new(x - 2, y, x + 2, end), PAPER)?;
            self.fill(Area::new(x - 1, y, x + 1, end), color)?;
        }
        Ok(())
    }

    pub fn text(&mut self, text: &str, at: (i32, i32), look: Type) -> Drawn<DB> {
        let style = if look.is_bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let mut font = FontDesc::new(FontFamily::Name(FAMILY), look.em * SIZE_PER_EM, style);
        if look.is_turned {
            font = font.transform(FontTransform::Rotate270);
        }
        let style = TextStyle::from(font)
            .color(&look.color)
            .pos(Pos::new(look.across, VPos::Center));
        self.backend.draw_text(text, &style, at)
    }

    /// Draws a text, elided until it fits.
    pub fn text_within(&mut self, text: &str, most: i32, at: (i32, i32), look: Type) -> Drawn<DB> {
        self.text(&self.fit(text, look.em, f64::from(most)), at, look)
    }

    fn fit(&self, text: &str, em: f64, most: f64) -> String {
        let length = text.chars().count();
        (1..=length)
            .rev()
            .map(|count| elide(text, count))
            .find(|short| with_margin(width(short, em, self.letters)) <= most)
            .unwrap_or_default()
    }
}

/// Returns the room to keep for a text of the chart's own, for which the faces have all letters.
pub fn room(text: &str, em: f64) -> f64 {
    with_margin(width(text, em, Letters::Own))
}

/// An SVG viewer without the font may draw a text somewhat wider.
fn with_margin(width: f64) -> f64 {
    width * 1.06
}

/// Returns the nearest whole pixel.
// The page is some thousand pixels wide, and the cast saturates should a value ever lie beyond it.
#[allow(clippy::cast_possible_truncation)]
pub fn px(value: f64) -> i32 {
    value.round() as i32
}
