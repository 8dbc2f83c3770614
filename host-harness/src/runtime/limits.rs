//! What one call may use.

use std::time::Duration;

/// What one call may use. The component is the house's own, but what it works on comes from outside: a bug that an
/// attacker finds in it costs one call, never the host. The example at [`Builder`](crate::Builder) sets one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How long a call may take, counted from where it comes in, with all the time that it waits for its turn. The longest
    /// legitimate request, replacing 150,000 members of a group, takes about a second; 10 seconds unless set. Kept to
    /// within about 10 milliseconds.
    pub deadline: Duration,
    /// How much memory an instance may use, in bytes, rounded up to 64 KiB. A request with a body of 16 MiB that is
    /// parsed, compared and written needs a few times its size; 256 MiB unless set, and at most 4 GiB.
    pub memory: usize,
    /// How deep the component's calls may nest, in bytes of stack; 128 KiB unless set. The engine itself bounds the
    /// nesting of what it parses.
    pub stack: usize,
    /// How many bytes of keys and values a call may make the host hold at any one time: what it has written and not
    /// committed, and what one read yields. 256 MiB unless set.
    pub held: usize,
    /// How many transactions a call may have open at any one time. The engine uses one; 4 unless set.
    pub transactions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            memory: 256 << 20,
            stack: 128 << 10,
            held: 256 << 20,
            transactions: 4,
        }
    }
}
