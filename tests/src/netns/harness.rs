//! The test harness: enters the user namespace first, skips visibly what the machine forbids, and
//! says at the end what was skipped and which line would allow it.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::access::Access;

/// Set to `all`, it turns every skip into a failure.
const REQUIRE: &str = "STAMP_TEST_REQUIRE";

static ACCESS: OnceLock<Access> = OnceLock::new();
/// How many tests were skipped, by what they lacked.
static SKIPPED: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

/// Something a test cannot do without and a machine may lack.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// What it is, as the object of "needs".
    pub name: &'static str,
    /// The line that provides it.
    pub allow: &'static str,
    /// Whether it is there; asked after the user namespace has been entered.
    pub met: fn() -> bool,
}

impl Need {
    /// A kernel with IPv6.
    pub const IPV6: Self = Self {
        name: "a kernel with IPv6",
        allow: "boot without ipv6.disable=1",
        met: || Path::new("/proc/sys/net/ipv6").exists(),
    };

    /// Real root, not that of a user namespace.
    pub const ROOT: Self = Self {
        name: "real root",
        allow: "sudo -E cargo test -p stamp-tests --test netns",
        met: || ACCESS.get() == Some(&Access::Root),
    };
}

/// Runs the trials of all modules as a test program would: filters, `--list`, threads.
///
/// To be called first in `main`, while the process has a single thread.
#[must_use]
pub fn harness(modules: &[fn() -> Vec<Trial>]) -> ExitCode {
    let arguments = Arguments::from_args();
    ACCESS.get_or_init(Access::obtain);
    let trials = modules.iter().flat_map(|trials| trials()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    print_skipped();
    conclusion.exit_code()
}

/// A trial that runs `test` unless something it needs is missing; see [`trials!`](crate::trials).
#[must_use]
pub fn trial(path: &str, needs: &[Need], test: fn()) -> Trial {
    let missing = missing(needs);
    // The first segment is the test program, which every runner names by itself.
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    // cargo-nextest runs each test in a process of its own and learns only here what is skipped.
    let listed_as_skipped = missing.is_some() && env::var_os("NEXTEST").is_some();
    Trial::ignorable_test(name, move || match missing {
        None => {
            test();
            Ok(Completion::Completed)
        }
        Some(missing) if is_required() => Err(Failed::from(missing)),
        Some(missing) => {
            let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
            *skipped.entry(missing.clone()).or_default() += 1;
            Ok(Completion::ignored_with(missing))
        }
    })
    .with_ignored_flag(listed_as_skipped && !is_required())
}

/// Trials named after functions: `trials![first, second: [Need::IPV6]]`.
#[macro_export]
macro_rules! trials {
    ($($test:ident $(: [$($need:expr),* $(,)?])?),* $(,)?) => {
        ::std::vec![$(
            $crate::netns::trial(
                ::std::concat!(::std::module_path!(), "::", ::std::stringify!($test)),
                &[$($($need),*)?],
                $test,
            )
        ),*]
    };
}

fn missing(needs: &[Need]) -> Option<String> {
    match ACCESS.get() {
        Some(Access::Forbidden { reason, allow }) => Some(format!("{reason}; allow it: {allow}")),
        Some(_) => {
            let unmet = needs.iter().find(|need| !is_met(need))?;
            Some(format!("needs {}; allow it: {}", unmet.name, unmet.allow))
        }
        None => Some("the target's main does not call netns::harness".to_owned()),
    }
}

/// Asks once per process: some answers take a namespace to find.
fn is_met(need: &Need) -> bool {
    static ANSWERS: Mutex<BTreeMap<&'static str, bool>> = Mutex::new(BTreeMap::new());
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    *answers.entry(need.name).or_insert_with(need.met)
}

fn is_required() -> bool {
    env::var(REQUIRE).is_ok_and(|value| value == "all")
}

fn print_skipped() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if skipped.is_empty() {
        return;
    }
    eprintln!("skipped on this machine ({REQUIRE}=all makes these failures):");
    for (missing, count) in skipped.iter() {
        eprintln!("  {count} × {missing}");
    }
}
