//! Comparing bytes, eight at a time.
//!
//! The target's C library compares them one by one, and what the engine compares most are keys: some fifty bytes, of which
//! half are the same in all that belongs to a directory. It was a quarter of what the component did in a bulk request.

#![expect(unsafe_code, reason = "what is compared comes as pointers")]

use core::cmp::Ordering;

/// How many bytes are compared at a time.
const WORD: usize = size_of::<u64>();

/// What the compiler calls to compare slices of bytes and texts, in place of the C library's. Put into each place that
/// compares, it would make the component a tenth larger.
///
/// # Safety
/// As for C's `memcmp`: both point to `length` bytes that can be read.
#[cfg(target_family = "wasm")]
#[inline(never)]
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise is the callee's condition.
    unsafe { compare(one, other, length) as i32 }
}

/// The order of the first bytes that differ.
///
/// # Safety
/// Both point to `length` bytes that can be read.
unsafe fn compare(one: *const u8, other: *const u8, length: usize) -> Ordering {
    // Big-endian, so that the order of the numbers is that of the bytes. To be called with `at` at least `WORD` bytes
    // before the end.
    let words_at = |at: usize| {
        // SAFETY: the bytes from `at` on are within what the caller says can be read.
        unsafe { (word(one.add(at)), word(other.add(at))) }
    };
    let mut at = 0;
    while length - at >= WORD {
        let (word, other_word) = words_at(at);
        if word != other_word {
            return word.cmp(&other_word);
        }
        at += WORD;
    }
    if length >= WORD {
        // The last ones, together with some that are the same.
        let (word, other_word) = words_at(length - WORD);
        return word.cmp(&other_word);
    }
    while at < length {
        // SAFETY: as above.
        let (byte, other_byte) = unsafe { (*one.add(at), *other.add(at)) };
        if byte != other_byte {
            return byte.cmp(&other_byte);
        }
        at += 1;
    }
    Ordering::Equal
}

/// Eight bytes as a number, the first of them the highest.
///
/// # Safety
/// So many bytes can be read there.
unsafe fn word(bytes: *const u8) -> u64 {
    // SAFETY: the caller's promise; wherever they begin.
    u64::from_be(unsafe { bytes.cast::<u64>().read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_order_of_slices(front: Vec<u8>, one: Vec<u8>, other: Vec<u8>, apart in 0_usize..8) {
            // What they have in common is of any length, and they begin anywhere in a word.
            let of = |end: &[u8]| [&alloc::vec![0; apart], front.as_slice(), end].concat();
            let (one, other) = (of(&one), of(&other));
            let length = one.len().min(other.len());
            let (one, other) = (&one[apart..length], &other[apart..length]);
            // SAFETY: it is as long as the slices.
            let found = unsafe { compare(one.as_ptr(), other.as_ptr(), one.len()) };
            prop_assert_eq!(found, one.cmp(other));
        }
    }
}
