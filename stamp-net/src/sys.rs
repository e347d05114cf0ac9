//! System calls that neither std, nix nor socket2 offer in a usable form, and a hint to the processor.
//!
//! The only `unsafe` of the project: one call per block, each behind a safe function. What nix does
//! offer is not used for batches, because its `recvmmsg` never resets the control lengths and its
//! `sendmmsg` shares one control list among all messages.

pub(crate) mod cache;
pub(crate) mod descriptor;
pub(crate) mod device;
pub(crate) mod link_address;
pub(crate) mod message;
pub(crate) mod option;
pub(crate) mod passing;
pub(crate) mod ring;
pub(crate) mod time;
