//! Resources on their way in and out: what a client sent becomes what is stored, and what is stored is cut to what a
//! client asked for. Everything is typed by the schema.
//!
//! A stored resource is an [`Object`](crate::json::Object) under the schema's own names. It holds what the client may
//! write, without `schemas` (it follows from the rest), `id`, `meta`, `groups` and `members`, which are kept elsewhere.

mod limits;
mod member_ids;
mod project;
mod read;
mod value;

pub use limits::check;
pub use member_ids::{listed_ids, member_ids};
pub use project::Projection;
pub use read::{Representation, read};
pub use value::{check_count, check_primary, elements, is_primary, object_for, typed};
