//! How an operator writes it: durations, rates, key files, TOML documents.
//!
//! A [`Setting`] is one word of the operator's language. The command line and the configuration
//! file read it with the same code, so a flag and the key of the same name accept the same text and
//! complain in the same words. [`document`] reads a TOML file and reports *every* mistake with
//! line, column, key, value and what is allowed; [`key_file`] reads the secrets.
#![forbid(unsafe_code)]

pub mod clock;
pub mod document;
pub mod key_file;
pub mod quantity;
mod setting;
pub mod steering;

pub use setting::{Form, Setting, parse};
