//! Far ends that are killed and come again: what was lost meanwhile is lost, its direction nobody can tell, and from
//! then on everything is counted as before.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use stamp_tests::netns::{self, Families, Need, Signal, Trial, trials};
use stamp_tests::wire::{Way, Wire};

use super::forms::{Form, Stage};
use super::{PORT, SETTLED, assert_no_counter_went_back, goes_on, goes_on_for, lost, patient, sum};
use crate::daemon::{Daemon, of_type, reflector_at, states};
use crate::http::{At, scrape, value, wait_for};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_reflector_over_ipv4_that_was_killed_is_a_new_count_and_no_loss_of_a_direction,
        a_reflector_over_ipv6_that_was_killed_is_a_new_count_and_no_loss_of_a_direction:
            [Need::IPV6],
        a_reflector_over_segments_that_was_killed_is_a_new_count_and_no_loss_of_a_direction:
            [Need::IPV6],
        a_node_that_stamps_and_was_killed_is_a_loss_while_it_is_away: [Need::IPV6],
        a_reflector_that_tells_and_was_killed_is_no_loss_at_all,
    ]
}

/// What passed the wire of a session: it is told by its class.
struct Passed {
    probes: BTreeSet<u32>,
    /// Probe and number of each reply, in order.
    replies: Vec<(u32, u32)>,
}

impl Passed {
    fn of(wire: &Wire, class: u8) -> Self {
        let number = |octets: &[u8], at: usize| {
            let number = octets.get(at..).and_then(|octets| octets.first_chunk()).copied();
            u32::from_be_bytes(number.expect("a packet of STAMP"))
        };
        let of = |way| wire.records(way).into_iter().filter(move |it| it.traffic_class == class);
        Self {
            probes: of(Way::Forward).map(|probe| number(&probe.payload, 0)).collect(),
            replies: of(Way::Backward)
                .map(|reply| (number(&reply.payload, 24), number(&reply.payload, 0)))
                .collect(),
        }
    }

    /// Probes that nobody answered, though he answered later ones.
    fn unanswered(&self) -> Vec<u32> {
        let answered: BTreeSet<u32> = self.replies.iter().map(|(probe, _)| *probe).collect();
        let last = answered.last().copied().unwrap_or_default();
        self.probes.difference(&answered).copied().filter(|probe| *probe < last).collect()
    }

    /// Probe and number of the reply with which the count began anew.
    #[track_caller]
    fn anew(&self) -> (u32, u32) {
        let mut pairs = self.replies.windows(2);
        pairs.find(|pair| pair[1].1 < pair[0].1).expect("it began anew")[1]
    }
}

fn a_reflector_over_ipv4_that_was_killed_is_a_new_count_and_no_loss_of_a_direction() {
    a_reflector_that_was_killed_is_a_new_count_and_no_loss_of_a_direction(Families::V4);
}

fn a_reflector_over_ipv6_that_was_killed_is_a_new_count_and_no_loss_of_a_direction() {
    a_reflector_that_was_killed_is_a_new_count_and_no_loss_of_a_direction(Families::V6);
}

fn a_reflector_that_was_killed_is_a_new_count_and_no_loss_of_a_direction(families: Families) {
    let net = netns::wired(families);
    let address = net.far.address(families.each()[0]);
    let any = if address.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    let listen = SocketAddr::new(any, 862).to_string();
    let far = reflector_at(&net.far, &listen, &[]);
    let daemon = Daemon::start_to(&net.near, &address.to_string(), &patient());
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.told("metrics are told over HTTP");
    let before = goes_on(&net.near);
    assert_eq!(lost(&before), 0.0, "{before}");
    far.signal(Signal::SIGKILL);
    let _ = far.wait();
    is_down(&daemon);
    let _far = reflector_at(&net.far, &listen, &[]);
    daemon.told("msg=\"the reflector counts anew\" session=a");
    daemon.told("msg=\"the reflector counts anew\" session=b");
    let after = goes_on_for(&net.near, SETTLED);
    assert_no_counter_went_back(&before, &after);
    let later = goes_on_for(&net.near, SETTLED);
    let passed =
        [("a", 0), ("b", 46 << 2)].map(|(name, class)| (name, class, Passed::of(&net.wire, class)));
    for (session, class, passed) in &passed {
        let of = |direction: &str| {
            let labels = format!("session=\"{session}\",direction=\"{direction}\"");
            value(&later, &format!("stamp_session_packets_lost_total{{{labels}}}"))
        };
        let unanswered = passed.unanswered();
        let (probes, replies) = (passed.probes.len(), passed.replies.len());
        assert!(unanswered.len() >= 3, "{replies} replies to {probes} probes");
        assert_eq!(of("round_trip"), Some(unanswered.len() as f64), "{unanswered:?}: {later}");
        assert_eq!((of("forward"), of("backward")), (Some(0.0), Some(0.0)), "{later}");
        // It has received what came until then, and no more than came until now.
        let received = format!("stamp_session_packets_received_total{{session=\"{session}\"}}");
        let least = passed.replies.len() as f64;
        let text = wait_for((&net.near, PORT), &received, |received| received >= least);
        let most = Passed::of(&net.wire, *class).replies.len() as f64;
        assert!(value(&text, &received) <= Some(most), "{most} replies: {text}");
    }
    let (_, events) = daemon.stop();
    for (session, _, passed) in &passed {
        let (sequence, number) = passed.anew();
        let of = |event: &&Value| event["session"] == *session;
        let told: Vec<_> = of_type(&events, "reflector_restart").filter(of).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["sequences"], json!([sequence, sequence]), "{}", told[0]);
        assert_eq!(told[0]["value"], number, "{}", told[0]);
        assert_eq!(states(&events, session), DOWN_ONCE);
    }
    assert_eq!(of_type(&events, "loss_direction").count(), 0, "nobody can tell");
}

