//! What an operator configures besides sessions: the clock, key files; and the words and documents
//! of [`stamp_document`], under one name for the programs.
//!
//! A [`Setting`] is one word of the operator's language. The command line and the configuration
//! file read it with the same code, so a flag and the key of the same name accept the same text and
//! complain in the same words. [`document`] reads a TOML file and reports *every* mistake with
//! line, column, key, value and what is allowed; [`key_file`] reads the secrets.
#![forbid(unsafe_code)]

pub mod asking;
pub mod clock;
pub mod key_file;
pub mod steering;
pub mod web;

pub use stamp_document::{Form, Setting, document, parse, quantity};
