//! Usher's engine: customer provisioning over SCIM 2.0.
//!
//! A pure library. Its host provides a [`storage`](storage::Storage) and an [`Environment`], and it reaches nothing
//! else; the WebAssembly component binds it to the imports and exports of `wit/`, and a native host can embed it as it
//! is.
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! use usher_engine::{Engine, site::Position};
//!
//! // What a host provides: see `examples/host/`, which also has the two functions used here.
//! let (storage, environment) = (host::Memory::default(), host::System);
//! let engine = Engine::new(&storage, &environment);
//! let connected = engine.connect("ada", &host::settings("Entra ID"))?;
//! let (key, path) = (&connected.key.api_key, format!("{}/Users", connected.directory.scim_path));
//! let user = r#"{"userName":"grace@example.com"}"#;
//! let (status, _) = host::send(&engine, key, "POST", &path, Some(user));
//! assert_eq!(status, 201);
//! // The user is a customer of the site from now on.
//! let customers = engine.customers(&Position::Offset(0), 10)?;
//! assert_eq!(customers.values[0].email, "grace@example.com");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Floors
//!
//! Each floor may use those below it, and none above; on one floor, no files use each other in a circle. A test reads
//! this table and checks the code against it.
//!
//! | floor | what it is |
//! |---|---|
//! | `component` | binds `wit/` to the engine, and has no behaviour of its own |
//! | `scim`, `upkeep` | the protocol, from an HTTP request to its response; housekeeping in bounded steps |
//! | `provisioning` | what the users and groups of a directory mean for the site: users, groups, members, links, conflicts, checks |
//! | `directories` | connecting identity providers: settings, API keys, notices, the request log, status |
//! | `site` | customers, organizations, projects, access; it knows neither SCIM nor JSON |
//! | `work`, `changes`, `twins` | a change on somebody's behalf; the feed that tells of it; two things that came to have one name |
//! | `engine` | transactions with retries, the time, new ids |
//! | `language` | what SCIM clients say: schemas, paths, resources, filters, patches, refusals; it reads no storage |
//! | `store` | what is kept: keys, records, edges, pages, transactions; with errors of its own |
//! | `json`, `names`, `address` | values; what can be a name; what is an email address |
//! | `text`, `invalid`, `storage` | how texts compare; values that are wrong; the storage contract |
//!
//! # The way of one request
//!
//! A user's `PATCH`, as a host hands it over:
//!
//! 1. `scim` takes the path apart, checks whether the key opens the directory, and reads the body into operations:
//!    `language` says what the client means, and refuses what it cannot mean. No write transaction is open yet.
//! 2. `engine` begins a read-write transaction and runs the work in it. Should another transaction get in the way, the
//!    work begins again on the newer state, eight times in all.
//! 3. `provisioning` loads the user, carries out the operations, and decides what follows for its customer and its
//!    organizations. `site` knows nothing of SCIM: it gets a plain profile of the person.
//! 4. `store` gathers the writes: records, index entries, memberships, an entry of the request log, and one of the
//!    change feed for every change. The transaction sees its own writes; on commit it hands all of them to the storage
//!    at once.
//! 5. If the site or the store refuses, `provisioning::refusal`, and nothing else, turns that into a status and a
//!    sentence. What happened inside goes into [`Response::failure`], for the host's log.
//!
//! # Invariants
//!
//! - Everything is in the storage: the engine keeps nothing between two calls.
//! - One request is one transaction. What takes longer is queued in it, is out of sight at once, and is done by upkeep.
//! - The change feed has every change once: its entries are written in the transaction of the change itself, without
//!   gaps.
//! - A membership is stored once, under two keys. The members of a managed organization *are* those of its group.
//! - An operation costs the same at the limits as in a small directory, unless it has to read or return more.
//! - What is deleted is out of sight at once: it is not found, gives no access, and holds no name and no address.
//! - Names and addresses compare in one way, in filters and in the keys of the indexes.
//! - What a client reads has no key, path or error of the storage in it.
//! - A secret is stored only as a hash, and appears in no log and no feed.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | directory | a connected identity provider: its users and groups, keys and settings |
//! | local, managed, leaving | edited on the site; by a directory only; removed along with its directory, and out of sight already |
//! | link | the tie of a customer to a user, of an organization to a group |
//! | holder | what makes customers members of an organization: its group, what held its members before, or the organization itself |
//! | adopt, grace | an organization becomes that of the group with its name; its former members stay for a time, the grace |
//! | settle | the grace is over, or the group's list is complete: the members are the group's alone |
//! | probation | a restored customer is a member of a managed organization for a time, without being in its group |
//! | conflict | a group left apart from the local organization of its name, or refused for it; or two things that came to have one name, the twins |
//! | left apart | an administrator has decided that a group has no organization, or has unlinked it; that can be taken up again |
//! | hold, release | deletions past the limit are held until an administrator releases them |
//! | sweep | to remove, step by step, what is out of sight already |
//! | savepoint, staged | a place in a transaction to go back to; written in the transaction, but not yet handed to the storage |
//!
//! # Examples
//!
//! Every function is a method of [`Engine`]. The example above makes an engine and calls some; those of the modules
//! [`directories`], [`site`], [`provisioning`], [`changes`] and [`upkeep`] call the rest of each interface in the order
//! in which an administrator would. A method or type without an example of its own is used in that of its module.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod address;
pub mod changes;
pub mod directories;
mod engine;
mod invalid;
mod json;
mod language;
mod names;
pub mod provisioning;
mod scim;
pub mod site;
pub mod storage;
mod store;
mod text;
mod twins;
pub mod upkeep;
mod work;

#[cfg(target_family = "wasm")]
mod component;

// What of it can be tested without WebAssembly.
#[cfg(all(test, not(target_family = "wasm")))]
#[path = "component/compare.rs"]
mod compare;

pub use engine::{Engine, Environment};
pub use language::error::RefusedKey;
pub use scim::http::{Request, Response};
pub use store::Error as StoreError;
