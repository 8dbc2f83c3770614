//! The groups of a directory in the order of their sizes, so that the largest is found at once.

use super::keys;
use super::transaction::Transaction;

/// Keeps the order up to date: a group that had `was` members has `is` from now on. A group without members, or one that
/// is not there, counts as 0.
pub fn resize(transaction: &mut Transaction, directory: &str, group: &str, was: u32, is: u32) {
    if was == is {
        return;
    }
    if was > 0 {
        transaction.delete(keys::size(directory, was, group));
    }
    if is > 0 {
        transaction.put(keys::size(directory, is, group), "");
    }
}
