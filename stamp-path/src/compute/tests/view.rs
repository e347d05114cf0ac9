use super::*;
use crate::compute::{View, known_parts};
use crate::topology::LinkKind;

const INTERDOMAIN: &str = include_str!("../../../../examples/topologies/interdomain.toml");

/// The example, with domains that show less.
fn showing(less: &[(&str, &str)]) -> Topology {
    let mut text = INTERDOMAIN.to_owned();
    for (domain, shows) in less {
        let before = format!("name = \"{domain}\"\nshows = \"full\"");
        assert!(text.contains(&before), "{domain}");
        text = text.replace(&before, &format!("name = \"{domain}\"\nshows = \"{shows}\""));
    }
    Topology::read("interdomain.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn across(topology: &Topology) -> Request {
    let mut request = request(topology, "Host1a", "Host3b");
    request.over.push(LinkKind::Lsp);
    request
}

/// The parts of the best way that are known, with a tilde where something is not.
fn seen(topology: &Topology, request: &Request) -> Result<String, Absence> {
    let Some(view) = View::of(topology, request.from, request.to) else {
        let best = Network::new(topology).best(request)?;
        return Ok(names(topology, &best.path));
    };
    let best = view.ranked(request, 1)?.remove(0);
    assert_eq!(best.optimal, !view.is_unknown(&best.path));
    let parts = known_parts(&view, &best.path);
    let names: Vec<String> = parts.iter().map(|part| names(view.topology(), part)).collect();
    Ok(names.join(" ~ "))
}

fn names(topology: &Topology, path: &Path) -> String {
    let names: Vec<&str> = path.nodes(topology).map(|node| topology[node].name.as_str()).collect();
    names.join(" ")
}

const BACKBONE: [(&str, &str); 3] =
    [("as1", "reachability"), ("as2", "reachability"), ("as3", "reachability")];

#[test]
fn where_everything_is_shown_ways_are_known_to_the_end() {
    let topology = showing(&[]);
    assert!(View::of(&topology, node(&topology, "Host1a"), node(&topology, "Host3b")).is_none());
    let way = seen(&topology, &across(&topology)).unwrap();
    assert_eq!(way, "Host1a N1 GW1a PE1a PE1c GW3b N4 Host3b");
    let two = across(&topology).with(Constraint::AvoidAutonomousSystem(1));
    let way = seen(&topology, &two).unwrap();
    assert_eq!(way, "Host1a N2 GW1b PE2a ASBR2a ASBR3a PE3b GW3a N3 Host3b");
}

#[test]
fn a_target_behind_what_is_not_shown_is_reached_through_a_gateway() {
    let topology = showing(&[("dom3", "reachability")]);
    let way = seen(&topology, &across(&topology)).unwrap();
    assert_eq!(way, "Host1a N1 GW1a PE1a PE1c GW3b ~ Host3b");
    // The domain's own nodes see all of it.
    let inside = request(&topology, "GW3a", "Host3b");
    assert!(
        View::of(&topology, inside.from, node(&topology, "GW3b"))
            .is_none_or(|view| { view.ranked(&inside, 1).unwrap()[0].optimal })
    );
}

#[test]
fn a_backbone_that_only_says_what_it_reaches_is_crossed_blindly() {
    let topology = showing(&[BACKBONE[0], BACKBONE[1], BACKBONE[2], ("dom3", "reachability")]);
    let way = seen(&topology, &across(&topology)).unwrap();
    assert_eq!(way, "Host1a N1 GW1a ~ GW3b ~ Host3b");
    let only_backbone = showing(&BACKBONE);
    let way = seen(&only_backbone, &across(&only_backbone)).unwrap();
    assert_eq!(way, "Host1a N1 GW1a ~ GW3b N4 Host3b");
}

#[test]
fn a_way_that_is_known_goes_before_one_that_is_not() {
    let topology = showing(&[("as1", "reachability")]);
    let way = seen(&topology, &across(&topology)).unwrap();
    assert_eq!(way, "Host1a N2 GW1b PE2a ASBR2a ASBR3a PE3b GW3a N3 Host3b");
}

#[test]
fn nothing_is_claimed_of_what_is_not_shown() {
    let topology = showing(&BACKBONE);
    for constraint in [
        Constraint::MaxHops(20),
        Constraint::AvoidAutonomousSystem(1),
        Constraint::MaxDelay(core::time::Duration::from_secs(1)),
    ] {
        let request = across(&topology).with(constraint);
        assert_eq!(seen(&topology, &request), Err(Absence::Unproven));
    }
}

#[test]
fn a_summary_is_used_where_feasibility_is_shown() {
    let text = INTERDOMAIN
        .replace("name = \"as1\"\nshows = \"full\"", "name = \"as1\"\nshows = \"feasibility\"");
    let summary = |igp| {
        format!(
            "\n[[link]]\nname = \"summary\"\nends = [\"PE1b\", \"PE1c\"]\nkind = \"abstract\"\nigp = {igp}\n"
        )
    };
    let read = |text: String| Topology::read("t.toml", &text).unwrap();
    let topology = read(text.clone() + &summary(10));
    let way = seen(&topology, &across(&topology)).unwrap();
    assert_eq!(way, "Host1a N1 GW1a PE1b PE1c GW3b N4 Host3b", "and not over PE1a");
    let dear = read(text + &summary(50));
    let way = seen(&dear, &across(&dear)).unwrap();
    assert_eq!(way, "Host1a N2 GW1b PE2a ASBR2a ASBR3a PE3b GW3a N3 Host3b");
}

/// Routes of the example and the least bandwidth of each.
#[test]
fn weights_are_those_of_the_example() {
    let topology = showing(&[]);
    let network = Network::new(&topology);
    let routes = |from: &str, avoided: &str| {
        let mut request =
            request(&topology, from, "GW3a").with(Constraint::AvoidNode(node(&topology, avoided)));
        request.over.push(LinkKind::Lsp);
        let answers = network.ranked(&request, 9).unwrap();
        let straight = answers.into_iter().filter(|one| {
            ["Host1a", "GW1b", "GW3b"]
                .iter()
                .all(|name| one.path.nodes(&topology).skip(1).all(|at| topology[at].name != *name))
        });
        let paths: Vec<Path> = straight.map(|answer| answer.path).collect();
        let mut weights = weights(&topology, &paths.iter().collect::<Vec<_>>());
        weights.sort_unstable();
        weights
    };
    assert_eq!(routes("GW1a", "N1"), [20, 40, 40]);
    assert_eq!(routes("GW1b", "N2"), [10, 30]);
}
