//! What SCIM clients say: schemas, attribute paths, resources, filters, patches, and refusals. Reads no storage.

pub mod error;
pub mod filter;
pub mod patch;
pub mod path;
pub mod resource;
pub mod schema;
