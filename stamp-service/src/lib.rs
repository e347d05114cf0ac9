//! What both programs need to run as a service: log lines that programs read as well as people, word
//! to the service manager and the sockets it passes on, and a process that can do no more than it has to.
#![forbid(unsafe_code)]

pub mod inherited;
pub mod log;
pub mod manager;
pub mod sandbox;
pub mod web;
