//! What Usher's end-to-end tests share.
//!
//! | module | what it holds |
//! |---|---|
//! | `server` | a SCIM server under test, however it is reached, and the ways to reach Usher |
//! | `http` | Usher served over HTTP, as its administrators reach it |
//! | `asked` | a site with a directory, asked by its administrators and pushed to by its identity provider |
//! | `scenario` | recorded traffic of identity providers: the files in `idp-traffic/scenarios`, read and replayed |
//! | `plain` | a plain wasmtime, which knows nothing of Usher but a later version of its contract |
//! | `golden` | comparing with files that one environment variable rewrites |

pub mod asked;
pub mod golden;
pub mod http;
pub mod plain;
pub mod scenario;
pub mod server;
