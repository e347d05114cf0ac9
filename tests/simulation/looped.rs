//! Sessions whose probes are forwarded back to them, past a node that writes T2 or should have.

mod fallback;
mod node;
mod runs;
mod scenario;
