//! `[[session]]` and `[profile.NAME]`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};
use stamp_config::quantity::Window;
use stamp_metrics::catalogue::is_reserved_label;
use stamp_session::sender::Thresholds;
use stamp_session::statistics::Buckets;
use stamp_session::te::TeAdvertiser;

use super::histogram;
use super::membership::{Membership, PolicyKeys};
use super::mistakes::{Mistake, Mistakes};
use super::places::in_words_of_a_file;
use super::settings::Settings;
use super::te::TeChoice;
use super::threshold::{self, DelayLimits, LossLimit};
use crate::exit::Failure;
use crate::setup;
use crate::target::Target;

/// Over which time values are summed up unless told otherwise.
const DEFAULT_WINDOW: Duration = Duration::from_secs(30);

/// What a name of a session, a label or its value may consist of: what survives in every output.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Name(pub(super) String);

impl Setting for Name {
    const EXPECTED: &'static str =
        "1 to 128 printable characters other than quotes and backslashes";
    fn read(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.chars().count());
        let is_plain = |c: char| !c.is_control() && c != '"' && c != '\\';
        (fits && text.chars().all(is_plain)).then(|| Self(text.to_owned()))
    }
}

/// What sessions have in common. Whatever stands in one may stand in a session too.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Profile {
    settings: Settings,
    window: Option<Duration>,
    delay: Option<DelayLimits>,
    loss: Option<LossLimit>,
    te: Option<TeChoice>,
    buckets: Option<Buckets>,
    policy: PolicyKeys,
}

impl Profile {
    pub(super) fn read(section: &Section<'_>, folder: &Path) -> Self {
        Self {
            settings: Settings::read(section, folder),
            window: section.get("window").map(|window: Window| window.0),
            delay: DelayLimits::read(section),
            loss: LossLimit::read_from(section),
            te: TeChoice::read(section),
            buckets: histogram::read(section),
            policy: PolicyKeys::read(section),
        }
    }

    /// This, and where it says nothing what `others` say.
    fn over(self, others: &Self) -> Self {
        Self {
            settings: self.settings.over(&others.settings),
            window: self.window.or(others.window),
            delay: self.delay.or_else(|| others.delay.clone()),
            loss: self.loss.or(others.loss),
            te: self.te.or(others.te),
            buckets: self.buckets.or_else(|| others.buckets.clone()),
            policy: self.policy.over(&others.policy),
        }
    }

    /// A session that is told this.
    fn spec(self, name: String, target: String, profile: Option<String>) -> SessionSpec {
        let Self { settings, window, delay, loss, te, buckets, policy: _ } = self;
        SessionSpec {
            name,
            target,
            profile,
            settings,
            window: window.unwrap_or(DEFAULT_WINDOW),
            delay,
            loss,
            te: te.unwrap_or_default(),
            policy: None,
            buckets: buckets.unwrap_or_else(|| histogram::DEFAULT.clone()),
            labels: BTreeMap::new(),
            toward: Vec::new(),
            discovered: false,
        }
    }

    /// The same with settings that go before its own.
    pub(super) fn under(self, settings: Settings) -> Self {
        Self { settings: settings.over(&self.settings), ..self }
    }
}

/// What is told to the session of a list.
#[derive(Clone, Debug)]
pub struct ListSession {
    /// Its name in every output.
    pub name: String,
    /// The far end.
    pub target: String,
    /// The profile it takes the rest from.
    pub profile: Option<String>,
    /// What keeps its probes to the list, and brings them back.
    pub steering: Settings,
    /// Where its frames leave towards.
    pub toward: Vec<IpAddr>,
    /// Which part of which policy it measures.
    pub membership: Membership,
}

/// Keys by which names in lists are looked up.
const OF_NAMES: [&str; 3] = ["topology", "from", "behind"];

