//! stamp-sender
fn main() {}
