//! The admin API under `/admin/v1`: JSON in, a call of [`Site`](crate::Site), JSON out.

mod changes;
mod directories;
mod keys;
mod request;

use super::reply::{Fault, Reply};
use super::service::Service;
use hyper::body::Incoming;
use hyper::{Method, Request};
use request::Call;

/// What every path of this surface starts with.
pub(super) const PREFIX: &str = "/admin/";

/// What the surface consists of.
pub(super) const ENDPOINTS: [(&str, &[(Method, Endpoint)]); 5] = [
    ("/admin/v1/directories", &[(Method::GET, Endpoint::ListDirectories), (Method::POST, Endpoint::ConnectDirectory)]),
    (
        "/admin/v1/directories/{id}",
        &[
            (Method::GET, Endpoint::GetDirectory),
            (Method::PATCH, Endpoint::UpdateDirectory),
            (Method::DELETE, Endpoint::DisconnectDirectory),
        ],
    ),
    ("/admin/v1/directories/{id}/keys", &[(Method::GET, Endpoint::ListKeys), (Method::POST, Endpoint::RotateKey)]),
    ("/admin/v1/directories/{id}/keys/{keyId}", &[(Method::DELETE, Endpoint::RevokeKey)]),
    ("/admin/v1/changes", &[(Method::GET, Endpoint::ReadChanges)]),
];

/// One thing that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    ListDirectories,
    ConnectDirectory,
    GetDirectory,
    UpdateDirectory,
    DisconnectDirectory,
    ListKeys,
    RotateKey,
    RevokeKey,
    ReadChanges,
}

/// Finds the endpoint of a request.
pub(super) struct Routes(matchit::Router<&'static [(Method, Endpoint)]>);

impl Routes {
    pub(super) fn new() -> Self {
        let mut router = matchit::Router::new();
        for (path, methods) in ENDPOINTS {
            router.insert(path, methods).expect("the paths do not conflict");
        }
        Self(router)
    }

    pub(super) async fn handle(&self, service: &Service, request: Request<Incoming>, id: &str) -> Reply {
        match self.answer(service, request, id).await {
            Ok(reply) => reply,
            Err(fault) => fault.into_problem(),
        }
    }

    async fn answer(&self, service: &Service, request: Request<Incoming>, id: &str) -> Result<Reply, Fault> {
        let (head, body) = request.into_parts();
        let found = self.0.at(head.uri.path()).map_err(|_| Fault::not_found())?;
        let wanted = match head.method {
            Method::HEAD => Method::GET,
            ref method => method.clone(),
        };
        let endpoint = found.value.iter().find(|(method, _)| *method == wanted);
        let &(_, endpoint) = endpoint.ok_or_else(|| Fault::wrong_method(allow(found.value)))?;
        let actor = service.settings.admin_key.admit(&head.headers);
        let call = Call {
            service,
            actor: actor.ok_or_else(Fault::unauthorized)?,
            parameters: request::parameters(&found.params)?,
            head: &head,
            body,
        };
        tracing::debug!(request = id, actor = call.actor, ?endpoint, "administration");
        match endpoint {
            Endpoint::ListDirectories => directories::list(call).await,
            Endpoint::ConnectDirectory => directories::connect(call).await,
            Endpoint::GetDirectory => directories::get(call).await,
            Endpoint::UpdateDirectory => directories::update(call).await,
            Endpoint::DisconnectDirectory => directories::disconnect(call).await,
            Endpoint::ListKeys => keys::list(call).await,
            Endpoint::RotateKey => keys::rotate(call).await,
            Endpoint::RevokeKey => keys::revoke(call).await,
            Endpoint::ReadChanges => changes::read(call).await,
        }
    }
}

fn allow(methods: &[(Method, Endpoint)]) -> String {
    let names = methods.iter().flat_map(|(method, _)| {
        let head = (method == Method::GET).then_some("HEAD");
        std::iter::once(method.as_str()).chain(head)
    });
    names.collect::<Vec<_>>().join(", ")
}
