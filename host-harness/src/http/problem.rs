//! Errors as the admin API and what operators ask send them: problem details (RFC 9457).

use super::fault::{Fault, Rule};
use super::reply::{Reply, json};
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
}

/// An error as it is sent.
pub(super) fn reply(fault: Fault) -> Reply {
    let (kind, title) = match fault.rule {
        Some(Rule::Unique) => ("urn:usher:problem:taken", "A value that must be unique is taken"),
        Some(Rule::Managed) => ("urn:usher:problem:managed", "It is managed by a directory"),
        None => ("about:blank", fault.status.canonical_reason().unwrap_or("Error")),
    };
    let body = Body { r#type: kind, title, status: fault.status.as_u16(), detail: &fault.detail };
    let reply = json(fault.status, "application/problem+json", &body);
    fault.finish(reply)
}
