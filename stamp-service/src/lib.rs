//! What both programs need to run as a service: log lines that programs read as well as people.
#![forbid(unsafe_code)]

pub mod log;
