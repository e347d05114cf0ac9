//! Session-Reflectors on a network that forges, replays and floods.

mod amplification;
mod flood;
mod forgery;
mod loops;
mod network;
mod rebinding;
