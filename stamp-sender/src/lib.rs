//! stamp-sender
