//! What is kept in the storage: keys, records, edges, pages, and transactions over them.

pub mod blocks;
pub mod counts;
pub mod edges;
mod error;
pub mod feed;
pub mod histories;
pub mod keys;
mod open_blocks;
pub mod pages;
pub mod plan;
mod planned;
pub mod records;
pub mod sizes;
mod transaction;

pub use error::{Error, Result};
pub use transaction::{Savepoint, Transaction, prefix_range};
