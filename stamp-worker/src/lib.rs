//! stamp-worker
