//! What operators and tools ask: is it alive, is it ready, what does it do, how is it spoken to.

use super::reply::{Fault, Reply, content};
use super::service::Service;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

/// The paths, for the test that compares them with the OpenAPI description.
pub(super) const PATHS: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/openapi.json"];

/// The description of the whole HTTP surface.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn handle(service: &Service, request: &Request<Incoming>) -> Reply {
    match answer(service, request).await {
        Ok(reply) => reply,
        Err(fault) => fault.into_problem(),
    }
}

async fn answer(service: &Service, request: &Request<Incoming>) -> Result<Reply, Fault> {
    let path = request.uri().path();
    if !PATHS.contains(&path) {
        return Err(Fault::not_found());
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Fault::wrong_method("GET, HEAD"));
    }
    match path {
        "/healthz" => Ok(content(StatusCode::OK, "text/plain", "alive\n")),
        "/readyz" => {
            // A call that reads: it takes the component and the storage to answer it.
            let read = service.site.changes(0, 1).await?;
            read.map_err(|error| {
                tracing::error!(%error, "not ready");
                Fault::unavailable()
            })?;
            Ok(content(StatusCode::OK, "text/plain", "ready\n"))
        }
        "/metrics" => {
            let admin = service.settings.admin_key.admit(request.headers());
            admin.ok_or_else(Fault::unauthorized)?;
            let text = service.metrics.encode(service.site.usher().usage());
            let text = text.map_err(|error| {
                tracing::error!(%error, "the metrics could not be written");
                Fault::internal()
            })?;
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            Ok(content(StatusCode::OK, kind, text))
        }
        _ => Ok(content(StatusCode::OK, "application/json", OPENAPI)),
    }
}
