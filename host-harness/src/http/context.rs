//! A request, and where it comes from.

use super::body::IncomingBody;
use super::connections::AnswerGuard;
use hyper::http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;

/// A request to one of the surfaces.
pub(crate) struct RequestContext<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) body: IncomingBody,
    /// The name of the request.
    pub(crate) id: &'a str,
    /// Where the connection comes from.
    pub(crate) peer: IpAddr,
    pub(crate) answering: Arc<AnswerGuard>,
}
