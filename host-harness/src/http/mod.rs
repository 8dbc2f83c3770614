//! Serves a site over HTTP: the SCIM surface, the admin API, and what operators need.
//!
//! The mapping is thin: whatever the admin API can do, a program that embeds the library does by calling a method of
//! [`Site`](crate::Site). `GET /openapi.json` describes all of it.

mod admin;
mod body;
mod connections;
mod credentials;
mod metrics;
mod ops;
mod origin;
mod reply;
mod scim;
mod server;
mod service;
mod settings;

pub use credentials::AdminKey;
pub use server::Server;
pub use settings::Settings;
