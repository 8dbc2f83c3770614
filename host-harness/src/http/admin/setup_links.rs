//! `/admin/v1/directories/{id}/setup-links`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::keys::OVERLAP_SECONDS;
use super::shape::{Page, issued, ok, whole};
use crate::runtime::directories;
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// For how many days a link is good, unless the administrator says.
const DAYS: u32 = 7;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewLink {
    days: Option<serde_json::Number>,
    overlap_seconds: Option<serde_json::Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetupLink {
    id: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    made_by: String,
    overlap_seconds: u32,
    used_at: Option<Timestamp>,
    key_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MadeLink {
    #[serde(flatten)]
    link: SetupLink,
    token: String,
    /// The address of its page; absent where the server has no console.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let links = request.state.site.setup_links(request.parameter(0)).await??;
    let values = links.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    let next: Option<String> = None;
    Ok(ok(&Page { values, next }))
}

pub(super) async fn make(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, origin, actor) = (&request.state.site, request.origin()?, request.actor.clone());
    let id = request.parameter(0).to_owned();
    let new: NewLink = request.json_or_nothing().await?.unwrap_or_default();
    let days = new.days.as_ref().map_or(Ok(DAYS), |number| whole("days", number))?;
    let overlap = new.overlap_seconds.as_ref();
    let overlap = overlap.map_or(Ok(OVERLAP_SECONDS), |number| whole("overlapSeconds", number))?;
    let made = site.make_setup_link(&actor, &id, days, overlap).await??;
    let url = url(&origin, &made.token);
    Ok(issued(&MadeLink { link: shown(made.link)?, token: made.token, url }))
}

pub(super) async fn revoke(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (id, link) = (request.parameter(0), request.parameter(1));
    request.state.site.revoke_setup_link(&request.actor, id, link).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The address of the page of a link; there is none where the server has no console.
fn url(origin: &str, token: &str) -> Option<String> {
    #[cfg(feature = "console")]
    let path = Some(crate::console::SET_UP);
    #[cfg(not(feature = "console"))]
    let path: Option<&str> = None;
    path.map(|path| format!("{origin}{path}{token}"))
}

fn shown(link: directories::SetupLink) -> Result<SetupLink, Fault> {
    Ok(SetupLink {
        id: link.id,
        created_at: time(link.created_at)?,
        expires_at: time(link.expires_at)?,
        made_by: link.made_by,
        overlap_seconds: link.overlap_seconds,
        used_at: link.used_at.map(time).transpose()?,
        key_id: link.key,
    })
}
