//! `path draw`: a picture of the network and of ways through it.

use stamp_path::Topology;
use stamp_path::compute::{Absence, Answer, Network, Request};
use stamp_path::drawing::{self, Way};
use stamp_path::path::Path;

use super::seen::Seen;
use super::{MOST_EQUAL, asked, route, write};
use crate::Ended;
use crate::command_line::path::{Draw, Picture};
use crate::exit::{Failure, Status};
use crate::names;

/// Draws what `draw` asks for.
///
/// # Errors
///
/// For names that are not in the topology, and where there is no way to draw.
pub(super) fn run(draw: &Draw) -> Ended {
    let topology = names::read(&draw.topology)?;
    write(&picture(&topology, draw)?, draw.output.as_deref())?;
    Ok(Status::Done)
}

/// The picture as text.
fn picture(topology: &Topology, draw: &Draw) -> Result<String, Failure> {
    let Some(ends) = draw.from.as_deref().zip(draw.to.as_deref()) else {
        return Ok(in_language(draw.format, topology, &named(topology, draw)?));
    };
    let request = asked::between(topology, ends.into(), &draw.terms)?;
    let seen = Seen::of(topology, &request);
    let answers = seen.search(&request, |network, request| found(network, request, draw));
    let answers = answers.map_err(|absence| Failure::Refused {
        status: 1,
        problem: absence.in_words(seen.topology()),
    })?;
    let mut paths = named(seen.topology(), draw)?;
    paths.extend(answers.into_iter().map(|answer| answer.path));
    Ok(in_language(draw.format, seen.topology(), &paths))
}

/// The ways that are named hop by hop.
fn named(topology: &Topology, draw: &Draw) -> Result<Vec<Path>, Failure> {
    let read = |words: &String| {
        route::read(topology, words).map_err(|problem| Failure::Usage { flag: "--way", problem })
    };
    draw.way.iter().map(read).collect()
}

fn found(network: &Network<'_>, request: &Request, draw: &Draw) -> Result<Vec<Answer>, Absence> {
    if draw.equal {
        return network.equally_good(request, draw.k.unwrap_or(MOST_EQUAL).into());
    }
    network.ranked(request, draw.k.unwrap_or(1).into())
}

fn in_language(format: Picture, topology: &Topology, paths: &[Path]) -> String {
    let names: Vec<String> = paths.iter().map(|path| route::words(topology, path)).collect();
    let ways =
        names.iter().zip(paths).map(|(name, path)| Way { name, hops: path.hops(), is_idle: false });
    let ways: Vec<Way<'_>> = ways.collect();
    match format {
        Picture::Svg => drawing::svg(topology, &ways),
        Picture::Dot => drawing::graphviz(topology, &ways),
        Picture::Mermaid => drawing::mermaid(topology, &ways),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flags, topology};
    use super::*;

    fn drawn(more: &str) -> Result<String, String> {
        let crate::command_line::path::Path::Draw(draw) = flags("draw", more) else {
            panic!("draw")
        };
        picture(&topology(), &draw).map_err(|failure| failure.to_string())
    }

    /// Names of the ways, as the legend of a graph has them.
    fn legend(more: &str) -> Vec<String> {
        let text = drawn(&format!("--format dot {more}")).unwrap();
        let name = |line: &str| {
            let (_, rest) = line.split_once("legend_")?.1.split_once("label=\"")?;
            rest.split_once('"').map(|(name, _)| name.to_owned())
        };
        text.lines().filter_map(name).collect()
    }

    #[test]
    fn ways_are_drawn_that_are_named_and_that_are_found() {
        assert!(legend("").is_empty());
        assert_eq!(legend("--way ams,par,lon"), ["ams par lon"]);
        assert_eq!(legend("--from ams --to lon"), ["ams lon"]);
        let both = legend("--way ams,par,lon --from ams --to lon --metric delay --k 1");
        assert_eq!(both, ["ams par lon", "ams par lon"]);
        let equal = legend("--from ams --to lon --exclude satellite --equal");
        assert_eq!(equal, ["ams fra fra-lon-1 lon", "ams fra fra-lon-2 lon"]);
    }

    #[test]
    fn a_picture_is_in_the_language_that_is_asked_for() {
        for (format, begin) in [("svg", "<svg "), ("dot", "graph "), ("mermaid", "flowchart ")] {
            let text = drawn(&format!("--format {format} --from ams --to lon")).unwrap();
            assert!(text.starts_with(begin), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let told = drawn("--from ams --to lon --max-delay 5ms").unwrap_err();
        assert!(told.starts_with("no path has a delay of at most 5ms"), "{told}");
        let told = drawn("--way ams,lon,par,fra").unwrap_err();
        assert_eq!(told, "--way: no link joins par and fra");
    }
}
