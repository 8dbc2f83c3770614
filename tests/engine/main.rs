//! The engine's own tests of everything that a site comes to, over the storages of the host library.
//!
//! The tests are those of `guest/tests/engine`, where they run over a storage that fails on demand. Here they run over what
//! [`usher_tests::server::storage`] makes: in memory, or a PostgreSQL database where `USHER_TEST_STORAGE` says so.

#[path = "../../guest/tests/engine/find.rs"]
mod find;
#[path = "../../guest/tests/engine/integrity.rs"]
mod integrity;
#[path = "../../guest/tests/engine/model.rs"]
mod model;
#[path = "../../guest/tests/engine/on_site.rs"]
mod on_site;
#[path = "../../guest/tests/engine/site.rs"]
#[allow(dead_code, reason = "more modules use it where it comes from")]
mod site;
#[path = "../../guest/tests/engine/staging.rs"]
#[allow(dead_code, reason = "more modules use it where it comes from")]
mod staging;
mod storage;
#[path = "../../guest/tests/engine/upgrade.rs"]
mod upgrade;
