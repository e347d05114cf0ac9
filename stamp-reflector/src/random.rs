//! Unpredictable numbers from the kernel, to key the hashes of the engines.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 64 unpredictable bits: the standard library keys each hasher from the kernel's random source.
pub(crate) fn u64() -> u64 {
    RandomState::new().build_hasher().finish()
}