#[track_caller]
fn is_down(daemon: &Daemon) {
    for session in ["a", "b"] {
        daemon.told(&format!("level=warn msg=\"session is down\" session={session}"));
    }
}

/// Probes of both sessions that leave from now on.
#[track_caller]
fn probes(at: At<'_>) {
    let text = scrape(at);
    for session in ["a", "b"] {
        let sent = format!("stamp_session_packets_sent_total{{session=\"{session}\"}}");
        let was = value(&text, &sent).expect("it runs");
        wait_for(at, &sent, |sent| sent >= was + 10.0);
    }
}

const DOWN_ONCE: [(&str, &str); 3] = [("init", "up"), ("up", "down"), ("down", "up")];

/// A far end of this form that is killed and comes again; its events, after what was told of the losses.
fn killed(form: Form, judge: impl FnOnce(&str)) -> Vec<Value> {
    let mut stage = Stage::new(form);
    let daemon = stage.up();
    let before = stage.goes_on();
    assert_eq!(lost(&before), 0.0, "{before}");
    stage.kill();
    match form {
        // Nothing is decided of probes that nobody tells of.
        Form::OneWay => probes(stage.web()),
        _ => is_down(&daemon),
    }
    stage.start_again();
    if form.is_answered() {
        daemon.told("msg=\"the reflector counts anew\" session=a");
        daemon.told("msg=\"the reflector counts anew\" session=b");
    }
    let after = stage.settles();
    assert_no_counter_went_back(&before, &after);
    let later = stage.settles();
    assert_eq!(lost(&later), lost(&after), "nothing more is lost behind it");
    judge(&later);
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        let expected = if form == Form::OneWay { &DOWN_ONCE[..1] } else { &DOWN_ONCE };
        assert_eq!(states(&events, session), expected);
    }
    assert_eq!(of_type(&events, "loss_direction").count(), 0, "nobody can tell");
    events
}

fn lost_of(text: &str, direction: &str) -> f64 {
    let labels = format!("direction=\"{direction}\"");
    sum(text, "stamp_session_packets_lost_total", &labels)
}

fn a_reflector_over_segments_that_was_killed_is_a_new_count_and_no_loss_of_a_direction() {
    let events = killed(Form::Segments, |text| {
        assert!(lost_of(text, "round_trip") > 0.0, "{text}");
        assert_eq!((lost_of(text, "forward"), lost_of(text, "backward")), (0.0, 0.0), "{text}");
    });
    assert_eq!(of_type(&events, "reflector_restart").count(), 2, "one for each session");
}

/// It counts nothing, so that nobody has to learn of it.
fn a_node_that_stamps_and_was_killed_is_a_loss_while_it_is_away() {
    let events = killed(Form::EnhancedLoopback, |text| {
        assert!(lost_of(text, "round_trip") > 0.0, "{text}");
        assert_eq!((lost_of(text, "forward"), lost_of(text, "backward")), (0.0, 0.0), "{text}");
    });
    assert_eq!(of_type(&events, "reflector_restart").count(), 0);
}

/// What it has not told of is not decided.
fn a_reflector_that_tells_and_was_killed_is_no_loss_at_all() {
    killed(Form::OneWay, |text| assert_eq!(lost(text), 0.0, "{text}"));
}
