//! From `[class.NAME]` of a document to classes.

use ipnet::IpNet;
use stamp_document::document::{Place, Problem, Section};
use stamp_document::quantity::Ratio;
use stamp_proto::ip::Dscp;

use super::words::{
    Age, AutonomousSystem, Changes, DelayLimit, Hold, Hops, Name, Paths, Samples, Srlg,
};
use super::{
    Apart, Avoid, Class, ClassMistake, Damping, Measure, Requirement, Spread, Traffic, Trust, Value,
};
use crate::compute::Disjointness;
use crate::segments::{self, SegmentError};
use crate::topology::{LinkId, Topology};

/// Every class of a document; mistakes are the document's.
pub(crate) fn read_section(
    root: &Section<'_>,
    topology: Option<&Topology>,
    profiles: &dyn Fn(&str) -> Result<(), Problem>,
) -> Vec<Class> {
    let read = root.named_sections("class", |name, section| {
        let (apart, places) = section.section("apart-from", apart).unzip();
        let profile = profile(section, profiles);
        let class = Class { apart, profile, ..class(name, section, topology) };
        (class, section.place("require"), places.unwrap_or_default())
    });
    let mut classes: Vec<Class> = Vec::new();
    let mut places: Vec<Vec<Place>> = Vec::new();
    for (name, (class, place, nested)) in read {
        if <Name as stamp_document::Setting>::read(&name).is_none() {
            root.report(&place, ClassMistake::Name.into());
        }
        classes.push(class);
        places.push(nested);
    }
    check_apart(root, &classes, &places);
    classes
}

fn class(name: &str, section: &Section<'_>, topology: Option<&Topology>) -> Class {
    Class {
        name: name.to_owned(),
        require: section.section("require", require).unwrap_or_default(),
        avoid: section.section("avoid", |avoid| self::avoid(avoid, topology)).unwrap_or_default(),
        prefer: section.get("prefer"),
        standby: section.get("standby"),
        apart: None,
        spread: section.section("spread", spread).unwrap_or_default(),
        traffic: section.section("traffic", traffic).unwrap_or_default(),
        profile: None,
        damping: damping(section),
        trust: section.section("trust", trust).unwrap_or_default(),
    }
}

/// `profile`, whose name has to be one that `known` takes.
pub(crate) fn profile(
    section: &Section<'_>,
    known: &dyn Fn(&str) -> Result<(), Problem>,
) -> Option<String> {
    let name: String = section.get("profile")?;
    if let Err(problem) = known(&name) {
        section.problem("profile", problem);
    }
    Some(name)
}

fn require(table: &Section<'_>) -> Vec<Requirement> {
    let limit = |(key, measure): (&'static str, Measure)| {
        let limit = match measure {
            Measure::Delay(..) | Measure::Variation(_) => {
                Value::delay(table.get::<DelayLimit>(key)?.0)
            }
            Measure::Loss(_) => Value::Share(table.get(key)?),
            Measure::Hops => Value::Count(table.get::<Hops>(key)?.0),
        };
        Some(Requirement { measure, limit })
    };
    // Every wrong limit is told, and the first right one does not end the reading.
    Measure::WORDS.into_iter().filter_map(limit).collect()
}

fn avoid(table: &Section<'_>, topology: Option<&Topology>) -> Avoid {
    let names = |key| {
        let names = table.list::<Name>(key).unwrap_or_default();
        names.into_iter().map(|name| name.0).zip(table.places(key)).collect::<Vec<_>>()
    };
    let domains = names("domains");
    let numbers = table.list::<AutonomousSystem>("as").unwrap_or_default();
    let numbers: Vec<u32> = numbers.into_iter().map(|number| number.0).collect();
    if let Some(topology) = topology {
        let nodes = &topology.nodes;
        for (domain, place) in &domains {
            if !nodes.iter().any(|node| node.domain.as_ref() == Some(domain)) {
                let mistake = ClassMistake::UnknownDomain { domain: domain.clone() };
                table.report(place, mistake.into());
            }
        }
        for (number, place) in numbers.iter().copied().zip(table.places("as")) {
            if !nodes.iter().any(|node| node.autonomous_system == Some(number)) {
                table.report(&place, ClassMistake::UnknownAutonomousSystem { number }.into());
            }
        }
    }
    let groups = table.list::<Srlg>("srlgs").unwrap_or_default();
    Avoid {
        domains: domains.into_iter().map(|(domain, _)| domain).collect(),
        autonomous_systems: numbers,
        nodes: found(table, topology, &names("nodes"), segments::node),
        links: found(table, topology, &names("links"), link),
        affinities: table.list::<String>("affinities").unwrap_or_default(),
        srlgs: groups.into_iter().map(|group| group.0).collect(),
    }
}

