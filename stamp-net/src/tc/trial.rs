//! One frame through the program, without any interface: `BPF_PROG_TEST_RUN`.

use std::time::Duration;

use aya::programs::{TestRun as _, TestRunOptions};

use super::{Stamper, refused};
use crate::error::NetError;

/// A frame as it would come in.
#[derive(Clone, Copy, Debug)]
pub struct TrialFrame<'a> {
    /// From its Ethernet header on.
    pub octets: &'a [u8],
    /// Number of the interface it comes in through.
    pub interface: u32,
    /// The stamp of the kernel, in nanoseconds since 1970; none when nobody asked for stamps.
    pub stamp_ns: Option<u64>,
}

/// What the program wants to be done with a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It goes on its way through the kernel.
    Pass,
    /// It ends here.
    Drop,
    /// It leaves at once.
    Leave,
}

/// What the program made of a frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trial {
    /// What is to be done with it.
    pub outcome: Outcome,
    /// The frame afterwards.
    pub octets: Vec<u8>,
    /// How long one run took, on average.
    pub duration: Duration,
}

/// `TC_ACT_SHOT`, `TC_ACT_REDIRECT` of the kernel.
const SHOT: u32 = 2;
const REDIRECT: u32 = 7;

impl Stamper {
    /// Runs the program on a frame this many times and shows what it made of it; nothing leaves.
    ///
    /// Each run gets what the one before made of the frame.
    ///
    /// # Errors
    ///
    /// [`NetError::TcDenied`], and [`NetError::Bpf`] when no frame is that short.
    pub fn try_out(&mut self, frame: TrialFrame<'_>, runs: u32) -> Result<Trial, NetError> {
        let context = context(&frame);
        let mut octets = vec![0; frame.octets.len()];
        let options = TestRunOptions {
            data_in: Some(frame.octets),
            data_out: Some(&mut octets),
            ctx_in: Some(&context),
            repeat: runs,
            ..TestRunOptions::new()
        };
        let result = self.program()?.test_run(options).map_err(refused)?;
        octets.truncate(result.data_size_out as usize);
        let outcome = match result.return_value {
            SHOT => Outcome::Drop,
            REDIRECT => Outcome::Leave,
            _ => Outcome::Pass,
        };
        Ok(Trial { outcome, octets, duration: result.duration })
    }
}

/// `struct __sk_buff`, as far as it can be given.
fn context(frame: &TrialFrame<'_>) -> [u8; CONTEXT_OCTETS] {
    let mut context = [0; CONTEXT_OCTETS];
    let mut put = |at: usize, octets: &[u8]| context[at..at + octets.len()].copy_from_slice(octets);
    put(INTERFACE, &frame.interface.to_ne_bytes());
    put(STAMP, &frame.stamp_ns.unwrap_or(0).to_ne_bytes());
    context
}

const CONTEXT_OCTETS: usize = 192;
/// Where in it `ifindex` and `tstamp` are.
const INTERFACE: usize = 40;
const STAMP: usize = 152;
