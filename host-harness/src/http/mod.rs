//! Serves a site over HTTP: the SCIM surface, the admin API, the REST of service desks, and what operators need.
//!
//! The mapping is thin: whatever the admin API can do, a program that embeds the library does by calling a method of
//! [`Site`](crate::Site). `GET /openapi.json` describes all of it.

mod admin;
mod admin_request;
mod body;
mod connections;
mod context;
mod credentials;
mod desk;
mod events;
mod fault;
mod metrics;
mod ops;
mod origin;
mod problem;
mod refused_keys;
mod reply;
mod room;
mod routes;
mod scim;
mod server;
mod service;
mod settings;
mod sign_in;
mod state;
mod whole;

pub use credentials::AdminKey;
pub use server::Server;
pub use settings::Settings;
