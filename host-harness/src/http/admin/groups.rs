//! `/admin/v1/directories/{id}/groups/{groupId}`

use super::super::call::{Call, time};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::ok;
use crate::runtime::directories;
use jiff::Timestamp;
use serde::Serialize;

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

pub(super) async fn check(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    Ok(ok(&shown(call.state.site.check_group(call.parameter(0), call.parameter(1)).await??)?))
}

pub(super) async fn repair(call: Call<'_>) -> Result<Reply, Fault> {
    let [] = call.query([])?;
    let repair = call.state.site.repair_group(&call.actor, call.parameter(0), call.parameter(1)).await??;
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