/// A session as it is configured. Two that are equal probe alike, so a reload leaves such a session
/// alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionSpec {
    /// Its name in every output.
    pub name: String,
    /// The far end: an address, a name, or a node of the topology.
    pub target: String,
    /// The profile it takes the rest from.
    pub profile: Option<String>,
    /// How it probes.
    pub settings: Settings,
    /// Over which time its values are summed up.
    pub window: Duration,
    /// What its delay is held against.
    pub delay: Option<DelayLimits>,
    /// What its loss is held against.
    pub loss: Option<LossLimit>,
    /// What routers are told of it, and when.
    pub te: TeChoice,
    /// Which part of which policy it measures.
    pub policy: Option<Membership>,
    /// Where the buckets of its histograms lie.
    pub buckets: Buckets,
    /// What else tells it from others.
    pub labels: BTreeMap<String, String>,
    /// Where its frames leave towards, where it measures a list whose segments say that: addresses of one
    /// node.
    pub toward: Vec<IpAddr>,
    /// Others named it, or it was computed: what is wrong with it concerns nobody else.
    pub discovered: bool,
}

impl SessionSpec {
    /// It probes as `other` does, whatever it is held against and what it is called besides.
    pub fn probes_like(&self, other: &Self) -> bool {
        fn probes(spec: &SessionSpec) -> (&str, &Settings, &[IpAddr]) {
            (&spec.target, &spec.settings, &spec.toward)
        }
        probes(self) == probes(other)
    }

    /// It is the same, whoever named it.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        *self == Self { discovered: self.discovered, ..other.clone() }
    }

    /// What has to be measured by one and the same sender.
    pub fn unit(&self) -> &str {
        self.policy.as_ref().map_or(&self.name, |membership| &membership.policy)
    }

    /// What its engine is to watch.
    pub fn thresholds(&self) -> Option<Arc<Thresholds>> {
        threshold::of(self.delay.as_ref(), self.loss).map(Arc::new)
    }

    /// What the failure comes to in its file; nothing where it does not stand in one, or no key is to blame.
    pub fn mistake(&self, failure: &Failure) -> Option<Mistake> {
        self.settings.mistake(failure).filter(|_| !self.discovered)
    }

    /// It cannot be, which is told where the file says what is to blame, if it stands in one.
    pub fn refused(&self, failure: Failure) -> Failure {
        let name = &self.name;
        let told = self.mistake(&failure).map_or_else(
            || format!("session {name}: {}", in_words_of_a_file(&failure.to_string())),
            |mistake| mistake.of(name, 0).to_string(),
        );
        Failure::Session { told, failure: Box::new(failure) }
    }

    /// Its far end has a name whose address may become another.
    pub fn names_a_host(&self) -> bool {
        let target = Target::parse(&self.target, 1);
        target.is_ok_and(|target| target.host().parse::<IpAddr>().is_err())
    }
}

/// Reads sessions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Reader {
    pub(super) defaults: Profile,
    pub(super) profiles: BTreeMap<String, Profile>,
    pub(super) folder: PathBuf,
}

impl Reader {
    /// A session, with what is wrong reported where it stands. What it does not say `entry` may, before
    /// its profile and the defaults.
    pub(super) fn read(&self, section: &Section<'_>, entry: &Profile) -> Option<SessionSpec> {
        let mut mistakes = Mistakes::default();
        let read = self.read_among(section, entry, &mut mistakes);
        mistakes.report(section);
        read
    }

