//! A program at the ingress of interfaces: it writes the receive time into test packets before the
//! kernel forwards them.
//!
//! The program is C, in `bpf/`, and compiled beforehand. [`Stamper`] tells it which timestamp
//! labels and End.TSF SIDs there are, hangs it on interfaces, and reads what it counted.
//!
//! A packet to a SID is stamped, taken to its next segment and sent out by the kernel's routes and
//! neighbours. A packet below a timestamp label is stamped; the label is popped by the kernel's own
//! MPLS. What is not for any of them passes as if the program were not there.

mod count;
mod hook;
mod refusal;
mod tables;
mod trial;

use std::fmt;

use aya::maps::{Array, PerCpuArray};
use aya::programs::{SchedClassifier, TcAttachType};
use aya::{Ebpf, EbpfLoader};

use crate::clock;
use crate::error::NetError;
use crate::interface;
use hook::Hook;
use refusal::refused;

pub use count::{DropReason, Handling, TcCounts};
pub use tables::{TcRule, TcTrigger};
pub use trial::{Outcome, Trial, TrialFrame};

/// The compiled program; `bpf/README.md` tells how it is made.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../bpf/stamp_and_forward.bpf.o");
/// Its name in the object, and as the kernel shows it.
const PROGRAM: &str = "stamp_and_forward";
/// Interfaces that one program can tell apart.
const MOST_INTERFACES: usize = 64;

/// The program with its rules, in the kernel; on interfaces for as long as this value lives.
pub struct Stamper {
    kernel: Ebpf,
    rules: usize,
    hooks: Vec<Hook>,
}

impl Stamper {
    /// Loads the program; packets do not pass it yet.
    ///
    /// # Errors
    ///
    /// [`NetError::TcDenied`] without the rights, [`NetError::Bpf`] with what the kernel's checker
    /// says, [`NetError::TooManyInterfaces`].
    pub fn load(rules: &[TcRule]) -> Result<Self, NetError> {
        let interfaces = tables::interfaces(rules);
        if interfaces.len() > MOST_INTERFACES {
            return Err(NetError::TooManyInterfaces { most: MOST_INTERFACES });
        }
        let mut loader = EbpfLoader::new();
        // Nothing in the program depends on types of this kernel.
        loader.btf(None);
        for (map, entries) in tables::sizes(rules, interfaces.len()) {
            loader.map_max_entries(map, entries);
        }
        let mut kernel = loader.load(OBJECT).map_err(refused)?;
        tables::fill(&mut kernel, rules, &interfaces)?;
        let mut this = Self { kernel, rules: rules.len(), hooks: Vec::new() };
        this.set_tai_offset(clock::tai_offset_ns())?;
        this.program()?.load().map_err(refused)?;
        Ok(this)
    }

    /// Hangs it on these interfaces. From here on packets pass it.
    ///
    /// # Errors
    ///
    /// [`NetError::NoSuchInterface`], [`NetError::TcDenied`], [`NetError::Bpf`]; then it hangs
    /// nowhere.
    pub fn attach(&mut self, interfaces: &[&str]) -> Result<(), NetError> {
        let mut hooks = Vec::new();
        for name in interfaces {
            hooks.push(Hook::new(self.program()?, name)?);
        }
        self.hooks.extend(hooks);
        Ok(())
    }

    /// Takes the place of another on these interfaces, packet by packet: none passes both, and none
    /// passes neither where both hang. The other hangs nowhere afterwards.
    ///
    /// # Errors
    ///
    /// As [`Self::attach`]; then the other hangs where it did.
    pub fn succeed(&mut self, other: &mut Self, interfaces: &[&str]) -> Result<(), NetError> {
        let mut wanted = Vec::new();
        for name in interfaces {
            wanted.push((interface::index_of(name)?, *name));
        }
        let has = |hooks: &[Hook], number| hooks.iter().any(|hook| hook.interface() == number);
        let new: Vec<&str> = wanted
            .iter()
            .filter(|(number, _)| !has(&other.hooks, *number))
            .map(|(_, name)| *name)
            .collect();
        self.attach(&new)?;
        for at in 0..other.hooks.len() {
            let number = other.hooks[at].interface();
            if wanted.iter().any(|(wanted, _)| *wanted == number)
                && let Err(error) = other.hooks[at].take(self.program()?)
            {
                for hook in &mut other.hooks[..at] {
                    // What was taken a moment ago is given back in the same way.
                    let _ = hook.take(program(&mut other.kernel)?);
                }
                self.hooks.clear();
                return Err(error);
            }
        }
        let (kept, gone) =
            std::mem::take(&mut other.hooks).into_iter().partition::<Vec<_>, _>(|hook| {
                wanted.iter().any(|(number, _)| *number == hook.interface())
            });
        self.hooks.extend(kept);
        drop(gone);
        Ok(())
    }

    /// Takes it off every interface; what it counted can still be read.
    pub fn detach(&mut self) {
        self.hooks.clear();
    }

    /// What was counted so far, by all processors together.
    ///
    /// # Errors
    ///
    /// [`NetError::Bpf`] when a sandbox forbids to read it.
    pub fn counts(&self) -> Result<TcCounts, NetError> {
        let map = self.kernel.map("counters").ok_or(NetError::BpfObject)?;
        let counters = PerCpuArray::<_, u64>::try_from(map).map_err(refused)?;
        let entries = counters.len();
        let sum = |index: u32| -> Result<u64, NetError> {
            let values = counters.get(&index, 0).map_err(refused)?;
            Ok(values.iter().fold(0, |sum, value| sum.saturating_add(*value)))
        };
        let counted: Vec<u64> = (0..entries).map(sum).collect::<Result<_, _>>()?;
        Ok(TcCounts::read(&counted, self.rules))
    }

    /// Tells it how far TAI is ahead of UTC, for packets that the kernel did not stamp; whoever
    /// keeps a program keeps this up to date.
    ///
    /// # Errors
    ///
    /// As [`Self::counts`].
    pub fn set_tai_offset(&mut self, ns: i64) -> Result<(), NetError> {
        let map = self.kernel.map_mut("tai_offset").ok_or(NetError::BpfObject)?;
        let mut offset = Array::<_, u64>::try_from(map).map_err(refused)?;
        offset.set(0, ns.cast_unsigned(), 0).map_err(refused)
    }

    fn program(&mut self) -> Result<&mut SchedClassifier, NetError> {
        program(&mut self.kernel)
    }
}

/// How many programs there are at the ingress of an interface, by whomever; filters of kernels
/// before 6.6 do not count.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], [`NetError::TcDenied`], [`NetError::Bpf`].
pub fn programs_at(interface: &str) -> Result<usize, NetError> {
    interface::index_of(interface)?;
    let (_, programs) =
        SchedClassifier::query_tcx(interface, TcAttachType::Ingress).map_err(refused)?;
    Ok(programs.len())
}

fn program(kernel: &mut Ebpf) -> Result<&mut SchedClassifier, NetError> {
    let program = kernel.program_mut(PROGRAM).ok_or(NetError::BpfObject)?;
    program.try_into().map_err(refused)
}

impl fmt::Debug for Stamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamper")
            .field("rules", &self.rules)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}
