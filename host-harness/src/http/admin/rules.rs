//! `/admin/v1/directories/{id}/rules`

use super::super::admin_request::AdminRequest;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::{Page, limit, ok, whole};
use crate::runtime::directories;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// How many groups one transaction deals with.
const GROUPS_AT_ONCE: u32 = 1_000;

/// A rule of a directory's settings.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rule {
    pattern: String,
    projects: Vec<Number>,
}

impl Rule {
    pub(super) fn read(self) -> Result<directories::ProjectRule, Fault> {
        let projects = self.projects.iter().map(|project| whole("projects", project).map(u64::from));
        Ok(directories::ProjectRule { pattern: self.pattern, projects: projects.collect::<Result<_, _>>()? })
    }

    pub(super) fn shown(rule: directories::ProjectRule) -> Self {
        Self { pattern: rule.pattern, projects: rule.projects.into_iter().map(Number::from).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Effect {
    organization_id: u64,
    group_id: String,
    group_name: String,
    projects: Vec<Project>,
}

#[derive(Serialize)]
struct Project {
    id: u64,
    name: String,
}

#[derive(Serialize)]
struct Applied {
    associations: u64,
}

pub(super) async fn preview(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.parameter(0), limit(limit_text)?);
    let page = request.state.site.preview_rules(id, cursor.as_deref(), limit).await??;
    Ok(ok(&Page { values: page.values.into_iter().map(shown).collect::<Vec<_>>(), next: page.next }))
}

/// Applies the rules to all organizations, some at a time, so that no other writer waits for the whole. Whoever leaves
/// before the answer finds a part of it done, and can ask again.
pub(super) async fn apply(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let (site, actor, id) = (&request.state.site, &request.actor, request.parameter(0));
    let (mut associations, mut cursor) = (0_u64, None);
    loop {
        let applied = site.apply_rules(actor, id, cursor.as_deref(), GROUPS_AT_ONCE).await??;
        associations = associations.saturating_add(u64::from(applied.associations));
        cursor = applied.next;
        if cursor.is_none() {
            return Ok(ok(&Applied { associations }));
        }
    }
}

fn shown(effect: directories::RuleEffect) -> Effect {
    let projects = effect.projects.into_iter().map(|(id, name)| Project { id, name }).collect();
    Effect { organization_id: effect.organization, group_id: effect.group, group_name: effect.name, projects }
}
