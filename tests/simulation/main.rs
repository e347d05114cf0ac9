//! Both engines in virtual time, on networks that do all that networks do.

mod looped;
mod pair;
mod reflector;
mod sender;
mod session;
