//! Curves and losses over time.

use super::axes::Axes;
use super::panel::class;
use super::{coordinate, stroke};
use crate::output::series::{SpreadRecord, StepRecord};
use crate::report::curve::Curve;
use crate::report::read::SavedSession;

/// With fewer steps each sample is also shown as a dot.
const FEW: usize = 150;

/// Steps with this share of losses or more are marked across the whole plot.
const CONSPICUOUS: f64 = 0.1;

/// One curve: the mean of each step, between its smallest and largest value.
///
/// It is broken where nothing was answered.
pub(super) fn curve(session: &SavedSession, curve: &Curve, axes: &Axes) -> String {
    let steps = &session.series.steps;
    let class = class(curve.which);
    let mut svg = String::new();
    let answered = |step: &StepRecord| curve.at(step).map(|spread| (axes.x(step), spread));
    for run in steps.chunk_by(|one, other| answered(one).is_some() == answered(other).is_some()) {
        let points: Vec<(f64, SpreadRecord)> = run.iter().filter_map(answered).collect();
        if points.iter().any(|(_, spread)| spread.min != spread.max) {
            svg.push_str(&band(&points, class, axes));
        }
        svg.push_str(&line(&points, class, axes));
        if steps.len() <= FEW {
            svg.push_str(&dots(&points, class, axes));
        }
    }
    svg
}

fn band(points: &[(f64, SpreadRecord)], class: &str, axes: &Axes) -> String {
    let above = points.iter().map(|(x, spread)| (*x, spread.max));
    let below = points.iter().rev().map(|(x, spread)| (*x, spread.min));
    let outline: Vec<String> = above.chain(below).map(|(x, ns)| pair(x, axes.y(ns))).collect();
    format!("<polygon class=\"band {class}-fill\" points=\"{}\"/>\n", outline.join(" "))
}

fn line(points: &[(f64, SpreadRecord)], class: &str, axes: &Axes) -> String {
    if points.is_empty() {
        return String::new();
    }
    let places: Vec<String> =
        points.iter().map(|(x, spread)| pair(*x, axes.y(spread.mean))).collect();
    format!("<polyline class=\"line {class}\" points=\"{}\"/>\n", places.join(" "))
}

fn dots(points: &[(f64, SpreadRecord)], class: &str, axes: &Axes) -> String {
    points
        .iter()
        .map(|(x, spread)| {
            format!(
                "<circle class=\"{class}-fill\" cx=\"{}\" cy=\"{}\" r=\"2.2\"/>\n",
                coordinate(*x),
                coordinate(axes.y(spread.mean))
            )
        })
        .collect()
}

fn pair(x: f64, y: f64) -> String {
    format!("{},{}", coordinate(x), coordinate(y))
}

/// A bar in the lane for each step with losses, as high as its share; a line across the plot where
/// many were lost.
pub(super) fn losses(session: &SavedSession, axes: &Axes) -> String {
    let (plot_top, plot_bottom) = axes.plot();
    let (lane_top, lane_bottom) = axes.lane();
    let width = axes.step.clamp(2.0, 6.0);
    let mut svg = String::new();
    for step in session.series.steps.iter().filter(|step| step.lost > 0) {
        let x = axes.x(step);
        let share = step.lost as f64 / (step.lost + step.received) as f64;
        let height = (share * (lane_bottom - lane_top)).max(3.0);
        if share >= CONSPICUOUS {
            svg.push_str(&stroke((x, plot_top), (x, plot_bottom), "lost-line"));
        }
        svg.push_str(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"lost\"/>\n",
            coordinate(x - width / 2.0),
            coordinate(lane_bottom - height),
            coordinate(width),
            coordinate(height)
        ));
    }
    svg
}
