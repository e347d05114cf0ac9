//! Memory that is needed soon.

/// Octets that a processor fetches at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Begins to fetch a value into the processor's caches and does not wait for it; what the value points to stays
/// where it is.
///
/// For whoever goes round among more state than caches hold and knows what comes next. On processors other than
/// x86-64 it does nothing.
#[inline]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let begin: *const i8 = core::ptr::from_ref(value).cast();
        let last = size_of::<T>().saturating_sub(1);
        // It need not begin where a line does.
        for offset in (0..last).step_by(LINE).chain([last]) {
            // SAFETY: a hint about an address. Nothing is read that the program could see, no address
            // makes it fault, and those here are within `value`.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(begin.wrapping_add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

#[cfg(test)]
mod tests {
    use super::prefetch;

    #[test]
    fn a_value_of_any_size_stays_what_it_is() {
        prefetch(&());
        prefetch(&7_u8);
        let large = [3_u8; 1_000];
        prefetch(&large);
        assert_eq!(large, [3; 1_000]);
    }
}
