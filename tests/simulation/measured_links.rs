//! Links that are measured, damped and put into the topology: paths follow what lasts, not what flickers.

use std::time::Duration;

use stamp_path::Topology;
use stamp_path::compute::{Metric, Network, Request};
use stamp_path::measured_links::MeasuredLinks;
use stamp_path::path::Hop;
use stamp_path::topology::Side;
use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::te::{
    TeAdvertiser, TeConfig, TeDelays, TeDelta, TeMinMax, TeMode, TeRule, TeValues, TeWindow,
};

/// The published fabric between nodes 1 and 11, past 5, 6, 7 and 8, with its delays in microseconds.
const LINKS: [(&str, &str, u32); 12] = [
    ("1", "3", 100),
    ("1", "4", 110),
    ("3", "5", 300),
    ("3", "6", 250),
    ("4", "7", 200),
    ("4", "8", 420),
    ("5", "9", 310),
    ("6", "9", 260),
    ("7", "10", 210),
    ("8", "10", 430),
    ("9", "11", 90),
    ("10", "11", 95),
];

fn fabric() -> Topology {
    let nodes = ["1", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
    let nodes = nodes.map(|name| format!("[[node]]\nname = \"{name}\"\n")).concat();
    let link = |(from, to, delay): (&str, &str, u32)| {
        format!("[[link]]\nends = [\"{from}\", \"{to}\"]\ndelay = \"{delay}us\"\n")
    };
    Topology::read("fabric.toml", &(nodes + &LINKS.map(link).concat())).unwrap()
}

/// A link whose least delay is announced when it moved by more than 20 % and 50 microseconds at once,
/// or by more than 10 % and 20 microseconds after two minutes.
struct Measured {
    topology: Topology,
    advertiser: TeAdvertiser,
    links: MeasuredLinks,
    hop: Hop,
    now: MonotonicTime,
    /// How often paths had to be computed anew.
    computations: u32,
}

impl Measured {
    fn new() -> Self {
        let delta = |percent, least| Some(TeDelta { percent, least });
        let rule =
            TeRule { periodic: delta(10, 20), accelerated: delta(20, 50), ..TeRule::default() };
        let min_max = TeMinMax { min: rule, max: TeRule::default() };
        let config = TeConfig { min_max: Some(min_max), delay: None, ..TeConfig::default() };
        let topology = fabric();
        let hop = Hop { link: topology.link_id("7-10").unwrap(), side: Side::First };
        Self {
            topology,
            advertiser: TeAdvertiser::new(config).unwrap(),
            links: MeasuredLinks::default(),
            hop,
            now: MonotonicTime::ZERO,
            computations: 0,
        }
    }

    /// A window of 30 seconds in which the link's least delay was so many microseconds.
    fn window(&mut self, micros: i64) -> &mut Self {
        let start = self.now;
        self.now = start.saturating_add(Duration::from_secs(30));
        let delay = TimeDelta::from_ns(micros * 1000);
        let window = TeWindow {
            start,
            end: self.now,
            expected: 30,
            delay_mode: TeMode::OneWay,
            delay: Some(TeDelays { count: 30, min: delay, avg: delay, max: delay }),
            variation: None,
            loss_mode: TeMode::OneWay,
            loss: None,
        };
        for told in self.advertiser.handle_window(&window) {
            self.take(told.values);
        }
        self
    }

    /// So long nothing is measured.
    fn silence(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.saturating_add(time);
        for told in self.advertiser.handle_timeout(self.now) {
            self.take(told.values);
        }
        self
    }

    fn take(&mut self, values: Option<TeValues>) {
        let delay = match values {
            Some(TeValues::MinMaxDelay { min, .. }) => Some(min),
            _ => None,
        };
        let delay = delay.map(|delay| Duration::from_micros(delay.micros().into()));
        self.computations += u32::from(self.links.set_delay(self.hop, delay));
    }

    /// Delay of the best way in microseconds, and the spine on it.
    fn best(&self) -> (u128, String) {
        let topology = self.links.applied(&self.topology);
        let [from, to] = ["1", "11"].map(|name| topology.node_id(name).unwrap());
        let network = Network::new(&topology);
        let best = network.best(&Request::new(from, to).by(Metric::Delay)).unwrap();
        let spine = best.path.nodes(&topology).nth(2).unwrap();
        (best.path.delay(&topology).as_micros(), topology[spine].name.clone())
    }
}

#[test]
fn a_link_that_slows_down_is_left_and_one_that_flickers_is_not() {
    let mut fabric = Measured::new();
    assert_eq!(fabric.best(), (615, "7".to_owned()), "as the file says");
    fabric.window(210);
    for micros in [213, 207, 215, 209, 218, 204] {
        fabric.window(micros);
    }
    assert_eq!(
        (fabric.best(), fabric.computations),
        ((615, "7".to_owned()), 1),
        "the first value alone"
    );
    fabric.window(510);
    assert_eq!((fabric.best(), fabric.computations), ((700, "6".to_owned()), 2));
    fabric.window(212);
    assert_eq!((fabric.best(), fabric.computations), ((617, "7".to_owned()), 3));
}

#[test]
fn a_value_that_nothing_confirms_returns_to_what_the_file_says() {
    let mut fabric = Measured::new();
    assert_eq!(fabric.window(510).best().1, "6");
    fabric.silence(Duration::from_secs(60));
    assert_eq!(fabric.best().1, "6", "it is held");
    fabric.silence(Duration::from_secs(61));
    assert_eq!(
        (fabric.best(), fabric.links.clone()),
        ((615, "7".to_owned()), MeasuredLinks::default())
    );
}
