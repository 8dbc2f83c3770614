//! `/admin/v1/settings`

use super::super::admin_request::AdminRequest;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::{ok, whole};
use crate::runtime::site;
use serde::{Deserialize, Serialize};
use serde_json::Number;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    locales: Vec<String>,
    default_locale: String,
    max_members: u32,
    max_groups: u32,
    retention_days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    locales: Option<Vec<String>>,
    default_locale: Option<String>,
    max_members: Option<Number>,
    max_groups: Option<Number>,
    retention_days: Option<Number>,
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    Ok(ok(&shown(request.state.site.settings().await??)))
}

pub(super) async fn update(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor) = (&request.state.site, request.actor.clone());
    let update: Update = request.json().await?;
    let number = |name: &str, number: Option<&Number>| number.map(|number| whole(name, number)).transpose();
    let update = site::SettingsUpdate {
        max_members: number("maxMembers", update.max_members.as_ref())?,
        max_groups: number("maxGroups", update.max_groups.as_ref())?,
        retention_days: number("retentionDays", update.retention_days.as_ref())?,
        locales: update.locales,
        default_locale: update.default_locale,
    };
    Ok(ok(&shown(site.update_settings(&actor, update).await??)))
}

fn shown(settings: site::Settings) -> Settings {
    Settings {
        locales: settings.locales,
        default_locale: settings.default_locale,
        max_members: settings.max_members,
        max_groups: settings.max_groups,
        retention_days: settings.retention_days,
    }
}
