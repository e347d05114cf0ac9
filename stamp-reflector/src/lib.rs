//! stamp-reflector
