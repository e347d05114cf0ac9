//! stamp-net
