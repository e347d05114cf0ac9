//! Classic BPF: what programs for sockets are written in.

use libc::sock_filter;

pub(crate) const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
pub(crate) const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
pub(crate) const LOAD_LENGTH: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_LEN;
pub(crate) const KEEP: u32 = libc::BPF_MISC | libc::BPF_TAX;
pub(crate) const XOR_KEPT: u32 = libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X;
pub(crate) const MULTIPLY: u32 = libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K;
pub(crate) const SHIFT_RIGHT: u32 = libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K;
pub(crate) const MODULO: u32 = libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K;
pub(crate) const RETURN: u32 = libc::BPF_RET | libc::BPF_A;
pub(crate) const RETURN_CONSTANT: u32 = libc::BPF_RET | libc::BPF_K;
pub(crate) const IF_AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
pub(crate) const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;

/// An instruction without a branch.
pub(crate) const fn step(code: u32, k: u32) -> sock_filter {
    branch(code, k, 0, 0)
}

/// A comparison with `k`, and how many instructions to skip when it holds or fails.
#[expect(clippy::cast_possible_truncation, reason = "codes of classic BPF have 16 bits")]
pub(crate) const fn branch(code: u32, k: u32, holds: u8, fails: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: holds, jf: fails, k }
}
