//! Coming to namespaces, and skipping visibly where there is no way.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, thread};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::unistd::{getegid, geteuid};
use stamp_net::sysctl;

/// Why no namespace can be made, and the line that allows it; `None` when they can.
static OBSTACLE: OnceLock<Option<String>> = OnceLock::new();
static SKIPPED: AtomicU32 = AtomicU32::new(0);

pub(crate) fn run(modules: &[fn() -> Vec<Trial>]) -> ExitCode {
    let arguments = Arguments::from_args();
    // Before any other thread exists: the kernel refuses it afterwards.
    OBSTACLE.get_or_init(|| enter().err().map(|error| format!("{error}; {}", mending_line())));
    let trials = modules.iter().flat_map(|trials| trials()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let skipped = SKIPPED.load(Ordering::Relaxed);
    if skipped > 0 {
        let reason = OBSTACLE.get().cloned().flatten().unwrap_or_default();
        eprintln!("{skipped} tests skipped: {reason}");
    }
    conclusion.exit_code()
}

/// A trial that runs `test` in a thread of its own, so that it can change namespaces freely.
pub(crate) fn trial(name: &'static str, test: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        if let Some(Some(obstacle)) = OBSTACLE.get() {
            if env::var_os("STAMP_TEST_REQUIRE").is_some_and(|value| value == "all") {
                return Err(Failed::from(obstacle));
            }
            SKIPPED.fetch_add(1, Ordering::Relaxed);
            return Ok(Completion::ignored_with(obstacle));
        }
        match thread::spawn(test).join() {
            Ok(()) => Ok(Completion::Completed),
            Err(_) => Err(Failed::from("panicked")),
        }
    })
}

/// Trials named after functions.
#[macro_export]
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        vec![$($crate::access::trial(
            // As the standard harness names a test: by its module below the target.
            concat!(module_path!(), "::", stringify!($test)).trim_start_matches("kernel::"),
            $test,
        )),*]
    };
}

fn enter() -> io::Result<()> {
    if try_namespace().is_ok() {
        return Ok(());
    }
    let (user, group) = (geteuid(), getegid());
    // A binary with file capabilities cannot write its own maps while it is not dumpable.
    prctl::set_dumpable(true)?;
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    // AppArmor lets a user namespace be created and takes its capabilities away.
    try_namespace()
}

/// The thread ends at once, so that the process has a single one again.
fn try_namespace() -> io::Result<()> {
    let tried = thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET)).join();
    Ok(tried.map_err(|_| io::Error::other("thread panicked"))??)
}

fn mending_line() -> String {
    let hindrances = sysctl::namespace_hindrances().unwrap_or_default();
    hindrances
        .first()
        .map(|hindrance| hindrance.setting.mending_line(hindrance.wanted))
        .unwrap_or_else(|| "run as root, or outside of the container".to_owned())
}
