//! Usher's wasmtime host: customer provisioning for service desks, to be embedded.
//!
//! Identity providers push users and groups over SCIM 2.0. The component `usher:provisioning` carries that out over an
//! ordered, transactional map of strings that its host provides, and reaches nothing else. This library loads it, calls it
//! in a fresh instance each time, and has storages for it.
//!
//! ```
//! use std::sync::Arc;
//! use usher_host::{Usher, directories, scim, storage::MemoryStorage};
//!
//! # futures_lite::future::block_on(async {
//! let usher = Usher::load()?;
//! // Any `storage::Storage` will do: see its module for how to bring one.
//! let site = usher.site(Arc::new(MemoryStorage::new()));
//! let connected = site.connect_directory("ada", directories::Settings::named("Entra ID")).await??;
//! let response = site
//!     .handle(scim::Request {
//!         method: "GET".into(),
//!         origin: "https://usher.example.com".into(),
//!         path: format!("{}/Users", connected.directory.scim_path),
//!         query: None,
//!         headers: vec![("authorization".into(), format!("Bearer {}", connected.key.api_key))],
//!         body: None,
//!     })
//!     .await?;
//! assert_eq!(response.status, 200);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! A storage of your own is a [`storage::Storage`]. This one passes everything on to another, and can be stopped from being written to:
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
//! use usher_host::{Usher, directories, storage::{Access, Error, MemoryStorage, Storage, Transaction}};
//!
//! struct Freezable { storage: MemoryStorage, frozen: AtomicBool }
//!
//! impl Storage for Freezable {
//!     fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
//!         if access == Access::ReadWrite && self.frozen.load(Ordering::Relaxed) {
//!             return Err(Error::Unavailable("a backup is being made".into()));
//!         }
//!         self.storage.begin(access)
//!     }
//! }
//!
//! # futures_lite::future::block_on(async {
//! let storage = Arc::new(Freezable { storage: MemoryStorage::new(), frozen: AtomicBool::new(true) });
//! let site = Usher::load()?.site(storage.clone());
//! let refused = site.connect_directory("ada", directories::Settings::named("Okta")).await?;
//! assert!(matches!(refused, Err(directories::Error::Unavailable(_))));
//! storage.frozen.store(false, Ordering::Relaxed);
//! site.connect_directory("ada", directories::Settings::named("Okta")).await??;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! | | |
//! |---|---|
//! | [`Usher`], [`Builder`], [`Limits`] | a component loaded, and what one call of it may use |
//! | [`Site`], [`Commits`] | the component over one storage: a method for each function it exports; news of commits |
//! | [`scim`], [`directories`], [`site`], [`changes`], [`upkeep`] | what goes into those methods and comes out, as in `wit/` |
//! | [`storage`] | what a site's data is kept in, and how to bring a storage of your own |
//! | [`http`] | a server for a site, with the admin API; feature `http`. With the feature `console`, it serves the console as well |
//! | `bench` | the storage engine below the embedded storage, bare, to measure against; feature `bench` |
//!
//! The types of the contract are made from `wit/`, and have its docs. They have no examples of their own, as they are only
//! records: those of [`Site`] show them in use.
//!
//! # Floors
//!
//! Each floor may use those below it, and none above; on one floor, no files use each other in a circle. A test reads this
//! table and holds the code to it.
//!
//! | floor | what it is |
//! |---|---|
//! | `main`, `cli` | the program `usher` |
//! | `http::server`, `http::service` | connections, and what becomes of each request |
//! | `console`, `http::admin`, `http::desk`, `http::scim`, `http::ops` | the surfaces: what can be asked for over HTTP |
//! | `http` | what the surfaces share |
//! | `bench` | the bare engine, to measure against |
//! | `runtime` | the component: loaded, called, and the methods that its exports are here |
//! | `storage::embedded`, `storage::postgres`, `storage::memory`, `storage::contract` | the storages, and what each has to do |
//! | `storage::group` | group commit, over an engine on disk or a database |
//! | `storage` | what a storage is |
//!
//! # What a call costs
//!
//! A call costs some ten microseconds more than the work it does: instances come from a pool, their memory is a
//! copy-on-write image, and the code was compiled ahead of time and is kept on disk. Nothing that a call leaves in
//! memory can be seen by another. A call that traps, runs past its deadline or takes too much memory is a [`Failure`];
//! the storage then holds all of what it wrote or nothing.

#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "console")]
mod console;
#[cfg(feature = "http")]
pub mod http;
mod runtime;
pub mod storage;

pub use runtime::{
    Builder, Commits, EMBEDDED, Failure, Limits, LoadError, Site, Usage, Usher, changes, directories, scim, site,
    upkeep,
};
