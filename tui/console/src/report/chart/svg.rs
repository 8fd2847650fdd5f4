//! The chart as an SVG file: shapes and real text, and the run's parameters as its description.

use std::fmt::Write;

use plotters::prelude::SVGBackend;
use plotters_backend::DrawingBackend;

use super::ChartError;
use super::draw::{self, HEIGHT, WIDTH};
use super::font::Letters;
use super::model::ChartModel;

pub fn render(model: &ChartModel) -> Result<String, ChartError> {
    let mut svg = String::new();
    let mut backend = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT));
    draw::page(&mut backend, Letters::Viewers, model)
        .and_then(|()| backend.present())
        .map_err(|error| ChartError::Drawing(error.into()))?;
    drop(backend);
    // plotters can't write elements of other kinds; the first `>` ends the opening tag.
    let after_tag = svg.find('>').map_or(0, |end| end + 1);
    svg.insert_str(after_tag, &description(&model.facts));
    Ok(svg)
}

/// Returns `title` and `desc` for readers and screen readers, `metadata` for programs.
fn description(facts: &[(&str, String)]) -> String {
    let mut text = String::from("\n");
    let mut desc = String::new();
    let mut data = String::new();
    for (name, value) in facts {
        let (name, value) = (escape(name), escape(value));
        if name == "Title" {
            push(&mut text, format_args!("<title>{value}</title>\n"));
        }
        push(&mut desc, format_args!("{name}: {value}\n"));
        push(
            &mut data,
            format_args!("<fact xmlns=\"\" name=\"{name}\">{value}</fact>\n"),
        );
    }
    push(
        &mut text,
        format_args!("<desc>\n{desc}</desc>\n<metadata>\n{data}</metadata>"),
    );
    text
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing into a String can't fail.
    let _ = text.write_fmt(what);
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}