/// What names stand for; one that is unknown would protect nothing.
fn found<T>(
    table: &Section<'_>,
    topology: Option<&Topology>,
    names: &[(String, Place)],
    find: impl Fn(&Topology, &str) -> Result<T, SegmentError>,
) -> Vec<T> {
    let each = names.iter().filter_map(|(name, place)| {
        let found = topology.ok_or(ClassMistake::NoTopology);
        match found.and_then(|topology| find(topology, name).map_err(ClassMistake::Named)) {
            Ok(found) => Some(found),
            Err(mistake) => {
                table.report(place, mistake.into());
                None
            }
        }
    });
    each.collect()
}

fn link(topology: &Topology, word: &str) -> Result<LinkId, SegmentError> {
    // A link that bears the name of a node is meant here all the same.
    let id = topology.link_id(word);
    id.ok_or_else(|| SegmentError::UnknownName { word: word.to_owned(), nearest: Vec::new() })
}

/// Also where each of the other classes is named.
fn apart(table: &Section<'_>) -> (Apart, Vec<Place>) {
    let classes = table.list::<Name>("classes").unwrap_or_default();
    if classes.is_empty() {
        table.problem("classes", ClassMistake::Empty.into());
    }
    let by = table.get("by").unwrap_or(Disjointness::LINK);
    let classes = classes.into_iter().map(|name| name.0).collect();
    (Apart { classes, by }, table.places("classes"))
}

/// Who stays apart from whom has an order, in which all can be decided one after the other.
fn check_apart(root: &Section<'_>, classes: &[Class], places: &[Vec<Place>]) {
    let others = |name: &str| {
        let class = classes.iter().find(|class| class.name == name);
        class.and_then(|class| class.apart.as_ref()).map_or(&[][..], |apart| &apart.classes)
    };
    for (class, places) in classes.iter().zip(places) {
        for (name, place) in others(&class.name).iter().zip(places) {
            let is_known = classes.iter().any(|other| other.name == *name);
            let mut seen: Vec<&String> = vec![name];
            let mut at = 0;
            while let Some(next) = seen.get(at) {
                let more = others(next).iter().filter(|it| !seen.contains(it)).collect::<Vec<_>>();
                seen.extend(more);
                at += 1;
            }
            if !is_known {
                root.report(place, ClassMistake::UnknownClass { name: name.clone() }.into());
            } else if seen.contains(&&class.name) {
                root.report(place, ClassMistake::Circle { name: name.clone() }.into());
            }
        }
    }
}

fn spread(table: &Section<'_>) -> Spread {
    let usual = Spread::default();
    Spread {
        paths: table.get::<Paths>("paths").map_or(usual.paths, |paths| paths.0),
        weights: table.get("weights").unwrap_or(usual.weights),
    }
}

fn traffic(table: &Section<'_>) -> Traffic {
    Traffic {
        prefixes: table.list::<IpNet>("prefixes").unwrap_or_default(),
        dscp: table.list::<Dscp>("dscp").unwrap_or_default(),
    }
}

fn damping(section: &Section<'_>) -> Damping {
    let usual = Damping::default();
    let changes = section.get::<Changes>("changes-per-hour").map(|changes| changes.0);
    Damping {
        hold: section.get::<Hold>("hold").map_or(usual.hold, |hold| hold.0),
        margin: section.get::<Ratio>("margin").unwrap_or(usual.margin),
        changes_per_hour: changes.unwrap_or(usual.changes_per_hour),
    }
}

fn trust(table: &Section<'_>) -> Trust {
    let usual = Trust::default();
    Trust {
        age: table.get::<Age>("age").map_or(usual.age, |age| age.0),
        integrity: table.get("integrity").unwrap_or(usual.integrity),
        samples: table.get::<Samples>("samples").map_or(usual.samples, |samples| samples.0),
        clock_error: table.get("clock-error").unwrap_or(usual.clock_error),
    }
}
