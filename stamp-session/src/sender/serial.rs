//! Sequence Numbers modulo 2^32, compared as serial numbers (RFC 1982 §3.2).

/// `sequence` comes after `other`, with the wrap in between or not.
pub(super) const fn is_after(sequence: u32, other: u32) -> bool {
    distance(other, sequence) > 0
}

/// Steps from `from` to `to`, negative when it lies behind.
pub(super) const fn distance(from: u32, to: u32) -> i64 {
    to.wrapping_sub(from).cast_signed() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_across_the_wrap() {
        assert!(is_after(0, u32::MAX));
        assert!(!is_after(u32::MAX, 0));
        assert!(!is_after(5, 5));
        assert_eq!(distance(u32::MAX, 2), 3);
        assert_eq!(distance(2, u32::MAX), -3);
    }
}
