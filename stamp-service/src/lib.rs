//! What both programs need to run as a service: log lines that programs read as well as people, and
//! word to the service manager.
#![forbid(unsafe_code)]

pub mod log;
pub mod manager;
