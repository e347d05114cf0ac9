//! The words operators write, and what is wrong with them: quantities with units, addresses, TOML
//! documents whose every mistake is told with line, column, key, value and what is allowed.
//!
//! Text comes in and values go out: files are read by whoever has them.
#![forbid(unsafe_code)]

pub mod document;
pub mod quantity;
mod setting;

pub use setting::{Form, Setting, parse};
