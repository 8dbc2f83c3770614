//! What a directory's users and groups mean for the site.
//!
//! | module | what it holds |
//! |---|---|
//! | `users`, `groups` | creation, changes and deletion, with the rules of the product |
//! | `members`, `memberships`, `leaving` | changing who is a member of a group; reading that; users and groups that are deleted |
//! | `links`, `unlinked` | links of customers and organizations that an administrator undoes and makes again; users that are linked to no customer |
//! | `conflicts`, `refused`, `check` | groups left apart from a local organization of their name, and groups refused for it; comparing a group with its organization |
//! | `group_list` | the groups of a directory, to be looked for |
//! | `domains`, `rules` | the email domains that a directory is bound to; projects by rule |
//! | `guard`, `erasure` | the limit of deletions; erasing a customer on demand |
//! | `profile`, `index` | what attributes mean for the site; the indexes of users and groups |
//! | `scope`, `notes` | one request's work inside a directory, and what its log is to say |
//! | `kind`, `refusal` | the resource types; refusals of the site and the store, as SCIM says them |
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! use usher_engine::directories::ConflictPolicy;
//! use usher_engine::provisioning::conflicts::Resolution;
//! use usher_engine::provisioning::unlinked::UnlinkedReason;
//!
//! let settings = usher_engine::directories::Settings { conflict_policy: ConflictPolicy::Skip, ..host::settings("Okta") };
//! let connected = engine.connect("ada", &settings)?;
//! let (key, path, id) = (&connected.key.api_key, &connected.directory.scim_path, &connected.directory.id);
//!
//! // A user without an email address is linked to no customer.
//! host::send(&engine, key, "POST", &format!("{path}/Users"), Some(r#"{"userName":"grace"}"#));
//! assert_eq!(engine.unlinked(id, None, 10)?.values[0].reason, UnlinkedReason::NoEmail);
//!
//! // A group is left apart from the local organization of its name, until an administrator decides.
//! engine.create_organization("ada", "Navy")?;
//! host::send(&engine, key, "POST", &format!("{path}/Groups"), Some(r#"{"displayName":"Navy"}"#));
//! let conflict = &engine.conflicts(id, None, 10)?.values[0];
//! let usher_engine::provisioning::conflicts::ConflictSubject::Group(group) = &conflict.subject else { panic!() };
//! assert_eq!(engine.preview_conflict(id, group)?.added.count, 0);
//! engine.resolve_conflict("ada", id, group, &Resolution::Adopt)?;
//! assert!(engine.check_group(id, group)?.differences.is_empty());
//! assert!(engine.repair_group("ada", id, group)?.left.is_empty());
//!
//! // A customer is unlinked from its user, and linked to it again.
//! host::send(&engine, key, "POST", &format!("{path}/Users"), Some(r#"{"userName":"ann@example.com"}"#));
//! let ann = &engine.customers(&usher_engine::site::Position::Offset(0), 10)?.values[0].id;
//! assert_eq!(engine.unlink_customer("ada", ann)?.managed_by, None);
//! assert_eq!(engine.relink_customer("ada", ann, None)?.managed_by.as_ref(), Some(id));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod applying;
pub mod check;
pub mod conflicts;
pub(crate) mod domains;
mod erasure;
pub mod group_list;
pub(crate) mod groups;
mod guard;
mod index;
mod kind;
pub(crate) mod leaving;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod notes;
pub mod plan_access;
pub mod planned_members;
pub mod plans;
pub(crate) mod profile;
mod refusal;
pub(crate) mod refused;
pub mod rules;
pub(crate) mod scope;
mod staging;
pub mod unlinked;
pub(crate) mod users;

/// How many customers of a kind a preview or a check names; it counts all of them.
const MAX_NAMED: usize = 100;
