//! Serves a site over HTTP: the SCIM surface, the admin API, the REST of service desks, and what operators need.
//!
//! The mapping is thin: whatever the admin API can do, a program that embeds the library does by calling a method of
//! [`Site`](crate::Site). `GET /openapi.json` describes all of it.

mod admin;
pub(crate) mod admin_request;
pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod context;
mod credentials;
mod desk;
pub(crate) mod events;
pub(crate) mod fault;
mod metrics;
mod ops;
pub(crate) mod origin;
mod problem;
mod refused_keys;
pub(crate) mod reply;
mod room;
pub(crate) mod routes;
mod scim;
mod server;
mod service;
mod settings;
pub(crate) mod sign_in;
#[cfg(feature = "console")]
pub(crate) mod sign_in_links;
pub(crate) mod state;
mod whole;

pub use credentials::AdminKey;
#[cfg(feature = "console")]
pub(crate) use credentials::UNNAMED;
pub use server::Server;
pub use settings::Settings;
#[cfg(feature = "console")]
pub use sign_in_links::SignInLinks;
