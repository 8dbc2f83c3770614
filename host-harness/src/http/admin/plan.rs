//! `/admin/v1/directories/{id}/plan` and `/apply`

use super::super::admin_request::{AdminRequest, invalid, time};
use super::super::fault::Fault;
use super::super::reply::{Reply, json};
use super::history::Value;
use super::shape::{Page, limit, ok, whole, word};
use crate::runtime::directories::{self, AccessTurn, Obstacle, PlannedKind, PlannedList};
use hyper::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Number;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    mode: directories::Mode,
    customers: Customers,
    organizations: Organizations,
    /// How many more are blocked by what the site has changed since.
    blocked: u64,
    /// How many customers and organizations go.
    going: u64,
    deletion_limit: Option<u32>,
    changed_at: Option<Timestamp>,
    access: Option<Access>,
    /// Since when that is being worked out anew.
    access_since: Option<Timestamp>,
}

#[derive(Default, Serialize)]
struct Customers {
    delete: u64,
    deactivate: u64,
    unlink: u64,
    link: u64,
    make: u64,
    activate: u64,
    change: u64,
}

#[derive(Default, Serialize)]
struct Organizations {
    adopt: u64,
    make: u64,
    rename: u64,
    members: u64,
    delete: u64,
}

/// How many persons lose and gain projects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    as_of: Timestamp,
    /// Whether the plan has not changed since.
    current: bool,
    losing: u64,
    gaining: u64,
    projects: Vec<Turnover>,
}

#[derive(Serialize)]
struct Turnover {
    id: u64,
    name: String,
    losing: u64,
    gaining: u64,
}

/// What is planned for a customer or an organization.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    kind: PlannedKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<u64>,
    changes: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Members>,
    /// What the site has changed since, so that it cannot be done.
    blocked: Option<Obstacle>,
}

/// How many members a group has, and how many come to its organization and go from it: that is counted where the group
/// has the organization already, and otherwise for whoever reads the list of them to find out.
#[derive(Serialize)]
struct Members {
    count: Option<u32>,
    come: Option<u32>,
    go: Option<u32>,
}

/// A person who comes into an organization, or goes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    user_id: Option<String>,
    customer_id: Option<String>,
    name: String,
    email: Option<String>,
}

/// A person who loses or gains projects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    name: String,
    projects: Vec<Project>,
}

#[derive(Serialize)]
struct Project {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    /// How many may go, be it more than the limit.
    accept: Option<Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    by: String,
    since: Timestamp,
    done: u64,
    of: u64,
    blocked: u64,
    ended_at: Option<Timestamp>,
    stopped: bool,
}

/// A list of a plan, as its path names it.
enum List {
    Planned(PlannedList),
    Access(AccessTurn),
}

pub(super) async fn counts(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let plan = request.state.site.plan(request.parameter(0)).await??;
    let (mut customers, mut organizations) = (Customers::default(), Organizations::default());
    for planned in plan.kinds {
        *match planned.kind {
            PlannedKind::DeleteCustomer => &mut customers.delete,
            PlannedKind::DeactivateCustomer => &mut customers.deactivate,
            PlannedKind::UnlinkCustomer => &mut customers.unlink,
            PlannedKind::LinkCustomer => &mut customers.link,
            PlannedKind::MakeCustomer => &mut customers.make,
            PlannedKind::ActivateCustomer => &mut customers.activate,
            PlannedKind::ChangeCustomer => &mut customers.change,
            PlannedKind::AdoptOrganization => &mut organizations.adopt,
            PlannedKind::MakeOrganization => &mut organizations.make,
            PlannedKind::RenameOrganization => &mut organizations.rename,
            PlannedKind::ChangeMembers => &mut organizations.members,
            PlannedKind::DeleteOrganization => &mut organizations.delete,
        } = planned.count;
    }
    Ok(ok(&Plan {
        mode: plan.mode,
        customers,
        organizations,
        blocked: plan.blocked,
        going: plan.going,
        deletion_limit: plan.limit,
        changed_at: plan.changed_at.map(time).transpose()?,
        access: plan.access.map(access).transpose()?,
        access_since: plan.access_since.map(time).transpose()?,
    }))
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [query, cursor, limit_text] = request.query(["query", "cursor", "limit"])?;
    let (site, id, limit) = (&request.state.site, request.parameter(0), limit(limit_text)?);
    let (query, cursor) = (query.as_deref(), cursor.as_deref());
    Ok(match list_named(request.parameter(1))? {
        List::Planned(list) => {
            let page = site.planned(id, list, query, cursor, limit).await??;
            ok(&Page { values: page.values.into_iter().map(item).collect::<Vec<_>>(), next: page.next })
        }
        List::Access(turn) => {
            let page = site.planned_access(id, turn, query, cursor, limit).await??;
            ok(&Page { values: page.values.into_iter().map(person).collect::<Vec<_>>(), next: page.next })
        }
    })
}

