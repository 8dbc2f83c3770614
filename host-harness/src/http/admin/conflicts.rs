//! `/admin/v1/directories/{id}/conflicts` and `/adoptions`, `/admin/v1/conflicts`

use super::super::admin_request::{AdminRequest, invalid, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, empty};
use super::shape::{Page, limit, ok, position};
use crate::runtime::directories::{self, ConflictSubject};
use crate::runtime::site::{self, Subject};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    action: Action,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Action {
    Adopt,
    Rename,
    Leave,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conflict {
    /// What names it in the path of a resolution.
    id: String,
    kind: directories::ConflictKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    /// The other group or user of the directory that has the same name.
    same_name_as: Option<String>,
    /// The organization that has the group's name now.
    organization: Option<Organization>,
    since: Timestamp,
    /// How often a group was refused, and when last.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusals: Option<Refusals>,
}

/// The organization that has a group's name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    id: u64,
    name: String,
    /// The directory that manages it.
    managed_by: Option<Directory>,
}

#[derive(Serialize)]
struct Directory {
    id: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusals {
    count: u32,
    last_at: Timestamp,
    /// Whether the group gets the organization when it is pushed again.
    adopts: bool,
}

/// Two of the site that have the same name, as one of them sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SameName {
    kind: &'static str,
    id: String,
    /// Its name, or the email address of a customer.
    name: String,
    /// The other one.
    same_name_as: String,
    since: Timestamp,
}

/// Something with a number and a name.
#[derive(Serialize)]
struct Named {
    id: u64,
    name: String,
}

/// An organization that was adopted, with who came and who went.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Adoption {
    group_id: String,
    organization: Named,
    at: Timestamp,
    settled: bool,
    came: MemberChange,
    went: MemberChange,
}

#[derive(Serialize)]
struct Preview {
    #[serde(flatten)]
    conflict: Conflict,
    added: MemberChange,
    removed: MemberChange,
    projects: Vec<Named>,
}

/// Customers who come or go: how many, and the ids of the first hundred.
#[derive(Serialize)]
struct MemberChange {
    count: u32,
    customers: Vec<String>,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text, state] = request.query(["cursor", "limit", "state"])?;
    let (site, id, limit) = (&request.state.site, request.parameter(0), limit(limit_text)?);
    let page = match state.as_deref() {
        None | Some("open") => site.conflicts(id, cursor.as_deref(), limit).await??,
        Some("left") => site.left_apart(id, cursor.as_deref(), limit).await??,
        Some(_) => return Err(invalid("`state` is open or left.")),
    };
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn adoptions(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.parameter(0), limit(limit_text)?);
    let page = request.state.site.adoptions(id, cursor.as_deref(), limit).await??;
    let shown = |adoption: directories::Adoption| {
        Ok::<_, Fault>(Adoption {
            group_id: adoption.group,
            organization: named((adoption.organization, adoption.name)),
            at: time(adoption.at)?,
            settled: adoption.settled,
            came: member_change(adoption.came),
            went: member_change(adoption.went),
        })
    };
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

pub(super) async fn preview(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let preview = request.state.site.preview_conflict(request.parameter(0), request.parameter(1)).await??;
    Ok(ok(&Preview {
        conflict: shown(preview.conflict)?,
        added: member_change(preview.added),
        removed: member_change(preview.removed),
        projects: preview.projects.into_iter().map(named).collect(),
    }))
}

pub(super) async fn resolve(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor) = (&request.state.site, request.actor.clone());
    let (id, group) = (request.parameter(0).to_owned(), request.parameter(1).to_owned());
    let resolution: Resolution = request.json().await?;
    let resolution = match (resolution.action, resolution.name) {
        (Action::Adopt, None) => directories::Resolution::Adopt,
        (Action::Rename, Some(name)) => directories::Resolution::Rename(name),
        (Action::Leave, None) => directories::Resolution::Leave,
        (Action::Rename, None) => return Err(invalid("`rename` needs the organization's new `name`.")),
        (Action::Adopt | Action::Leave, Some(_)) => return Err(invalid("Only `rename` comes with a `name`.")),
    };
    site.resolve_conflict(&actor, &id, &group, resolution).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn list_of_site(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let page = request.state.site.same_names(position(cursor)?, limit(limit_text)?).await??;
    let shown = |same: site::SameName| {
        let (kind, id) = identified(same.subject);
        let (_, same_name_as) = identified(same.other);
        Ok::<_, Fault>(SameName { kind, id, name: same.name, same_name_as, since: time(same.since)? })
    };
    let values = page.values.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(ok(&Page { values, next: page.next }))
}

/// What something is, and its id.
fn identified(subject: Subject) -> (&'static str, String) {
    match subject {
        Subject::Directory(id) => ("directory", id),
        Subject::User(id) => ("user", id),
        Subject::Group(id) => ("group", id),
        Subject::Customer(id) => ("customer", id),
        Subject::Organization(id) => ("organization", id.to_string()),
    }
}

fn shown(conflict: directories::Conflict) -> Result<Conflict, Fault> {
    let name = Some(conflict.name);
    let (id, (group_id, group_name), (user_id, user_name)) = match conflict.subject {
        ConflictSubject::Group(id) => (id.clone(), (Some(id), name), (None, None)),
        ConflictSubject::User(id) => (id.clone(), (None, None), (Some(id), name)),
        ConflictSubject::RefusedGroup(id) => (id, (None, name), (None, None)),
    };
    let organization = conflict.organization.map(|organization| Organization {
        id: organization.id,
        name: organization.name,
        managed_by: organization.managed_by.map(|(id, name)| Directory { id, name }),
    });
    let adopts = conflict.adopts;
    let refusals =
        conflict.refusals.map(|(count, last)| Ok::<_, Fault>(Refusals { count, last_at: time(last)?, adopts }));
    Ok(Conflict {
        id,
        kind: conflict.kind,
        group_id,
        group_name,
        user_id,
        user_name,
        same_name_as: conflict.same_name,
        organization,
        since: time(conflict.since)?,
        refusals: refusals.transpose()?,
    })
}

fn member_change(change: directories::MemberChange) -> MemberChange {
    MemberChange { count: change.count, customers: change.first }
}

fn named((id, name): (u64, String)) -> Named {
    Named { id, name }
}
