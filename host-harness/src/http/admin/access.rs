//! `/admin/v1/access`

use super::super::admin_request::{AdminRequest, invalid, number};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::projects::{self, Project};
use super::shape::{Page, cursor, limit, ok};
use super::shown;
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

#[derive(Serialize)]
struct Admitted {
    customer: shown::Customer,
    reasons: Vec<Reason>,
}

/// Whether a customer may use a project; of a customer alone, every project that is open to it; of a project alone,
/// everyone who may use it.
pub(super) async fn read(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [customer, project, cursor_text, limit_text] = request.query(["customer", "project", "cursor", "limit"])?;
    let project_number =
        |project: &str| number(project).ok_or_else(|| invalid("`project` is the number of a project."));
    let customer = match (customer, &project) {
        (Some(customer), _) => customer,
        (None, Some(project)) => {
            let (project, cursor, limit) = (project_number(project)?, cursor(cursor_text)?, limit(limit_text)?);
            let page = request.state.site.customers_of(project, cursor.as_deref(), limit).await??;
            let values = page.values.into_iter().map(|admitted| {
                let reasons = admitted.reasons.into_iter().map(Into::into).collect();
                Ok(Admitted { customer: shown::customer(admitted.customer)?, reasons })
            });
            return Ok(ok(&Page { values: values.collect::<Result<Vec<_>, Fault>>()?, next: page.next }));
        }
        (None, None) => {
            return Err(invalid("`customer` or `project` is needed: the id of a customer, the number of a project."));
        }
    };
    if cursor_text.is_some() || limit_text.is_some() {
        return Err(invalid("`cursor` and `limit` are for everyone who may use a project: with `project` alone."));
    }
    let Some(project) = project else {
        let open = request.state.site.projects_of(&customer).await??;
        let values = open.into_iter().map(|open| {
            let reasons = open.reasons.into_iter().map(Into::into).collect();
            Ok(OpenProject { project: projects::shown(open.project)?, reasons })
        });
        let next: Option<String> = None;
        return Ok(ok(&Page { values: values.collect::<Result<Vec<_>, Fault>>()?, next }));
    };
    let project = project_number(&project)?;
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
