//! What a directory's users and groups make of the site.
//!
//! | module | what it holds |
//! |---|---|
//! | `users`, `groups` | creation, changes and deletion, with the rules of the product |
//! | `members`, `memberships`, `leaving` | changing who is a member of a group; reading that; users and groups that go |
//! | `links`, `unlinked` | links of customers that an administrator undoes and makes again; users that are linked to no customer |
//! | `conflicts`, `check` | groups left apart from a local organization of their name; a group against its organization |
//! | `guard` | the limit of deletions |
//! | `profile`, `index` | what attributes say to the site; the indexes of users and groups |
//! | `scope`, `notes` | one request's work inside a directory, and what its log is to say |
//! | `kind`, `refusal` | the resource types; what the site and the store have against a request |

pub mod check;
pub mod conflicts;
pub(crate) mod groups;
mod guard;
mod index;
mod kind;
pub(crate) mod leaving;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod notes;
pub(crate) mod profile;
mod refusal;
pub(crate) mod scope;
pub mod unlinked;
pub(crate) mod users;
