//! The chart as a PNG file: pixels, and the run's parameters beside them.

mod canvas;

use super::ChartError;
use super::draw::{self, HEIGHT, WIDTH};
use super::font::Letters;
use super::model::ChartModel;
use canvas::Canvas;

/// Pixels per metre at 96 dots an inch.
const PIXELS_PER_METRE: u32 = 3780;

pub fn render(model: &ChartModel) -> Result<Vec<u8>, ChartError> {
    let mut pixels = vec![0; WIDTH as usize * HEIGHT as usize * 3];
    let mut canvas = Canvas::new(&mut pixels, (WIDTH, HEIGHT));
    draw::page(&mut canvas, Letters::Own, model)
        .map_err(|error| ChartError::Drawing(error.into()))?;
    drop(canvas);
    encode(&pixels, &model.facts).map_err(|error| ChartError::Drawing(error.into()))
}

fn encode(pixels: &[u8], facts: &[(&str, String)]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: PIXELS_PER_METRE,
        yppu: PIXELS_PER_METRE,
        unit: png::Unit::Meter,
    }));
    for (name, value) in facts {
        let (name, value) = ((*name).to_owned(), value.clone());
        // A tEXt chunk holds Latin-1 only; readers know it better than iTXt, so ASCII goes there.
        if value.is_ascii() {
            encoder.add_text_chunk(name, value)?;
        } else {
            encoder.add_itxt_chunk(name, value)?;
        }
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
