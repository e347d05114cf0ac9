//! Classic BPF: what programs for sockets are written in.

use libc::sock_filter;

pub(crate) const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
pub(crate) const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
pub(crate) const LOAD_OCTET: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
pub(crate) const LOAD_LENGTH: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_LEN;
/// Loads at a place that is relative to what was kept.
pub(crate) const LOAD_WORD_BEHIND: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_IND;
pub(crate) const LOAD_HALF_BEHIND: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
pub(crate) const LOAD_OCTET_BEHIND: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_IND;
pub(crate) const KEEP: u32 = libc::BPF_MISC | libc::BPF_TAX;
pub(crate) const KEEP_CONSTANT: u32 = libc::BPF_LDX | libc::BPF_IMM;
pub(crate) const ADD: u32 = libc::BPF_ALU | libc::BPF_ADD | libc::BPF_K;
pub(crate) const ADD_KEPT: u32 = libc::BPF_ALU | libc::BPF_ADD | libc::BPF_X;
pub(crate) const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
pub(crate) const XOR_KEPT: u32 = libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X;
pub(crate) const MULTIPLY: u32 = libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K;
pub(crate) const SHIFT_LEFT: u32 = libc::BPF_ALU | libc::BPF_LSH | libc::BPF_K;
pub(crate) const SHIFT_RIGHT: u32 = libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K;
pub(crate) const MODULO: u32 = libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K;
pub(crate) const STORE: u32 = libc::BPF_ST;
pub(crate) const STORE_KEPT: u32 = libc::BPF_STX;
pub(crate) const RECALL: u32 = libc::BPF_LD | libc::BPF_MEM;
pub(crate) const KEEP_RECALLED: u32 = libc::BPF_LDX | libc::BPF_MEM;
pub(crate) const RETURN: u32 = libc::BPF_RET | libc::BPF_A;
pub(crate) const RETURN_CONSTANT: u32 = libc::BPF_RET | libc::BPF_K;
pub(crate) const IF_AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
pub(crate) const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
pub(crate) const IF_ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
const GO: u32 = libc::BPF_JMP | libc::BPF_JA;

/// An instruction without a branch.
pub(crate) const fn step(code: u32, k: u32) -> sock_filter {
    branch(code, k, 0, 0)
}

/// A comparison with `k`, and how many instructions to skip when it holds or fails.
#[expect(clippy::cast_possible_truncation, reason = "codes of classic BPF have 16 bits")]
pub(crate) const fn branch(code: u32, k: u32, holds: u8, fails: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: holds, jf: fails, k }
}

/// A place in a [`Program`] that is jumped to; all jumps lead forward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label(usize);

/// A program under construction.
#[derive(Debug, Default)]
pub(crate) struct Program {
    steps: Vec<sock_filter>,
    /// Where each label is.
    places: Vec<usize>,
    /// Jumps, and the label that each leads to.
    jumps: Vec<(usize, Label)>,
}

impl Program {
    /// A label to be placed later.
    pub(crate) fn label(&mut self) -> Label {
        self.places.push(usize::MAX);
        Label(self.places.len() - 1)
    }

    /// Puts the label here.
    pub(crate) fn place(&mut self, label: Label) {
        self.places[label.0] = self.steps.len();
    }

    /// An instruction without a branch.
    pub(crate) fn step(&mut self, code: u32, k: u32) {
        self.steps.push(step(code, k));
    }

    pub(crate) fn go(&mut self, to: Label) {
        self.jumps.push((self.steps.len(), to));
        self.step(GO, 0);
    }

    /// Goes to `to` when the comparison holds. Comparisons alone reach 255 instructions, so they
    /// skip a jump, which reaches everything.
    pub(crate) fn go_if(&mut self, code: u32, k: u32, to: Label) {
        self.steps.push(branch(code, k, 0, 1));
        self.go(to);
    }

    /// Goes to `to` when the comparison fails.
    pub(crate) fn go_unless(&mut self, code: u32, k: u32, to: Label) {
        self.steps.push(branch(code, k, 1, 0));
        self.go(to);
    }

    /// The program with its jumps filled in.
    pub(crate) fn finish(mut self) -> Vec<sock_filter> {
        for (at, label) in self.jumps {
            let skipped = self.places[label.0].wrapping_sub(at + 1);
            self.steps[at].k = u32::try_from(skipped).unwrap_or(u32::MAX);
        }
        self.steps
    }
}
