//! plotters' bitmap, with the text and the slanted lines drawn by us: evenly spaced and with smooth edges.

use plotters::prelude::BitMapBackend;
use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};

use crate::report::chart::draw::px;
use crate::report::chart::font::{self, Letters, SIZE_PER_EM};

type Drawn<'a> = Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

pub struct Canvas<'a>(BitMapBackend<'a>);

impl<'a> Canvas<'a> {
    /// Makes a canvas of `pixels`, three bytes each, row by row.
    pub fn new(pixels: &'a mut [u8], size: (u32, u32)) -> Self {
        Self(BitMapBackend::with_buffer(pixels, size))
    }

    fn blend(&mut self, at: BackendCoord, color: BackendColor, covered: f64) -> Drawn<'a> {
        let alpha = color.alpha * covered;
        if alpha <= 0.0 {
            return Ok(());
        }
        self.0.draw_pixel(at, BackendColor { alpha, ..color })
    }

    /// Draws a straight line whose pixels are covered by their distance from it.
    fn segment<S: BackendStyle>(
        &mut self,
        (from, to): (BackendCoord, BackendCoord),
        style: &S,
    ) -> Drawn<'a> {
        let half = f64::from(style.stroke_width()) / 2.0;
        let (x0, y0) = (f64::from(from.0), f64::from(from.1));
        let (dx, dy) = (f64::from(to.0) - x0, f64::from(to.1) - y0);
        let length = (dx * dx + dy * dy).max(1.0);
        let margin = px(half) + 2;
        for y in from.1.min(to.1) - margin..=from.1.max(to.1) + margin {
            for x in from.0.min(to.0) - margin..=from.0.max(to.0) + margin {
                let (right, down) = (f64::from(x) + 0.5 - x0, f64::from(y) + 0.5 - y0);
                let along = ((right * dx + down * dy) / length).clamp(0.0, 1.0);
                let away = (right - along * dx).hypot(down - along * dy);
                self.blend((x, y), style.color(), (half + 0.5 - away).clamp(0.0, 1.0))?;
            }
        }
        Ok(())
    }
}

impl<'a> DrawingBackend for Canvas<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.0.get_size()
    }

    fn ensure_prepared(&mut self) -> Drawn<'a> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<'a> {
        self.0.present()
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Drawn<'a> {
        self.0.draw_pixel(at, color)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<'a> {
        self.0.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn<'a> {
        let mut before = None;
        for to in path {
            if let Some(from) = before.replace(to) {
                self.segment((from, to), style)?;
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x0, y0): BackendCoord,
    ) -> Drawn<'a> {
        let em = style.size() / SIZE_PER_EM;
        // The same distances as in the SVG that plotters writes, so that both formats look alike.
        let down = match style.anchor().v_pos {
            VPos::Top => em * 0.76,
            VPos::Center => em * 0.26,
            VPos::Bottom => em * -0.26,
        };
        let width = font::width(text, em, Letters::Own);
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => width / -2.0,
            HPos::Right => -width,
        };
        let (left, down) = (px(left), px(down));
        let is_bold = matches!(style.style(), FontStyle::Bold);
        let turned = matches!(style.transform(), FontTransform::Rotate270);

        let mut drawn = Ok(());
        font::rasterize(text, em, is_bold, |x, y, covered| {
            let (x, y) = (left + x, down + y);
            let at = if turned {
                (x0 + y, y0 - x)
            } else {
                (x0 + x, y0 + y)
            };
            if drawn.is_ok() {
                drawn = self.blend(at, style.color(), f64::from(covered));
            }
        });
        drawn
    }
}
