//! What happens in the act, and when it goes on.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use stamp_lab::Loss;
use stamp_metrics::http::client::{Client, Url};
use tokio::time::sleep_until;

use super::programs::{Programs, Told};
use super::stops::Stops;
use super::story::{self, Felt, Who};
use super::traffic::Traffic;
use crate::demo::network::{Network, Path};
use crate::exit::Failure;
use crate::output::ndjson::Entry;
use crate::output::paint::Paint;

/// The way that the policy prefers, and that becomes slow.
const PREFERRED: &str = "c";
/// How slow.
const WORSE: Duration = Duration::from_millis(120);
/// How long traffic is looked at before the change and after it.
const LOOK: Duration = Duration::from_secs(1);
/// Longest that anything of the story is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where `run` is asked what it thinks of each candidate path.
const POLICIES: &str = "http://127.0.0.1:9862/api/v1/policies";

/// What the act is waiting for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scene {
    /// Traffic is to go the preferred way.
    Settling,
    /// It does since then, and is looked at for a moment.
    Before(Instant),
    /// The preferred way is slow, and traffic is to leave it.
    Slow,
    /// It has left since then, and is looked at again.
    After(Instant),
    /// Everything is told.
    Over,
}

/// The act as it goes on.
pub(super) struct Act<'n> {
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

impl<'n> Act<'n> {
    /// Nothing has happened yet.
    pub(super) fn new(network: &'n mut Network, traffic: Traffic, for_people: bool) -> Self {
        Self {
            ways: network.paths().to_vec(),
            network,
            traffic,
            for_people,
            paint: Paint::of_standard_output(),
            begun: Instant::now(),
            active: None,
            routed: None,
            unwritten: None,
            scene: Scene::Settling,
            usual: None,
            slow_since: None,
        }
    }

    /// Until everything is told, or the user has seen enough.
    ///
    /// # Errors
    ///
    /// When one of the programs ends, or something that has to come does not.
    pub(super) async fn play(
        &mut self,
        programs: &mut Programs,
        stops: &mut Stops,
    ) -> Result<(), Failure> {
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
                () = stops.next() => return Ok(()),
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
                let way = way.cloned().ok_or_else(|| {
                    Failure::Input(format!("the network of the demo has no way past {PREFERRED}"))
                })?;
                let typed = self.network.degrade(&way, WORSE, Loss::None)?;
                self.slow_since = Some(Instant::now());
                self.say(Who::Lab, &self.paint.odd(&typed))?;
                self.scene = Scene::Slow;
            }
            Scene::After(since) => {
                let since_then = self.feel(since, now)?;
                self.end(since, since_then)?;
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

    /// The numbers of all of it, once traffic has moved. What is slow behind that was kept by a busy machine.
    fn end(&self, moved: Instant, since_then: Option<Duration>) -> Result<(), Failure> {
        let Some(slow_since) = self.slow_since.filter(|_| self.for_people) else { return Ok(()) };
        if let Some(reason) = &self.unwritten {
            return self.print(&format!(
                "\nNo route could be written here ({reason}): with SRv6 in the kernel (seg6) datagrams would follow.\n"
            ));
        }
        let slow_until =
            self.traffic.slow_until(moved, WORSE).unwrap_or(slow_since).max(slow_since);
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

    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
    }
}
