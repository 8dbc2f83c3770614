//! Values that are wrong whatever is stored.

use alloc::string::String;

/// What is wrong with a value that was given: a sentence for whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);
