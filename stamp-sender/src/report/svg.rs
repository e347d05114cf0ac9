//! Delay over time as a picture: one panel for each session.

mod axes;
mod course;
mod panel;

use stamp_path::drawing::escaped;

use super::read::Saved;
use panel::{HEIGHT, WIDTH};

/// Room between panels and at the edges.
const MARGIN: f64 = 16.0;

/// Colours that people with colour blindness tell apart (Okabe and Ito), and plain shapes.
const STYLE: &str = "\
text { font-family: 'Inter', 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.note { font-size: 12px; fill: #57606a; }
.tick { font-size: 11px; fill: #57606a; }
.legend { font-size: 12px; }
.frame { fill: #ffffff; stroke: #d0d7de; }
.grid { stroke: #eaeef2; stroke-width: 1; }
.axis { stroke: #8c959f; stroke-width: 1; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.band { stroke: none; opacity: 0.16; }
.forward { stroke: #0072b2; } .forward-fill { fill: #0072b2; }
.backward { stroke: #d55e00; } .backward-fill { fill: #d55e00; }
.round-trip { stroke: #009e73; } .round-trip-fill { fill: #009e73; }
.lost { fill: #c1121f; } .lost-line { stroke: #c1121f; stroke-width: 1; opacity: 0.22; }
.lane { fill: #f6f8fa; }
";

/// The whole picture.
#[must_use]
pub fn draw(saved: &Saved) -> String {
    let panels = saved.sessions.len().max(1) as f64;
    let width = WIDTH + 2.0 * MARGIN;
    let height = panels * (HEIGHT + MARGIN) + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>Delay over time, measured by {}</title>\n<style>\n{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#f6f8fa\"/>\n",
        escaped(&saved.tool)
    );
    for (place, session) in saved.sessions.iter().enumerate() {
        let top = MARGIN + place as f64 * (HEIGHT + MARGIN);
        svg.push_str(&format!("<g transform=\"translate({MARGIN} {top})\">\n"));
        svg.push_str(&panel::draw(session));
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// A coordinate with one digit: finer than any screen shows.
fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A text element.
fn label(at: (f64, f64), class: &str, anchor: &str, text: &str) -> String {
    format!(
        "<text x=\"{}\" y=\"{}\" class=\"{class}\" text-anchor=\"{anchor}\">{}</text>\n",
        coordinate(at.0),
        coordinate(at.1),
        escaped(text)
    )
}

/// A line element.
fn stroke(from: (f64, f64), to: (f64, f64), class: &str) -> String {
    format!(
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{class}\"/>\n",
        coordinate(from.0),
        coordinate(from.1),
        coordinate(to.0),
        coordinate(to.1)
    )
}

#[cfg(test)]
mod tests;
