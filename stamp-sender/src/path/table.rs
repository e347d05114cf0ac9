//! Ways for people: a row each.

use stamp_path::Topology;
use stamp_path::compute::{Absence, Answer, Metric, Request, weights};
use stamp_path::path::Path;

use super::lists::{Imposed, Lists};
use super::route;
use super::seen::Seen;
use crate::command_line::path::DataPlane;
use crate::explain::percent;
use crate::output::duration::setting;
use crate::output::human::table::Table;

/// A row for each way, or why there is none.
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
    let ways: Vec<&Path> = answers.iter().map(|answer| &answer.path).collect();
    let metric = has_own_column(request.metric).then(|| request.metric.to_string());
    let heading = ["delay", "loss", "bandwidth", "weight"];
    let heading: Vec<&str> = metric.as_deref().into_iter().chain(heading).collect();
    let mut table = Table::new(&heading);
    for (answer, weight) in answers.iter().zip(weights(topology, &ways)) {
        let own = metric.as_ref().map(|_| answer.metric.to_string());
        let cells = own.into_iter().chain(values(topology, &answer.path));
        let mut cells: Vec<String> = cells.chain([weight.to_string()]).collect();
        if seen.is_unknown(&answer.path) {
            cells.fill("-".to_owned());
        }
        table.row(&route::words(topology, &answer.path), cells);
    }
    let mut text = table.lines().join("\n") + "\n";
    for path in ways {
        text.push_str(&lists(seen, path, plane));
    }
    if answers.iter().any(|answer| seen.is_unknown(&answer.path)) {
        text.push_str("Of a part A~B is known that it leads there, and nothing of how.\n");
    } else if answers.iter().any(|answer| !answer.optimal) {
        text.push_str(&given_up(request));
    }
    text
}

/// Delay and loss have columns anyway.
const fn has_own_column(metric: Metric) -> bool {
    matches!(metric, Metric::Igp | Metric::Te | Metric::Hops)
}

/// A line for each list of a way; none in a network without segments.
fn lists(seen: &Seen<'_>, path: &Path, plane: DataPlane) -> String {
    let lists = Lists::of(seen, path, plane);
    let words = route::words(seen.topology(), path);
    let own = match lists.segments.as_deref() {
        None => format!("no list: {}", lists.problem.unwrap_or_default()),
        Some([]) => "needs no list".to_owned(),
        Some(segments) => format!("--segments {}  {}", segments.join(","), put_on(&lists)),
    };
    let mut text = format!("{words}: {own}\n");
    for imposed in &lists.imposed {
        text.push_str(&format!("  put on at {}: {}\n", imposed.at, segments(imposed)));
    }
    text
}

/// A line for each list of a way, and one for each node that acts on a segment.
pub(super) fn readers(seen: &Seen<'_>, path: &Path, plane: DataPlane) -> String {
    let mut text = lists(seen, path, plane);
    for read in Lists::of(seen, path, plane).reads {
        text.push_str(&format!("  {} reads {}\n", read.at, segments(&read)));
    }
    text
}

/// Labels, or else SIDs.
fn segments(imposed: &Imposed) -> String {
    if imposed.labels.is_empty() { join(&imposed.sids) } else { join(&imposed.labels) }
}

/// What the list puts on a packet that sets out.
fn put_on(lists: &Lists) -> String {
    match (lists.labels.as_deref(), lists.sids.as_deref()) {
        (Some([]), _) => "no label: the link alone".to_owned(),
        (Some(labels), _) => format!("labels {}", join(labels)),
        (None, sids) => format!("SIDs {}", join(sids.unwrap_or_default())),
    }
}

fn join<T: ToString>(segments: &[T]) -> String {
    segments.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

/// Delay, loss and bandwidth.
pub(super) fn values(topology: &Topology, path: &Path) -> [String; 3] {
    let delay = u64::try_from(path.delay(topology).as_nanos()).unwrap_or(u64::MAX);
    let bandwidth = path.bandwidth(topology);
    [
        setting(delay),
        percent(path.loss(topology)),
        bandwidth.map_or_else(|| "-".to_owned(), |bandwidth| bandwidth.to_string()),
    ]
}

/// The search ended early.
pub(super) fn given_up(request: &Request) -> String {
    format!(
        "Not proven the best: the search was given up at --work-limit {}.\n",
        request.work_limit
    )
}
