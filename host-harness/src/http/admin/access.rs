//! `/admin/v1/access`

use super::super::admin_request::{AdminRequest, invalid, number};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::projects::{self, Project};
use super::shape::{Page, ok};
use crate::runtime::site;
use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Reason {
    Open,
    Direct,
    Organization { id: u64, name: String },
    Deactivated,
}

#[derive(Serialize)]
struct Access {
    allowed: bool,
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
struct OpenProject {
    project: Project,
    reasons: Vec<Reason>,
}

/// Whether a customer may use a project, or, without one, every project that is open to the customer.
pub(super) async fn read(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [customer, project] = request.query(["customer", "project"])?;
    let customer = customer.ok_or_else(|| invalid("`customer` is needed: the id of a customer."))?;
    let Some(project) = project else {
        let open = request.state.site.projects_of(&customer).await??;
        let values = open.into_iter().map(|open| {
            let reasons = open.reasons.into_iter().map(Into::into).collect();
            Ok(OpenProject { project: projects::shown(open.project)?, reasons })
        });
        let next: Option<String> = None;
        return Ok(ok(&Page { values: values.collect::<Result<Vec<_>, Fault>>()?, next }));
    };
    let project = number(&project).ok_or_else(|| invalid("`project` is the number of a project."))?;
    let access = request.state.site.access_to(&customer, project).await??;
    let reasons = access.reasons.into_iter().map(Into::into).collect();
    Ok(ok(&Access { allowed: access.allowed, reasons }))
}

impl From<site::Reason> for Reason {
    fn from(reason: site::Reason) -> Self {
        match reason {
            site::Reason::Open => Self::Open,
            site::Reason::Direct => Self::Direct,
            site::Reason::Organization((id, name)) => Self::Organization { id, name },
            site::Reason::Deactivated => Self::Deactivated,
        }
    }
}
