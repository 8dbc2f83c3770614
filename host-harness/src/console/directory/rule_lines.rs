//! Project rules as lines of text: `Harbour Op* = OPS, PAY`.

use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::runtime::directories::ProjectRule;
use crate::runtime::site::{Error, Position, Project};
use hyper::StatusCode;

/// How many projects are read at once, to name them by their keys. Any more go by their number: `#1001`.
const NAMED: u32 = 1_000;

/// How many projects that are not among those are looked for by their keys; each takes a call.
const LOOKED_UP: usize = 50;

/// The projects of the site, by number and key.
pub(super) struct Projects {
    known: Vec<(u64, String)>,
}

impl Projects {
    /// Reads them in one call.
    pub(super) async fn read(request: &ConsoleRequest<'_>) -> Result<Self, Fault> {
        let page = request.site().projects(Position::START, NAMED).await??;
        let known = page.values.into_iter().map(|Project { id, key, .. }| (id, key));
        Ok(Self { known: known.collect() })
    }

    /// The rules, a line each.
    pub(super) fn lines(&self, rules: &[ProjectRule]) -> String {
        let line = |rule: &ProjectRule| {
            let projects: Vec<_> = rule.projects.iter().map(|id| self.key(*id)).collect();
            format!("{} = {}", rule.pattern, projects.join(", "))
        };
        rules.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What lines say. A pattern may have an equals sign in it; what is behind the last one are the projects.
    pub(super) async fn rules(
        &mut self,
        request: &ConsoleRequest<'_>,
        lines: &[&str],
    ) -> Result<Vec<ProjectRule>, Fault> {
        let (mut rules, mut looked_up) = (Vec::new(), 0);
        for line in lines {
            let (pattern, keys) = line.rsplit_once('=').ok_or_else(|| not_a_rule(line))?;
            let mut projects = Vec::new();
            for key in keys.split(',').map(str::trim).filter(|key| !key.is_empty()) {
                let known = self.number(key);
                if known.is_none() {
                    looked_up += 1;
                    if looked_up > LOOKED_UP {
                        return Err(invalid("The rules name too many projects that are hard to find.".into()));
                    }
                }
                projects.push(match known {
                    Some(id) => id,
                    None => self.look_up(request, key).await?,
                });
            }
            rules.push(ProjectRule { pattern: pattern.trim().to_owned(), projects });
        }
        Ok(rules)
    }

    fn key(&self, id: u64) -> String {
        let known = self.known.iter().find(|(known, _)| *known == id);
        known.map_or_else(|| format!("#{id}"), |(_, key)| key.clone())
    }

    fn number(&self, key: &str) -> Option<u64> {
        let by_number = key.strip_prefix('#').and_then(|number| number.parse().ok());
        by_number.or_else(|| self.known.iter().find(|(_, known)| known.eq_ignore_ascii_case(key)).map(|(id, _)| *id))
    }

    async fn look_up(&mut self, request: &ConsoleRequest<'_>, key: &str) -> Result<u64, Fault> {
        match request.site().project_by_key(key).await? {
            Ok(project) => {
                self.known.push((project.id, project.key));
                Ok(project.id)
            }
            Err(Error::NotFound(_) | Error::Invalid(_)) => {
                Err(invalid(format!("There is no project “{key}”. Write the keys of projects, such as OPS.")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn not_a_rule(line: &str) -> Fault {
    invalid(format!("“{line}” is no rule. Write a pattern, an equals sign, and the keys of projects: Harbour* = OPS."))
}

fn invalid(detail: String) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_with_the_keys_of_projects() {
        let projects = Projects { known: vec![(1, "OPS".into()), (2, "PAY".into())] };
        let rules = [
            ProjectRule { pattern: "Harbour*".into(), projects: vec![1, 2] },
            ProjectRule { pattern: "a = b".into(), projects: vec![1_001] },
        ];
        assert_eq!(projects.lines(&rules), "Harbour* = OPS, PAY\na = b = #1001");
        assert_eq!((projects.number("ops"), projects.number("#7"), projects.number("LAB")), (Some(1), Some(7), None));
    }
}
