//! `/admin/v1/directories`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::rules::Rule;
use super::shape::{Page, flag, issued, limit, ok, whole};
use crate::runtime::directories::{
    self, ConflictPolicy, EmailChange, EmailPresence, Mode, OutsideDomains, ProjectRule, UnknownMembers,
};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewDirectory {
    name: String,
    #[serde(default)]
    email_change: EmailChange,
    #[serde(default)]
    email: EmailPresence,
    #[serde(default)]
    unknown_members: UnknownMembers,
    #[serde(default)]
    conflict_policy: ConflictPolicy,
    adoption_grace_seconds: Option<Number>,
    deletion_limit: Option<Number>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    outside_domains: OutsideDomains,
    #[serde(default)]
    project_rules: Vec<Rule>,
    #[serde(default)]
    membership_resources: bool,
    silent_after: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    name: Option<String>,
    email_change: Option<EmailChange>,
    email: Option<EmailPresence>,
    unknown_members: Option<UnknownMembers>,
    conflict_policy: Option<ConflictPolicy>,
    adoption_grace_seconds: Option<Number>,
    /// Null takes the limit away; what is not there leaves it as it is.
    #[serde(default, deserialize_with = "named")]
    deletion_limit: Option<Option<Number>>,
    mode: Option<Mode>,
    domains: Option<Vec<String>>,
    outside_domains: Option<OutsideDomains>,
    project_rules: Option<Vec<Rule>>,
    membership_resources: Option<bool>,
    silent_after: Option<Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Directory {
    id: String,
    name: String,
    scim_base_url: String,
    email_change: EmailChange,
    email: EmailPresence,
    unknown_members: UnknownMembers,
    conflict_policy: ConflictPolicy,
    adoption_grace_seconds: u32,
    deletion_limit: Option<u32>,
    mode: Mode,
    domains: Vec<String>,
    outside_domains: OutsideDomains,
    project_rules: Vec<Rule>,
    membership_resources: bool,
    silent_after: u32,
    created_at: Timestamp,
    users: u64,
    groups: u64,
    memberships: u64,
    unlinked: u64,
    conflicts: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    #[serde(flatten)]
    directory: Directory,
    api_key: String,
    key_id: String,
    key_expires_at: Timestamp,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (origin, limit) = (request.origin()?, limit(limit_text)?);
    let page = request.state.site.directories(cursor.as_deref(), limit).await??;
    let values = page.values.into_iter().map(|directory| shown(directory, &origin));
    Ok(ok(&Page { values: values.collect::<Result<Vec<_>, _>>()?, next: page.next }))
}

pub(super) async fn connect(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, origin, actor) = (&request.state.site, request.origin()?, request.actor.clone());
    let new: NewDirectory = request.json().await?;
    let grace = new.adoption_grace_seconds.as_ref().map(grace).transpose()?;
    let silent_after = new.silent_after.as_ref().map(times).transpose()?;
    let defaults = directories::Settings::named(new.name);
    let settings = directories::Settings {
        email_change: new.email_change,
        email: new.email,
        unknown_members: new.unknown_members,
        conflict_policy: new.conflict_policy,
        adoption_grace_seconds: grace.unwrap_or(defaults.adoption_grace_seconds),
        deletion_limit: new.deletion_limit.as_ref().map(deletions).transpose()?,
        mode: new.mode,
        domains: new.domains,
        outside_domains: new.outside_domains,
        project_rules: rules(new.project_rules)?,
        membership_resources: new.membership_resources,
        silent_after: silent_after.unwrap_or(defaults.silent_after),
        ..defaults
    };
    let connected = site.connect_directory(&actor, settings).await??;
    Ok(issued(&Connected {
        directory: shown(connected.directory, &origin)?,
        api_key: connected.key.api_key,
        key_id: connected.key.key.id,
        key_expires_at: time(connected.key.key.expires_at)?,
    }))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let directory = request.state.site.directory(request.parameter(0)).await??;
    Ok(ok(&shown(directory, &request.origin()?)?))
}

pub(super) async fn update(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, origin, actor) = (&request.state.site, request.origin()?, request.actor.clone());
    let id = request.parameter(0).to_owned();
    let update: Update = request.json().await?;
    let settings = directories::SettingsUpdate {
        name: update.name,
        email_change: update.email_change,
        email: update.email,
        unknown_members: update.unknown_members,
        conflict_policy: update.conflict_policy,
        adoption_grace_seconds: update.adoption_grace_seconds.as_ref().map(grace).transpose()?,
        deletion_limit: update.deletion_limit.map(|limit| limit.as_ref().map(deletions).transpose()).transpose()?,
        mode: update.mode,
        domains: update.domains,
        outside_domains: update.outside_domains,
        project_rules: update.project_rules.map(rules).transpose()?,
        membership_resources: update.membership_resources,
        silent_after: update.silent_after.as_ref().map(times).transpose()?,
    };
    let directory = site.update_directory(&actor, &id, settings).await??;
    Ok(ok(&shown(directory, &origin)?))
}

pub(super) async fn disconnect(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [remove] = request.query(["remove"])?;
    let remove = flag("remove", remove.as_deref())?;
    let site = &request.state.site;
    site.disconnect_directory(&request.actor, request.parameter(0), remove).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn grace(number: &Number) -> Result<u32, Fault> {
    whole("adoptionGraceSeconds", number)
}

fn deletions(number: &Number) -> Result<u32, Fault> {
    whole("deletionLimit", number)
}

fn rules(rules: Vec<Rule>) -> Result<Vec<ProjectRule>, Fault> {
    rules.into_iter().map(Rule::read).collect()
}

fn times(number: &Number) -> Result<u32, Fault> {
    whole("silentAfter", number)
}

/// A member that is there, be it null.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Number>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn shown(directory: directories::Directory, origin: &str) -> Result<Directory, Fault> {
    let settings = directory.settings;
    Ok(Directory {
        scim_base_url: format!("{origin}{}", directory.scim_path),
        id: directory.id,
        name: settings.name,
        email_change: settings.email_change,
        email: settings.email,
        unknown_members: settings.unknown_members,
        conflict_policy: settings.conflict_policy,
        adoption_grace_seconds: settings.adoption_grace_seconds,
        deletion_limit: settings.deletion_limit,
        mode: settings.mode,
        domains: settings.domains,
        outside_domains: settings.outside_domains,
        project_rules: settings.project_rules.into_iter().map(Rule::shown).collect(),
        membership_resources: settings.membership_resources,
        silent_after: settings.silent_after,
        created_at: time(directory.created_at)?,
        users: directory.users,
        groups: directory.groups,
        memberships: directory.memberships,
        unlinked: directory.unlinked,
        conflicts: directory.conflicts,
    })
}
