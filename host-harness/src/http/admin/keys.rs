//! `/admin/v1/directories/{id}/keys`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{Page, issued, ok, whole};
use crate::runtime::directories;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How long the keys that worked until now go on working, unless the administrator says.
pub(super) const OVERLAP_SECONDS: u32 = 24 * 60 * 60;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rotation {
    overlap_seconds: Option<serde_json::Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key {
    id: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IssuedKey {
    #[serde(flatten)]
    key: Key,
    api_key: String,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let keys = request.state.site.keys(request.parameter(0)).await??;
    let values = keys.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    let next: Option<String> = None;
    Ok(ok(&Page { values, next }))
}

pub(super) async fn rotate(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor) = (&request.state.site, request.actor.clone());
    let id = request.parameter(0).to_owned();
    let rotation: Rotation = request.json_or_nothing().await?.unwrap_or_default();
    let overlap =
        rotation.overlap_seconds.as_ref().map_or(Ok(OVERLAP_SECONDS), |number| whole("overlapSeconds", number))?;
    let key = site.rotate_key(&actor, &id, overlap).await??;
    Ok(issued(&IssuedKey { key: shown(key.key)?, api_key: key.api_key }))
}

pub(super) async fn revoke(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (id, key) = (request.parameter(0), request.parameter(1));
    request.state.site.revoke_key(&request.actor, id, key).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) fn shown(key: directories::Key) -> Result<Key, Fault> {
    Ok(Key { created_at: time(key.created_at)?, expires_at: time(key.expires_at)?, id: key.id })
}
