//! What operators and tools ask: is it alive, is it ready, what does it do, how is it spoken to.

use super::context::RequestContext;
use super::fault::Fault;
use super::reply::{Reply, content};
use super::state::State;
use crate::runtime::upkeep;
use hyper::{Method, StatusCode};
use std::pin::Pin;
use std::time::Duration;

/// What the surface consists of: all of it is asked for with GET.
const ENDPOINTS: [(&str, Handler); 4] = [
    ("/healthz", |_, _| Box::pin(async { Ok(alive()) })),
    ("/readyz", |state, _| Box::pin(ready(state))),
    ("/metrics", |state, context| Box::pin(metrics(state, context))),
    ("/openapi.json", |_, _| Box::pin(async { Ok(description()) })),
];

/// How long `/metrics` waits for the measures of the directories.
const MEASURING: Duration = Duration::from_secs(1);

/// Carries a request out.
type Handler =
    for<'a> fn(&'a State, &'a RequestContext<'a>) -> Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'a>>;

/// The description of the whole HTTP surface.
pub(super) const OPENAPI: &str = include_str!("../../openapi.json");

pub(super) async fn answer(state: &State, context: &RequestContext<'_>) -> Result<Reply, Fault> {
    let path = context.head.uri.path();
    let (_, handler) = ENDPOINTS.iter().find(|(known, _)| *known == path).ok_or_else(Fault::not_found)?;
    if context.head.method != Method::GET && context.head.method != Method::HEAD {
        return Err(Fault::wrong_method("GET, HEAD"));
    }
    handler(state, context).await
}

fn alive() -> Reply {
    content(StatusCode::OK, "text/plain", "alive\n")
}

async fn ready(state: &State) -> Result<Reply, Fault> {
    if let Some(trouble) = state.site.storage().health().trouble {
        // Reads are answered all the same, but whoever asks whether to send requests here sends writes as well.
        let detail = format!("Nothing can be written: {trouble}. It is taken up again by itself.");
        return Err(Fault { detail, ..Fault::unavailable() });
    }
    // A call that reads: it takes the component and the storage to answer it.
    let read = state.site.readiness().await?;
    let readiness = read.map_err(|error| {
        tracing::error!(%error, "not ready");
        Fault::unavailable()
    })?;
    match readiness {
        upkeep::Readiness::Ready => Ok(content(StatusCode::OK, "text/plain", "ready\n")),
        upkeep::Readiness::Upgrading(upgrade) => Err(Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "The storage is being brought to the layout of this version: {} of {} stages are done, {} entries were \
                 looked at. Until it is done it can be read, and nothing else can be written.",
                upgrade.stage, upgrade.stages, upgrade.entries
            ),
        )),
    }
}

async fn metrics(state: &State, context: &RequestContext<'_>) -> Result<Reply, Fault> {
    state.admit(context).await?;
    // A short call. Where there is no room for it, what was measured last is told again.
    let measured = tokio::time::timeout(MEASURING, state.site.directory_measures()).await;
    if let Ok(Ok(Ok(measures))) = measured {
        state.metrics.measured(measures);
    }
    let text = state.metrics.encode(state.site.usher().usage(), state.site.storage().health());
    let text = text.map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        Fault::internal()
    })?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(content(StatusCode::OK, kind, text))
}

fn description() -> Reply {
    content(StatusCode::OK, "application/json", OPENAPI)
}

#[cfg(test)]
mod tests {
    use super::super::routes::{Endpoint, Endpoints};
    use super::super::{admin, desk};
    use super::*;
    use std::collections::BTreeSet;

    fn served(endpoints: &'static Endpoints) -> impl Iterator<Item = String> {
        let each = |&(path, endpoints): &'static (&str, &[Endpoint])| {
            endpoints.iter().map(move |endpoint| format!("{} {path}", endpoint.method))
        };
        endpoints.iter().flat_map(each)
    }

    /// SCIM is left out: its paths are the component's, and compared with it in this crate's `tests/host_openapi.rs`.
    #[test]
    fn the_description_has_each_route_and_no_other() {
        let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let described: BTreeSet<String> = description["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(path, _)| !path.starts_with("/scim/"))
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let operations = ENDPOINTS.iter().map(|(path, _)| format!("GET {path}"));
        let served = served(admin::ENDPOINTS).chain(served(desk::ENDPOINTS)).chain(operations).collect();
        assert_eq!(described, served);
    }
}
