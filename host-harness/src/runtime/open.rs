//! Transactions that the component has open.

use crate::storage::Transaction;

/// A transaction that the component has open. Public within this private module, as the generated bindings name it.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Open {
    pub(super) transaction: Box<dyn Transaction>,
    /// Bytes of keys and values written so far.
    pub(super) written: usize,
}
