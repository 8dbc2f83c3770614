//! What SCIM clients say: schemas, attribute paths, resources, filters, patches, refusals, and
//! what of it may be kept in a log. Reads no storage.

pub mod error;
pub mod filter;
pub mod patch;
pub mod path;
pub mod redacted;
pub mod resource;
pub mod schema;
pub mod secrets;
