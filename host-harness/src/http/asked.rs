//! A request, and where it comes from.

use super::body::Arriving;
use super::connections::Answering;
use hyper::http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;

/// A request to one of the surfaces.
pub(super) struct Asked<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: Arriving,
    /// The name of the request.
    pub(super) id: &'a str,
    /// Where the connection comes from.
    pub(super) peer: IpAddr,
    pub(super) answering: Arc<Answering>,
}
