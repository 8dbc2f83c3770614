//! `/admin/v1/directories/{id}/groups/{groupId}`

use super::super::admin_request::{AdminRequest, time};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::{Page, limit, ok};
use crate::runtime::directories;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    name: String,
    members: u32,
    organization_id: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    group_id: String,
    group_name: String,
    organization_id: Option<u64>,
    members: u32,
    differences: Vec<Difference>,
    probation: Probation,
}

/// Who is a member of the organization for a time without being one of the group: how many, and the first hundred.
#[derive(Serialize)]
struct Probation {
    count: u32,
    customers: Vec<OnProbation>,
}

#[derive(Serialize)]
struct OnProbation {
    id: String,
    until: Timestamp,
}

#[derive(Serialize)]
struct Repair {
    #[serde(flatten)]
    found: Check,
    /// What could not be put right.
    left: Vec<Difference>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Difference {
    NoOrganization,
    BrokenLink,
    Name { name: String },
    MemberCount { count: u32 },
    OneSided { count: u32 },
    Strangers { count: u32 },
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [query, cursor, limit_text] = request.query(["query", "cursor", "limit"])?;
    let (id, limit) = (request.parameter(0), limit(limit_text)?);
    let page = request.state.site.groups(id, query.as_deref(), cursor.as_deref(), limit).await??;
    Ok(ok(&Page { values: page.values.into_iter().map(of).collect::<Vec<_>>(), next: page.next }))
}

pub(super) async fn get(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    Ok(ok(&of(request.state.site.group(request.parameter(0), request.parameter(1)).await??)))
}

fn of(group: directories::Group) -> Group {
    Group { id: group.id, name: group.name, members: group.members, organization_id: group.organization }
}

pub(super) async fn check(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    Ok(ok(&shown(request.state.site.check_group(request.parameter(0), request.parameter(1)).await??)?))
}

pub(super) async fn repair(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let repair = request.state.site.repair_group(&request.actor, request.parameter(0), request.parameter(1)).await??;
    Ok(ok(&Repair { found: shown(repair.found)?, left: repair.left.into_iter().map(Into::into).collect() }))
}

fn shown(check: directories::GroupCheck) -> Result<Check, Fault> {
    let customers = check.probation.first.into_iter();
    let customers = customers.map(|(id, until)| Ok(OnProbation { id, until: time(until)? }));
    Ok(Check {
        group_id: check.group,
        group_name: check.name,
        organization_id: check.organization,
        members: check.members,
        differences: check.differences.into_iter().map(Into::into).collect(),
        probation: Probation { count: check.probation.count, customers: customers.collect::<Result<_, Fault>>()? },
    })
}

impl From<directories::Difference> for Difference {
    fn from(value: directories::Difference) -> Self {
        match value {
            directories::Difference::NoOrganization => Self::NoOrganization,
            directories::Difference::BrokenLink => Self::BrokenLink,
            directories::Difference::Name(name) => Self::Name { name },
            directories::Difference::MemberCount(count) => Self::MemberCount { count },
            directories::Difference::OneSided(count) => Self::OneSided { count },
            directories::Difference::Strangers(count) => Self::Strangers { count },
        }
    }
}
