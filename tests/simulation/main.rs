//! Both engines in virtual time, on networks that do all that networks do.

mod lag;
mod looped;
mod measured_links;
mod packets;
mod pair;
mod reflector;
mod sender;
mod session;
