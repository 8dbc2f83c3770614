//! The service-desk site: customers, organizations, projects, and who may use what (`wit/site.wit`).
//!
//! | module | what it holds |
//! |---|---|
//! | `customers` | customers, local and managed |
//! | `organizations` | organizations, local and linked to groups |
//! | `membership` | who is a member of which organization |
//! | `history` | what put a customer or an organization into its state |
//! | `adoptions` | organizations that were adopted: who came and who went |
//! | `parting` | organizations that are unlinked from their groups |
//! | `arrivals` | who comes into an organization with a group that had members before |
//! | `probation` | restored customers in managed organizations |
//! | `holders`, `kept`, `numbers`, `standing` | what holds members; what is deleted, as it is kept; ids; local, managed or leaving |
//! | `projects` | projects and what is associated with them |
//! | `access`, `admitted` | whether a customer may use a project, and why; everyone who may |
//! | `find`, `totals` | finding customers and organizations; how much there is |
//! | `index`, `query`, `walk` | the indexes for that; what is looked for in them; pages of what is found there |
//! | `settings` | the settings of the site |
//! | `sign_ins` | sign-ins of administrators that the host refused |
//! | `bin` | deleted customers and organizations, which can be restored |
//! | `same_names` | customers, organizations and directories that came to have the name of another |
//! | `locales` | which locales the site has, and what others become |
//! | `time_zones` | which time zones there are |
//!
//! ```
//! # mod host { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/host/provided.rs")); }
//! # use usher_engine::Engine;
//! # let (storage, environment) = (host::Memory::default(), host::System);
//! # let engine = Engine::new(&storage, &environment);
//! use usher_engine::site::access::Reason;
//! use usher_engine::site::customers::{CustomerUpdate, NewCustomer};
//! use usher_engine::site::find::{CustomerFilter, CustomerState, OrganizationFilter};
//! use usher_engine::site::projects::Audience;
//! use usher_engine::site::settings::SettingsUpdate;
//! use usher_engine::site::{Error, Position};
//!
//! let update = SettingsUpdate { retention_days: Some(30), ..SettingsUpdate::default() };
//! assert_eq!(engine.update_site_settings("ada", &update)?, engine.site_settings()?);
//!
//! let new = NewCustomer { email: "grace@example.com".into(), display_name: "Grace".into(), time_zone: None, locale: None };
//! let grace = engine.create_customer("ada", &new)?;
//! let update = CustomerUpdate { time_zone: Some("America/New_York".into()), ..CustomerUpdate::default() };
//! assert_eq!(engine.update_customer("ada", &grace.id, &update)?, engine.customer(&grace.id)?);
//!
//! let navy = engine.create_organization("ada", "Navy")?;
//! engine.add_members("ada", navy.id, &[grace.id.clone()])?;
//! assert_eq!(engine.organizations_of(&grace.id)?[0].name, engine.organization(navy.id)?.name);
//! assert_eq!(engine.organization_members(navy.id, &Position::Offset(0), 10)?.values.len(), 1);
//! assert_eq!(engine.organization_member(navy.id, &grace.id)?.id, grace.id);
//!
//! let help = engine.create_project("ada", "HELP", "Help desk", Audience::Restricted)?;
//! engine.associate_organization("ada", help.id, navy.id, true)?;
//! let access = engine.access(&grace.id, help.id)?;
//! assert_eq!(access.reasons, [Reason::Organization((navy.id, "Navy".into()))]);
//! assert_eq!(engine.projects_of(&grace.id)?[0].project.id, engine.project_by_key("HELP")?.id);
//! assert_eq!(engine.project_organizations(help.id, Some(&grace.id), &Position::Offset(0), 10)?.values.len(), 1);
//! engine.remove_members("ada", navy.id, &[grace.id.clone()])?;
//!
//! // The project is hers all the same, once it has her as a customer of its own.
//! engine.associate_customers("ada", help.id, &[grace.id.clone()], true)?;
//! assert_eq!(engine.project_customers(help.id, &Position::Offset(0), 10)?.values.len(), 1);
//! assert_eq!(engine.find_project_customers(help.id, "gra", None, 10)?.values.len(), 1);
//! engine.update_project("ada", help.id, Some("Help"), Some(Audience::Open))?;
//! assert_eq!(engine.projects(&Position::Offset(0), 10)?.values[0], engine.project(help.id)?);
//!
//! // What somebody types finds her by the beginning of her name or address, and the navy by its name.
//! let filter = CustomerFilter { query: Some("gra".into()), state: Some(CustomerState::Local), ..Default::default() };
//! assert_eq!(engine.find_customers(&filter, None, 10)?.values[0].id, grace.id);
//! let filter = OrganizationFilter { query: Some("na".into()), ..Default::default() };
//! assert_eq!(engine.find_organizations(&filter, None, 10)?.values[0].id, navy.id);
//! assert_eq!(engine.customers_of(help.id, None, 10)?.values[0].reasons, [Reason::Open, Reason::Direct]);
//! assert_eq!(engine.totals()?.customers.local, 1);
//!
//! // What is deleted can be restored for a time.
//! engine.delete_customer("ada", &grace.id)?;
//! assert_eq!(engine.deleted_customers(&Position::Offset(0), 10)?.values[0].customer.email, grace.email);
//! engine.restore_customer("ada", &grace.id)?;
//! engine.erase_customer("ada", &grace.id)?;
//! assert!(matches!(engine.customer(&grace.id), Err(Error::NotFound(_))));
//! engine.rename_organization("ada", navy.id, "Marine")?;
//! engine.delete_organization("ada", navy.id)?;
//! assert_eq!(engine.deleted_organizations(&Position::Offset(0), 10)?.values.len(), 1);
//! engine.restore_organization("ada", navy.id)?;
//! engine.delete_project("ada", help.id)?;
//! assert!(engine.same_names(&Position::Offset(0), 10)?.values.is_empty());
//! engine.note_refused_keys(3, 0, 1_000)?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod access;
pub mod admitted;
pub(crate) mod adoptions;
pub(crate) mod arrivals;
pub mod bin;
pub mod customers;
mod error;
pub mod find;
pub mod history;
pub(crate) mod holders;
pub(crate) mod index;
mod kept;
mod locales;
pub(crate) mod membership;
pub(crate) mod numbers;
pub mod organizations;
pub(crate) mod parting;
pub(crate) mod probation;
pub mod projects;
mod query;
pub mod same_names;
pub mod settings;
mod sign_ins;
pub(crate) mod standing;
mod time_zones;
pub mod totals;
mod walk;

pub use self::error::{Error, Result};
pub use crate::store::pages::{Page, Position};
