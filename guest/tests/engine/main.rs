//! What must hold of the engine, whatever is sent to it and whatever its storage does.
//!
//! | module | what must hold |
//! |---|---|
//! | `model`, `on_site` | any sequence of requests, and of work on the site, comes to what a small model of the product says |
//! | `customers`, `organizations`, `resolving` | the tables of the product, by their rows |
//! | `faults` | a storage that fails leaves everything done or nothing |
//! | `bytes` | anything at all is answered with well-formed SCIM |
//! | `costs` | what a request costs does not depend on the size of the directory |
//! | `discovery`, `lists`, `cursors`, `resources`, `memberships`, `bulk`, `versions`, `http` | the RFCs, by their sections |
//! | `group_memberships` | memberships as resources of their own come to the same as members of groups |
//! | `selection` | a value filter chooses the same in a PATCH path as in a query |
//! | `leavers`, `probation`, `removal` | who leaves, is restored, or goes with a directory keeps no access |
//! | `domains`, `rules` | directories that are bound to email domains; projects by rule |
//! | `history` | what put a customer or an organization into its state |
//! | `find` | everything is found by what it has, once, and counted; everyone is named who may use a project |
//! | `directories`, `feed`, `sweeping` | keys and settings, the change feed, upkeep |
//! | `setup_links` | a set-up link issues one key, to whoever has it, and tells nobody else anything |
//! | `upgrade` | a storage of an older layout is brought to this one, and nothing in it is lost |
//! | `status`, `log` | status, deletion guard, key notices; the request log, captured bodies, what is held |
//!
//! `storage` is the storage that they use, `site` sends requests and checks every answer for its form, and `integrity`
//! compares everything in a storage with everything else.

mod applying;
mod bin;
mod bulk;
mod bytes;
mod costs;
mod cursors;
mod customers;
mod directories;
mod discovery;
mod domains;
mod faults;
mod feed;
mod find;
mod group_memberships;
mod history;
mod http;
mod integrity;
mod leavers;
mod lists;
mod log;
mod memberships;
mod model;
mod on_site;
mod organizations;
mod probation;
mod rehearsing;
mod removal;
mod resolving;
mod resources;
mod rules;
mod selection;
mod setup_links;
mod site;
mod staging;
mod status;
mod storage;
mod sweeping;
mod upgrade;
mod versions;
