//! stamp-reflector
fn main() {}
