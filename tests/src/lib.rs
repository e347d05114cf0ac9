//! Testkit shared by the test targets of this package.
#![forbid(unsafe_code)]

pub mod conformance;
pub mod netns;
pub mod simulation;
pub mod wire;
