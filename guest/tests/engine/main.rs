//! What must hold of the engine, whatever is sent to it and whatever its storage does.
//!
//! | module | what must hold |
//! |---|---|
//! | `model` | any sequence of requests comes to what a small model of the product says |
//! | `faults` | a storage that fails leaves everything done or nothing |
//! | `bytes` | anything at all is answered with well-formed SCIM |
//! | `costs` | what a request costs does not depend on the size of the directory |
//! | `discovery`, `lists`, `cursors`, `resources`, `memberships`, `bulk`, `versions`, `http` | the RFCs, by their sections |
//! | `directories`, `feed`, `sweeping` | keys and settings, the change feed, upkeep |
//!
//! `storage` is the storage that they use, `site` sends requests and checks every answer for its form, and `integrity`
//! compares everything in a storage with everything else.

mod bytes;
mod costs;
mod faults;
mod integrity;
mod model;
mod site;
mod storage;
