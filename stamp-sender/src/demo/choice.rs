//! The last act: a policy with three candidate paths, the route that follows the choice, and a program
//! that feels it when one of them becomes slow.
//!
//! ```text
//!   s   stamp-sender run ── /api/v1/paths ──► stamp-sender write ──► routes ──► datagrams of a program
//!            └──────── events ────────┐                └── log ──┐
//!                                     └───────► the story ◄──────┘
//! ```
//!
//! Both are the real programs with a file that stands on disk, started at the node as an operator would.

mod files;
mod programs;
mod story;
mod traffic;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stamp_lab::Loss;
use stamp_metrics::http::client::{Client, Url};
use stamp_net::{SocketOptions, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep_until;

use super::network::{Network, Path, within};
use super::reflector::Reflector;
use crate::command_line::Demo;
use crate::exit::Failure;
use crate::output::ndjson::Entry;
use crate::output::paint::Paint;
use files::Files;
use programs::{Programs, Told};
use story::{Felt, Who};
use traffic::Traffic;

/// The way that the policy prefers, and that becomes slow.
const PREFERRED: &str = "c";
/// How slow.
const WORSE: Duration = Duration::from_millis(120);
/// How long traffic is looked at before the change and after it.
const LOOK: Duration = Duration::from_secs(1);
/// Longest that anything of the story is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The port of the protocol, at which the reflector answers.
const PORT: u16 = 862;
/// Where `run` is asked what it thinks of each candidate path.
const POLICIES: &str = "http://127.0.0.1:9862/api/v1/policies";

/// Plays the act in a network whose ways have been measured.
///
/// # Errors
///
/// When one of the programs ends, or something that has to come does not.
pub(super) fn run(mut network: Network, demo: &Demo) -> Result<(), Failure> {
    let [(near, from), (far, to)] = network.ends()?;
    let files = Files::write(demo.keep.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    let socket =
        within(&far, || UdpSocket::open(&SocketOptions::new(SocketAddr::new(to.into(), PORT))))??;
    let _reflector = Reflector::start(socket, None)?;
    let traffic = Traffic::start((&near, from), (&far, to))?;
    let mut act = Act {
        ways: network.paths().to_vec(),
        network: &mut network,
        traffic,
        for_people: demo.output.is_for_people(),
        paint: Paint::of_standard_output(),
        begun: Instant::now(),
        active: None,
        routed: None,
        unwritten: None,
        scene: Scene::Settling,
        usual: None,
        slow_since: None,
    };
    if act.for_people && demo.output.quiet == 0 {
        act.print(&introduction(demo))?;
    }
    // The programs are started at the node, and what is asked over HTTP is asked there.
    within(&near, || {
        let mut programs = Programs::start(&files.service())?;
        runtime.block_on(act.play(&mut programs))
    })?
}

fn introduction(demo: &Demo) -> String {
    let kept = match &demo.keep {
        Some(folder) => format!("Their file and the network's stay in {}.", folder.display()),
        None => {
            "`stamp-sender demo --keep FOLDER` leaves you their file and the network's.".to_owned()
        }
    };
    format!(
        "\nWhich way is the best now? A class of traffic needs {}\n\
         and goes past c by preference, else past a or b, whichever is better. At s `stamp-sender run` measures\n\
         all three and chooses, `stamp-sender write` sets the route, and a program sends datagrams to r.\n{kept}\n\n",
        Files::requirement()
    )
}

/// What the act is waiting for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scene {
    /// Traffic is to go the preferred way.
    Settling,
    /// It does; it is looked at until then.
    Before(Instant),
    /// The preferred way is slow, and traffic is to leave it.
    Slow,
    /// It has left since then.
    After(Instant),
    /// Everything is told.
    Over,
}

struct Act<'n> {
    network: &'n mut Network,
    ways: Vec<Path>,
    traffic: Traffic,
    /// The story is told; otherwise events are passed on as they are.
    for_people: bool,
    paint: Paint,
    begun: Instant,
    /// The way of the candidate path that was chosen.
    active: Option<String>,
    /// The way that the latest route leads.
    routed: Option<String>,
    /// Why no route can be written here.
    unwritten: Option<String>,
    scene: Scene,
    /// What datagrams took before the change.
    usual: Option<Duration>,
    slow_since: Option<Instant>,
}

