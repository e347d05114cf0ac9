//! Both engines in virtual time, on networks that do all that networks do.

mod lag;
mod looped;
mod packets;
mod pair;
mod reflector;
mod sender;
mod session;
