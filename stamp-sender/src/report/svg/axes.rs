//! Where values and times lie in a panel, with round numbers along both edges.

use super::panel::{HEIGHT, WIDTH};
use super::{coordinate, label, stroke};
use crate::output::duration::setting;
use crate::output::series::StepRecord;
use crate::report::curve::Curve;
use crate::report::read::SavedSession;
use crate::report::scale::{Scale, time_step};

/// Edges of the plot inside the panel.
const LEFT: f64 = 78.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = HEIGHT - 92.0;
/// The lane below the plot that shows losses.
const LANE_TOP: f64 = BOTTOM + 8.0;
const LANE_BOTTOM: f64 = LANE_TOP + 26.0;
/// Units of the delay axis: from this many nanoseconds on, name.
const UNITS: [(f64, &str); 4] = [(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")];

/// Both axes of a panel.
pub(super) struct Axes {
    delay: Scale,
    /// When the first probe left and how long it went on, in nanoseconds.
    began: i64,
    span: f64,
    /// How wide one step is at least.
    pub(super) step: f64,
    started: String,
    nothing_lost: bool,
}

impl Axes {
    /// For everything that is drawn; nothing when there is nothing.
    pub(super) fn new(session: &SavedSession, curves: &[Curve]) -> Option<Self> {
        let steps = &session.series.steps;
        let (first, last) = (steps.first()?, steps.last()?);
        let spreads =
            || curves.iter().flat_map(|curve| steps.iter().filter_map(|step| curve.at(step)));
        let low = spreads().map(|spread| spread.min).min()?;
        let high = spreads().map(|spread| spread.max).max()?;
        let mut means: Vec<i64> = spreads().map(|spread| spread.mean).collect();
        means.sort_unstable();
        let span = last.time.unix_ns().saturating_sub(first.time.unix_ns()).max(1) as f64;
        let started = first.time.to_string();
        let started = started.split('.').next().unwrap_or_default().replace('T', " ");
        Some(Self {
            delay: Scale::of_delays(low, high, means[means.len() / 2]),
            began: first.time.unix_ns(),
            span,
            step: (RIGHT - LEFT) / steps.len() as f64,
            started,
            nothing_lost: steps.iter().all(|step| step.lost == 0),
        })
    }

    /// Height of a delay.
    pub(super) fn y(&self, ns: i64) -> f64 {
        BOTTOM - self.delay.place(ns) * (BOTTOM - TOP)
    }

    /// Place of a step in time.
    pub(super) fn x(&self, step: &StepRecord) -> f64 {
        let since = step.time.unix_ns().saturating_sub(self.began) as f64;
        LEFT + (since / self.span).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// Top and bottom of the plot.
    pub(super) const fn plot(&self) -> (f64, f64) {
        (TOP, BOTTOM)
    }

    /// Top and bottom of the loss lane.
    pub(super) const fn lane(&self) -> (f64, f64) {
        (LANE_TOP, LANE_BOTTOM)
    }

    /// Grid, axes and their numbers.
    pub(super) fn draw(&self) -> String {
        let mut svg = self.delays();
        svg.push_str(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"lane\"/>\n",
            coordinate(LEFT),
            coordinate(LANE_TOP),
            coordinate(RIGHT - LEFT),
            coordinate(LANE_BOTTOM - LANE_TOP)
        ));
        svg.push_str(&label((LEFT - 8.0, LANE_TOP + 17.0), "tick", "end", "lost"));
        if self.nothing_lost {
            let middle = ((LEFT + RIGHT) / 2.0, LANE_TOP + 17.0);
            svg.push_str(&label(middle, "tick", "middle", "none"));
        }
        svg.push_str(&self.times());
        svg.push_str(&stroke((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis"));
        svg
    }

    fn delays(&self) -> String {
        let ticks = self.delay.ticks(if self.delay.is_logarithmic() { 14 } else { 6 });
        let unit =
            UNITS.into_iter().find(|(unit, _)| self.delay.high() >= *unit).unwrap_or(UNITS[3]);
        let mut svg = String::new();
        for tick in ticks {
            let y = self.y(tick as i64);
            svg.push_str(&stroke((LEFT, y), (RIGHT, y), "grid"));
            svg.push_str(&label((LEFT - 8.0, y + 4.0), "tick", "end", &number(tick / unit.0)));
        }
        let scale = if self.delay.is_logarithmic() { ", logarithmic" } else { "" };
        let middle = (TOP + BOTTOM) / 2.0;
        svg.push_str(&format!(
            "<text transform=\"translate(22 {}) rotate(-90)\" class=\"note\" \
             text-anchor=\"middle\">delay ({}{scale})</text>\n",
            coordinate(middle),
            unit.1
        ));
        svg
    }

    fn times(&self) -> String {
        let step = time_step(self.span, 8);
        let count = (self.span / step + 1e-9).floor() as u64;
        let mut svg = String::new();
        for tick in 0..=count {
            let since = tick as f64 * step;
            let x = LEFT + since / self.span * (RIGHT - LEFT);
            svg.push_str(&stroke((x, TOP), (x, BOTTOM), "grid"));
            svg.push_str(&stroke((x, LANE_BOTTOM), (x, LANE_BOTTOM + 5.0), "axis"));
            let text = if tick == 0 { "0".to_owned() } else { setting(since.round() as u64) };
            svg.push_str(&label((x, LANE_BOTTOM + 19.0), "tick", "middle", &text));
        }
        let note = format!("time since {} UTC", self.started);
        let below = ((LEFT + RIGHT) / 2.0, LANE_BOTTOM + 42.0);
        svg.push_str(&label(below, "note", "middle", &note));
        svg
    }
}

/// A number without needless digits.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
