//! Coming to namespaces, and skipping visibly where there is no way.

use std::env;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use stamp_lab::rights;

/// Why no lab can be built; `None` when one can.
static OBSTACLE: OnceLock<Option<String>> = OnceLock::new();
static SKIPPED: AtomicU32 = AtomicU32::new(0);

pub(crate) fn run(modules: &[fn() -> Vec<Trial>]) -> ExitCode {
    let arguments = Arguments::from_args();
    // Before any other thread exists: the kernel refuses it afterwards.
    OBSTACLE.get_or_init(|| rights::obtain().err().map(|error| error.to_string()));
    let trials = modules.iter().flat_map(|trials| trials()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let skipped = SKIPPED.load(Ordering::Relaxed);
    if skipped > 0 {
        let reason = OBSTACLE.get().cloned().flatten().unwrap_or_default();
        eprintln!("{skipped} tests skipped: {reason}");
    }
    conclusion.exit_code()
}

pub(crate) fn trial(name: &'static str, test: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        let Some(Some(obstacle)) = OBSTACLE.get() else {
            test();
            return Ok(Completion::Completed);
        };
        if env::var_os("STAMP_TEST_REQUIRE").is_some_and(|value| value == "all") {
            return Err(Failed::from(obstacle));
        }
        SKIPPED.fetch_add(1, Ordering::Relaxed);
        Ok(Completion::ignored_with(obstacle))
    })
}

/// Trials named after functions.
#[macro_export]
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        vec![$($crate::harness::trial(
            // As the standard harness names a test: by its module below the target.
            concat!(module_path!(), "::", stringify!($test)).trim_start_matches("lab::"),
            $test,
        )),*]
    };
}
