//! Usher's engine: customer provisioning over SCIM 2.0.
//!
//! A pure library. It is given a [`storage`](storage::Storage) and an [`Environment`] and reaches nothing else; the
//! WebAssembly component binds it to the imports and exports of `wit/`, and a native host can embed it as it is.
//!
//! | module | what it holds |
//! |---|---|
//! | `engine` | the engine: transactions with retries, time, ids |
//! | `scim` | the SCIM surface: routing, users, groups, members, lists, bulk, discovery |
//! | `directories`, `api_key` | connecting identity providers, their settings and keys; conflicts, unlinked users, repairs |
//! | `site` | the service-desk site: customers, organizations, projects, access |
//! | `changes`, `upkeep` | the change feed; sweeping what was deleted |
//! | `upgrade`, `twins` | bringing a storage of an older layout to this one; two that came to have one name by it |
//! | `watch` | what a directory remembers of its requests |
//! | `schema`, `path` | the one schema definition, and the names of attributes |
//! | `resource`, `patch`, `filter` | what clients send and ask for, typed by the schema |
//! | `store` | keys, records and transactions |
//! | `storage` | the storage contract |
//! | `http`, `json`, `error` | messages, values, refusals |
//! | `text`, `names`, `address` | text as it is compared, what can be a name, what is an email address |
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

pub use engine::{Engine, Environment};
pub use scim::http::{Request, Response};
pub use store::Error as StoreError;
