//! How test packets and their timestamps pass the Linux kernel.
//!
//! [`UdpSocket`] moves batches of datagrams with everything the kernel knows about each: when it
//! arrived and left, TTL, traffic class, addresses, interface, and what went wrong on the way.
//! [`FrameSocket`] does the same for whole frames, for what no UDP socket can send or receive.
//! [`tc::Stamper`] puts a program at the ingress of interfaces, for what no socket should copy.
//! [`Poller`] waits for sockets and absolute deadlines. The other modules answer what a program
//! asks before it starts: clocks, interfaces, routes, limits, settings, rights.
//!
//! Nothing here allocates or locks per packet. `unsafe` lives in `sys` alone.

pub mod batch;
mod bpf;
pub mod capability;
pub mod clock;
mod departure;
pub mod egress;
pub mod error;
pub mod frame;
pub mod holder;
pub mod interface;
pub mod lifeline;
pub mod limits;
mod netlink;
pub mod packet;
pub mod poll;
pub mod rights;
pub mod route;
pub mod socket;
pub mod steered;
#[expect(
    unsafe_code,
    reason = "system calls that no safe crate offers, and a hint to the processor"
)]
mod sys;
pub mod sysctl;
pub mod tc;
pub mod timestamping;
mod tunnel_errors;

pub use batch::{Batch, SendOutcome};
pub use egress::{Changes, Egress, EgressQuery, LinkHeader, Resolution, RouteWatch};
pub use error::NetError;
pub use frame::{
    Addressee, EtherType, Frame, FrameBatch, FrameFilter, FrameOptions, FrameSocket, VlanTag,
};
pub use packet::PacketSocket;
pub use poll::{Poller, Readiness, Ready, Waker};
pub use socket::{
    ArrivedHeaders, Datagram, ErrorBatch, IcmpError, IcmpKind, Ipv4HeaderTap, Outgoing,
    ReceiveBatch, SendBatch, SendFailure, SocketEvent, SocketOptions, UdpSocket,
};
pub use sys::cache::prefetch;
pub use tunnel_errors::TunnelErrors;
