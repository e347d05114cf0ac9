//! The test harness: enters the user namespace first, skips visibly what the machine forbids, and
//! says at the end what was skipped and which line would allow it.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::access::Access;

/// Set to `all`, it turns every skip into a failure but those for want of real root and of what the
/// kernel was built without; set to `root`, those too.
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
    /// No user namespace can give it, so that `all` does not ask for it.
    pub beyond_namespaces: bool,
}

impl Need {
    /// A kernel with IPv6.
    pub const IPV6: Self = Self {
        name: "a kernel with IPv6",
        allow: "boot without ipv6.disable=1",
        met: || Path::new("/proc/sys/net/ipv6").exists(),
        beyond_namespaces: false,
    };

    /// The right to load BPF programs, which a user namespace never gives, and a kernel that knows
    /// what they call.
    pub const BPF: Self = Self {
        name: "real root and Linux 6.1, to load BPF programs",
        allow: "sudo -E cargo test -p stamp-tests --test netns",
        met: || ACCESS.get() == Some(&Access::Root) && may_load_programs(),
        beyond_namespaces: true,
    };

    /// A kernel that hangs programs at an ingress by descriptors.
    pub const TCX: Self = Self {
        name: "Linux 6.6, for programs that go with their process",
        allow: "boot a newer kernel",
        met: || stamp_net::tc::programs_at("lo").is_ok(),
        beyond_namespaces: true,
    };

    /// A kernel that forwards labelled packets.
    pub const MPLS: Self = Self {
        name: "a kernel with MPLS",
        allow: "sudo modprobe mpls_router mpls_iptunnel, or tests/guest/run kernel_mpls::",
        met: || Path::new("/proc/sys/net/mpls").exists(),
        beyond_namespaces: true,
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
    let skipped = missing.as_ref().is_some_and(|missing| !missing.required);
    let listed_as_skipped = skipped && env::var_os("NEXTEST").is_some();
    Trial::ignorable_test(name, move || match missing {
        None => {
            test();
            Ok(Completion::Completed)
        }
        Some(Missing { text, required: true }) => Err(Failed::from(text)),
        Some(Missing { text: missing, required: false }) => {
            let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
            *skipped.entry(missing.clone()).or_default() += 1;
            Ok(Completion::ignored_with(missing))
        }
    })
    .with_ignored_flag(listed_as_skipped)
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

/// What a test lacks, and whether that is a failure.
#[derive(Clone, Debug)]
struct Missing {
    text: String,
    required: bool,
}

fn missing(needs: &[Need]) -> Option<Missing> {
    let text = match ACCESS.get() {
        Some(Access::Forbidden { reason, allow }) => format!("{reason}; allow it: {allow}"),
        Some(_) => {
            let unmet = needs.iter().find(|need| !is_met(need))?;
            let text = format!("needs {}; allow it: {}", unmet.name, unmet.allow);
            return Some(Missing { text, required: is_required(unmet.beyond_namespaces) });
        }
        None => "the target's main does not call netns::harness".to_owned(),
    };
    Some(Missing { text, required: is_required(false) })
}

/// Asks once per process: some answers take a namespace to find.
fn is_met(need: &Need) -> bool {
    static ANSWERS: Mutex<BTreeMap<&'static str, bool>> = Mutex::new(BTreeMap::new());
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    *answers.entry(need.name).or_insert_with(need.met)
}

fn is_required(beyond_namespaces: bool) -> bool {
    env::var(REQUIRE).is_ok_and(|value| match value.as_str() {
        "root" => true,
        "all" => !beyond_namespaces,
        _ => false,
    })
}

fn may_load_programs() -> bool {
    let rights = stamp_net::capability::effective();
    let has_right = rights.is_ok_and(|rights| rights.has(stamp_net::capability::Capability::Bpf));
    has_right && kernel_release() >= Some((6, 1))
}

/// The first two numbers of the kernel's release.
fn kernel_release() -> Option<(u32, u32)> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn print_skipped() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if skipped.is_empty() {
        return;
    }
    eprintln!(
        "skipped on this machine ({REQUIRE}=all makes what it can give a failure, root all):"
    );
    for (missing, count) in skipped.iter() {
        eprintln!("  {count} × {missing}");
    }
}