    /// The same among others, which may have mistakes in common: those are noted, to be reported when all are read.
    pub(super) fn read_among(
        &self,
        section: &Section<'_>,
        entry: &Profile,
        mistakes: &mut Mistakes,
    ) -> Option<SessionSpec> {
        let name = section.require::<Name>("name").map(|name| name.0);
        let target: Option<String> = section.require("target");
        let mut own = Profile::read(section, &self.folder);
        own.settings = own.settings.of_session(section);
        let own = own.over(entry);
        let profile: Option<String> = section.get("profile");
        let labels = section.section("labels", labels).unwrap_or_default();
        let inherited = match profile.as_ref().map(|name| (name, self.profiles.get(name))) {
            None => Profile::default(),
            Some((_, Some(profile))) => profile.clone(),
            Some((name, None)) => {
                section.problem("profile", self.unknown_profile(name));
                Profile::default()
            }
        };
        let all = own.over(&inherited).over(&self.defaults);
        let (name, target) = (name?, target?);
        // One far end has one form, whatever flags make of it.
        if let Err(error) = Target::parse(&target, 1) {
            section.problem("target", Problem::Unusable { reason: error.to_string() });
            return None;
        }
        let measure = match all.settings.measure(&target) {
            Ok(measure) => measure,
            Err(reason) => {
                section.problem("name", Problem::Contradiction { reason });
                return None;
            }
        };
        if let Err(failure) = setup::check(&measure) {
            match all.settings.mistake(&failure) {
                Some(mistake) => mistakes.note(mistake, &name),
                None => {
                    let reason = in_words_of_a_file(&failure.to_string());
                    section.problem("name", Problem::Contradiction { reason });
                }
            }
            return None;
        }
        let membership = all.policy.clone().membership(section);
        let spec = SessionSpec { labels, policy: membership, ..all.spec(name, target, profile) };
        if let Some(Err(error)) = spec.te.config(spec.window).map(TeAdvertiser::new) {
            section.problem("te", Problem::Contradiction { reason: error.to_string() });
        }
        Some(spec)
    }

    /// The session that measures a list, as its profile says but for what steers it.
    pub(super) fn of_list(&self, list: ListSession) -> Result<SessionSpec, String> {
        let ListSession { name, target, profile, steering, toward, membership } = list;
        let own = Profile { settings: steering, ..Profile::default() };
        let inherited = self.inherited(profile.as_deref());
        let mut all = own.over(&inherited);
        // The list has been resolved: its session is the same in another version of the network.
        all.settings = all.settings.without(&OF_NAMES).placeless();
        if all.settings.get("segments").is_none() {
            // Nothing is needed on the way to a neighbour, so there is nothing that has a form.
            all.settings = all.settings.without(&["srv6"]);
        }
        all.settings.measure(&target)?;
        let policy = Some(membership);
        Ok(SessionSpec { policy, toward, discovered: true, ..all.spec(name, target, profile) })
    }

    /// How sessions of a profile probe.
    pub(super) fn settings_of(&self, profile: Option<&str>) -> Settings {
        self.inherited(profile).settings.without(&OF_NAMES)
    }

    fn inherited(&self, profile: Option<&str>) -> Profile {
        let profile = profile.and_then(|name| self.profiles.get(name));
        profile.cloned().unwrap_or_default().over(&self.defaults)
    }

    pub(super) fn unknown_profile(&self, name: &str) -> Problem {
        let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        let reason = match known.as_slice() {
            [] => format!("there is no [profile.{name}], nor any other profile"),
            known => format!("there is no [profile.{name}]; known: {}", known.join(", ")),
        };
        Problem::Contradiction { reason }
    }
}

/// Labels by the rules of Prometheus.
fn labels(section: &Section<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (name, place, value) in section.entries() {
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_name = name.starts_with(is_letter)
            && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
            && !name.starts_with("__");
        let problem = if !is_name {
            Some("a label has letters, digits and _ in its name, and no digit or __ in front")
        } else if is_reserved_label(&name) {
            Some("metrics have a label of this name already")
        } else {
            None
        };
        if let Some(reason) = problem {
            section.report(&place, Problem::Contradiction { reason: reason.to_owned() });
            continue;
        }
        match value.and_then(|value| Name::read(&value.text)) {
            Some(value) => drop(labels.insert(name, value.0)),
            None => section.report(&place, Problem::Malformed { expected: Name::EXPECTED }),
        }
    }
    labels
}