impl Act<'_> {
    async fn play(&mut self, programs: &mut Programs) -> Result<(), Failure> {
        let on = |kind| {
            signal(kind).map_err(|source| Failure::System { what: "handling a signal", source })
        };
        let (mut interrupt, mut terminate) =
            (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
        if self.for_people {
            self.print(&story::heading(self.paint))?;
        }
        let mut patience = Instant::now() + PATIENCE;
        while self.scene != Scene::Over {
            let due = match self.scene {
                Scene::Before(since) | Scene::After(since) => since + LOOK,
                _ => patience,
            };
            let before = self.scene;
            tokio::select! {
                biased;
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = sleep_until(due.into()) => self.look()?,
                told = programs.next() => self.hear(told).await?,
            }
            if self.scene != before {
                patience = Instant::now() + PATIENCE;
            }
        }
        Ok(())
    }

    /// Somebody tells something.
    async fn hear(&mut self, told: Told) -> Result<(), Failure> {
        match told {
            Told::Ended(last) => return Err(Failure::Requirement(last)),
            Told::Event(line, entry) => {
                if !self.for_people {
                    self.print(&format!("{line}\n"))?;
                }
                self.event(*entry).await?;
            }
            Told::Written(line) => {
                let leads = |way: &&Path| line.contains(&format!(" segs {},", way.end));
                if let Some(way) = self.ways.iter().find(leads) {
                    self.routed = Some(way.name.clone());
                    self.say(Who::Write, &story::route(&line))?;
                }
            }
            Told::Unwritten(reason) => {
                self.say(Who::Write, &self.paint.bad(&format!("no route: {reason}")))?;
                self.unwritten = Some(reason);
            }
        }
        let way = self.way().map(str::to_owned);
        self.scene = match (self.scene, way.as_deref()) {
            (Scene::Settling, Some(PREFERRED)) => Scene::Before(Instant::now()),
            // Another was better for a moment.
            (Scene::Before(_), way) if way != Some(PREFERRED) => Scene::Settling,
            (Scene::Slow, Some(way)) if way != PREFERRED => Scene::After(Instant::now()),
            (scene, _) => scene,
        };
        Ok(())
    }

    async fn event(&mut self, entry: Entry) -> Result<(), Failure> {
        match entry {
            Entry::Delay(event) => self.say(Who::Run, &story::threshold(&event, self.paint)),
            Entry::Path(entry) => {
                self.say(Who::Run, &story::moved(&entry, self.paint))?;
                let way = entry.to.as_deref().and_then(|name| name.strip_prefix("past-"));
                self.active = way.map(str::to_owned);
                if self.scene == Scene::Slow && self.for_people {
                    self.say(Who::Run, &self.candidates().await?)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What `run` thinks of each candidate path.
    async fn candidates(&self) -> Result<String, Failure> {
        let failed = |problem: String| Failure::Requirement(format!("{POLICIES}: {problem}"));
        let url = Url::read(POLICIES).ok_or_else(|| failed("no address".to_owned()))?;
        let client = Client { ca_file: None, token: None, time: PATIENCE, octets: 1 << 20 };
        let answer = client.get(&url, "application/json").await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        let document = serde_json::from_slice(&answer);
        let document = document.map_err(|error| failed(error.to_string()))?;
        Ok(story::candidates(&document))
    }

    /// The way that traffic goes, once choice and route agree.
    fn way(&self) -> Option<&str> {
        let active = self.active.as_deref()?;
        let is_there = self.unwritten.is_some() || self.routed.as_deref() == Some(active);
        is_there.then_some(active)
    }

    /// It has been looked at for long enough, or something that had to come did not.
    fn look(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        match self.scene {
            Scene::Before(since) => {
                self.usual = self.feel(since, now)?;
                let way = self.ways.iter().find(|way| way.name == PREFERRED);
                let Some(way) = way.cloned() else { return Ok(()) };
                let typed = self.network.degrade(&way, WORSE, Loss::None)?;
                self.slow_since = Some(Instant::now());
                self.say(Who::Lab, &self.paint.odd(&typed))?;
                self.scene = Scene::Slow;
            }
            Scene::After(since) => {
                let since_then = self.feel(since, now)?;
                self.end(since_then)?;
                self.scene = Scene::Over;
            }
            Scene::Settling | Scene::Slow | Scene::Over => {
                let problem = format!("the demo waited {PATIENCE:?} for traffic to move");
                return Err(Failure::Requirement(problem));
            }
        }
        Ok(())
    }

    /// What the program meets now.
    fn feel(&self, from: Instant, until: Instant) -> Result<Option<Duration>, Failure> {
        let delay = self.traffic.delay(from, until);
        self.say(Who::Program, &story::felt(delay))?;
        Ok(delay)
    }

    /// The numbers of all of it.
    fn end(&self, since_then: Option<Duration>) -> Result<(), Failure> {
        let Some(slow_since) = self.slow_since.filter(|_| self.for_people) else { return Ok(()) };
        if let Some(reason) = &self.unwritten {
            return self.print(&format!(
                "\nNo route could be written here ({reason}): with SRv6 in the kernel (seg6) datagrams would follow.\n"
            ));
        }
        let slow_until = self.traffic.slow_until(WORSE).unwrap_or(slow_since).max(slow_since);
        let slow = self.traffic.delay(slow_since, slow_until);
        let felt =
            Felt { delays: [self.usual, slow, since_then], slow_for: slow_until - slow_since };
        self.print(&format!("\n{}", story::summary(&felt, self.paint)))
    }

    fn say(&self, who: Who, text: &str) -> Result<(), Failure> {
        if !self.for_people {
            return Ok(());
        }
        self.print(&story::line(self.begun.elapsed(), who, text))
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
    }
}
