//! A request, and where it comes from.

use super::body::IncomingBody;
use super::connections::AnswerGuard;
use hyper::http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;

/// A request to one of the surfaces.
pub(super) struct RequestContext<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: IncomingBody,
    /// The name of the request.
    pub(super) id: &'a str,
    /// Where the connection comes from.
    pub(super) peer: IpAddr,
    pub(super) answering: Arc<AnswerGuard>,
}
