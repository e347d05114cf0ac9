//! This repository against its own rules: clause tables, crate arrows, shape, guide pages.
//!
//! The checks live in `stamp_tests::conformance`, each with tests that show it failing.

mod guide;
mod house;
mod names;
mod tables;
mod vectors;
