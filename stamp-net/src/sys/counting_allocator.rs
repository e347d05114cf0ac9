//! The system's allocator, counting what is held.
//!
//! Not part of the library. Benches of memory use it; it is here because `unsafe` is nowhere else.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// To be made the `#[global_allocator]` of a bench.
pub(crate) struct CountingAllocator {
    held: AtomicUsize,
}

impl CountingAllocator {
    pub(crate) const fn new() -> Self {
        Self { held: AtomicUsize::new(0) }
    }

    /// Octets that were asked for and not given back.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

// SAFETY: every call goes to the system's allocator as it came; counting changes nothing about it.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.held.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        self.held.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: what `alloc` returned came from `System`, with this layout.
        unsafe { System.dealloc(octets, layout) }
    }
}
