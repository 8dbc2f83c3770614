//! SCIM 2.0, as HTTP messages.

use super::Site;
use crate::runtime::long_calls::segments;
use crate::runtime::party::{Caller, Party};
use crate::runtime::{Failure, scim};
use crate::storage::Access;
use std::sync::Arc;

impl Site {
    /// Whether a SCIM request has a key that opens a directory: the id of the directory, or the response to send in place
    /// of that of [`handle`](Site::handle). The body is not looked at, so that it can be asked before there is one.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn authorize(&self, request: scim::Request) -> Result<Result<String, scim::Response>, Failure> {
        let call = self.call(Access::ReadOnly, Caller::Of(Party::Asking), move |component, store| {
            let scim = component.scim(store)?;
            scim.call_authorize(store, &request)
        });
        call.await
    }

    /// Answers a SCIM request.
    ///
    /// # Errors
    /// See [`Failure`]; whatever else fails is a response.
    pub async fn handle(&self, request: scim::Request) -> Result<scim::Response, Failure> {
        let request = Arc::new(request);
        let call = self.call(access(&request), Caller::Scim(request.clone()), move |component, store| {
            let scim = component.scim(store)?;
            scim.call_handle(store, &request)
        });
        call.await
    }

    /// As [`handle`](Site::handle), on the calling thread: for programs that have threads of their own to spend, and for
    /// measuring what a call costs without any handing over. As many can be made at a time as there are processors.
    ///
    /// # Errors
    /// See [`Failure`]; whatever else fails is a response.
    pub fn handle_blocking(&self, request: &scim::Request) -> Result<scim::Response, Failure> {
        self.usher.call_blocking(&self.storage, &self.announcer, access(request), |component, store| {
            component.scim(store)?.call_handle(store, request)
        })
    }
}

/// Whether a request may write, by the looks of it. Only how it is scheduled at first depends on it.
fn access(request: &scim::Request) -> Access {
    match request.method.as_str() {
        "GET" | "HEAD" => Access::ReadOnly,
        "POST" if segments(&request.path).next_back().is_some_and(|segment| segment == ".search") => Access::ReadOnly,
        _ => Access::ReadWrite,
    }
}