pub(super) async fn members(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [turn, cursor, limit_text] = request.query(["turn", "cursor", "limit"])?;
    let (id, group, limit) = (request.parameter(0), request.parameter(1), limit(limit_text)?);
    let turn = word("turn", turn)?.ok_or_else(|| invalid("`turn` is come or go."))?;
    let page = request.state.site.planned_members(id, group, turn, cursor.as_deref(), limit).await??;
    let values = page.values.into_iter().map(|member| {
        let directories::PlannedMember { user, customer, name, email } = member;
        Member { user_id: user, customer_id: customer, name, email }
    });
    Ok(ok(&Page { values: values.collect::<Vec<_>>(), next: page.next }))
}

pub(super) async fn apply(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, request.actor.clone(), request.parameter(0).to_owned());
    let accepted: Option<Accepted> = request.json_or_nothing().await?;
    let accepted = accepted.and_then(|body| body.accept).map(|number| whole("accept", &number)).transpose()?;
    let progress = site.apply_plan(&actor, &id, accepted.map(u64::from)).await??;
    Ok(json(StatusCode::ACCEPTED, "application/json", &shown(progress)?))
}

pub(super) async fn progress(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let progress = request.state.site.apply_progress(request.parameter(0)).await??;
    let missing = || Fault::new(StatusCode::NOT_FOUND, "No plan of this directory was applied.");
    Ok(ok(&shown(progress.ok_or_else(missing)?)?))
}

/// The list of this name; its kinds are the contract's words.
fn list_named(name: &str) -> Result<List, Fault> {
    Ok(match name {
        "blocked" => List::Planned(PlannedList::Blocked),
        "loses-access" => List::Access(AccessTurn::Loses),
        "gains-access" => List::Access(AccessTurn::Gains),
        kind => {
            let kind = serde_json::from_value(serde_json::Value::from(kind)).map_err(|_| Fault::not_found())?;
            List::Planned(PlannedList::Kind(kind))
        }
    })
}

fn access(access: directories::PlanAccess) -> Result<Access, Fault> {
    let turnover = |of: directories::ProjectTurnover| {
        let directories::ProjectTurnover { project, name, losing, gaining } = of;
        Turnover { id: project, name, losing, gaining }
    };
    Ok(Access {
        as_of: time(access.as_of)?,
        current: access.is_current,
        losing: access.losing,
        gaining: access.gaining,
        projects: access.projects.into_iter().map(turnover).collect(),
    })
}

fn item(item: directories::PlannedItem) -> Item {
    let is_group = matches!(
        item.kind,
        PlannedKind::AdoptOrganization
            | PlannedKind::MakeOrganization
            | PlannedKind::RenameOrganization
            | PlannedKind::ChangeMembers
            | PlannedKind::DeleteOrganization
    );
    let is_counted = matches!(item.kind, PlannedKind::RenameOrganization | PlannedKind::ChangeMembers);
    let counted = |members: u32| is_counted.then_some(members);
    let members = Members { count: item.members, come: counted(item.come), go: counted(item.go) };
    let (user_id, group_id) = if is_group { (None, Some(item.resource)) } else { (Some(item.resource), None) };
    Item {
        kind: item.kind,
        user_id,
        group_id,
        name: item.name,
        customer_id: item.customer,
        organization_id: item.organization,
        changes: item.changes.into_iter().map(Value::from).collect(),
        members: is_group.then_some(members),
        blocked: item.blocked,
    }
}

fn person(person: directories::PersonAccess) -> Person {
    let directories::PersonAccess { person, is_user, name, projects } = person;
    let (user_id, customer_id) = if is_user { (Some(person), None) } else { (None, Some(person)) };
    let projects = projects.into_iter().map(|(id, name)| Project { id, name }).collect();
    Person { user_id, customer_id, name, projects }
}

fn shown(progress: directories::ApplyProgress) -> Result<Progress, Fault> {
    Ok(Progress {
        by: progress.by,
        since: time(progress.since)?,
        done: progress.done,
        of: progress.of,
        blocked: progress.blocked,
        ended_at: progress.ended.map(time).transpose()?,
        stopped: progress.stopped,
    })
}
