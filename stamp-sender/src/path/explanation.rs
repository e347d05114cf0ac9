//! Why the best way is the best.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use stamp_path::Topology;
use stamp_path::compute::{Absence, Answer, Constraint, Metric, Request};
use stamp_path::path::{Hop, Path};

use super::seen::Seen;
use super::{route, table};
use crate::command_line::path::DataPlane;
use crate::output::duration::setting;
use crate::output::human::table::Table;

/// Each link of the best way, what the next best costs, and what each constraint does.
pub(super) fn text(
    seen: &Seen<'_>,
    request: &Request,
    found: &Result<Vec<Answer>, Absence>,
    plane: DataPlane,
) -> String {
    let topology = seen.topology();
    let answers = match found {
        Ok(answers) => answers,
        Err(absence) => return format!("{}\n", absence.in_words(topology)),
    };
    let Some(best) = answers.first() else { return String::new() };
    if seen.is_unknown(&best.path) {
        return format!(
            "{}\nOf a part A~B is known that it leads there, and nothing of how: no known way does.\n",
            route::words(topology, &best.path)
        );
    }
    let mut text = format!(
        "{} has the least {}: {}\n\n",
        route::words(topology, &best.path),
        request.metric,
        amount(request.metric, best.metric)
    );
    text.push_str(&links(topology, best));
    text.push('\n');
    text.push_str(&table::readers(seen, &best.path, plane));
    text.push('\n');
    if !best.optimal {
        text.push_str(&table::given_up(request));
    }
    text.push_str(&next_best(topology, request, best, answers.get(1)));
    for (index, constraint) in request.constraints.iter().enumerate() {
        text.push_str(&effect(seen, request, best, (index, constraint)));
    }
    text
}

/// A row for each link, and one for all.
fn links(topology: &Topology, best: &Answer) -> String {
    let mut rows = Table::new(&["link", "igp", "te", "delay", "loss", "bandwidth"]);
    let part = |hop: &Hop| Path::new(topology, hop.from(topology), vec![*hop]);
    let cells = |path: &Path, link: String| {
        let directions = || path.hops().iter().map(|hop| hop.direction(topology));
        let igp: u64 = directions().map(|one| u64::from(one.igp)).sum();
        let te: u64 = directions().map(|one| u64::from(one.te)).sum();
        let sums = [link, igp.to_string(), te.to_string()];
        sums.into_iter().chain(table::values(topology, path)).collect::<Vec<_>>()
    };
    for path in best.path.hops().iter().filter_map(part) {
        let ends: Vec<&str> =
            path.nodes(topology).map(|node| topology[node].name.as_str()).collect();
        let link = path.hops().first().map(|hop| topology[hop.link].name.clone());
        rows.row(&ends.join(" > "), cells(&path, link.unwrap_or_default()));
    }
    rows.row("all", cells(&best.path, String::new()));
    rows.lines().join("\n") + "\n"
}

fn next_best(
    topology: &Topology,
    request: &Request,
    best: &Answer,
    next: Option<&Answer>,
) -> String {
    let Some(next) = next else {
        return "No other way keeps to what is asked.\n".to_owned();
    };
    let words = route::words(topology, &next.path);
    let more = next.metric.saturating_sub(best.metric);
    let (next, best) = (next.path.hops().len(), best.path.hops().len());
    match more {
        0 if next == best => {
            format!("Next: {words}, which is as good and comes later in the file.\n")
        }
        0 => format!("Next: {words}, which costs the same over more links ({next}, not {best}).\n"),
        more => format!("Next: {words}, {} more.\n", amount(request.metric, more)),
    }
}

/// What one constraint keeps out, and what it costs.
fn effect(
    seen: &Seen<'_>,
    request: &Request,
    best: &Answer,
    (index, constraint): (usize, &Constraint),
) -> String {
    let topology = seen.topology();
    let kept_out = seen.kept_out(request, constraint);
    let mut names: Vec<&str> =
        kept_out.iter().map(|hop| topology[hop.link].name.as_str()).collect();
    // A link is kept out once, whether in one direction or in both.
    let mut told = BTreeSet::new();
    names.retain(|name| told.insert(*name));
    let is_bound = matches!(
        constraint,
        Constraint::MaxDelay(_) | Constraint::MaxLoss(_) | Constraint::MaxHops(_)
    );
    if names.is_empty() && !is_bound {
        // Nothing is drained in most networks.
        let is_usual = matches!(constraint, Constraint::AvoidDrained);
        let words = constraint.in_words(topology);
        return if is_usual {
            String::new()
        } else {
            format!("It {words}: that keeps nothing out.\n")
        };
    }
    let mut text = format!("It {}", constraint.in_words(topology));
    if !names.is_empty() {
        let _infallible = write!(text, ", which keeps out {}", some(&names));
    }
    match seen.best(&request.without(index)) {
        Some(without) if without.path == best.path => text.push_str(": that costs nothing.\n"),
        Some(without) => {
            let words = route::words(topology, &without.path);
            let less = best.metric.saturating_sub(without.metric);
            let less = amount(request.metric, less);
            let _infallible = writeln!(text, ": without that {words}, {less} less.");
        }
        None => text.push_str(".\n"),
    }
    text
}

/// The first of many names.
fn some(names: &[&str]) -> String {
    const MOST: usize = 6;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A metric with its unit.
fn amount(metric: Metric, value: u64) -> String {
    match metric {
        Metric::Delay => setting(value),
        #[expect(clippy::cast_precision_loss, reason = "at most 1e9")]
        Metric::Loss => crate::explain::percent(value as f64 / 1e9),
        Metric::Igp | Metric::Te | Metric::Hops => value.to_string(),
    }
}
