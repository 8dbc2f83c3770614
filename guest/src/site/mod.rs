//! The service-desk site: customers, organizations, projects, and who may use what (`wit/site.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `customers` | customers, local and managed |
//! | `organizations` | organizations, local and linked to groups |
//! | `membership` | who is a member of which organization |
//! | `probation` | restored customers in managed organizations |
//! | `projects` | projects and what is associated with them |
//! | `access` | whether a customer may use a project, and why |
//! | `settings` | the settings of the site |
//! | `sign_ins` | sign-ins of administrators that the host refused |
//! | `bin` | what is deleted and can be restored |
//! | `same_names` | what came to have the name of another |
//! | `locales` | which locales the site has, and what others become |
//! | `time_zones` | which time zones there are |

pub mod access;
pub mod bin;
pub mod customers;
mod error;
pub(crate) mod holders;
mod kept;
mod locales;
pub(crate) mod membership;
pub(crate) mod numbers;
pub mod organizations;
pub(crate) mod probation;
pub mod projects;
pub mod same_names;
pub mod settings;
mod sign_ins;
pub(crate) mod standing;
mod time_zones;

pub use self::error::{Error, Result};
pub use crate::store::pages::{Page, Position};
