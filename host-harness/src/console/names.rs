//! Names, where others name something by id.

use super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::runtime::changes::Subject;
use maud::{Markup, html};

/// How many directories are named. Any more are shown by their id.
const NAMED: u32 = 200;

/// The directories of the site, by id and name.
pub(super) struct DirectoryNames(Vec<(String, String)>);

impl DirectoryNames {
    /// Reads them in one call.
    pub(super) async fn read(request: &ConsoleRequest<'_>) -> Result<Self, Fault> {
        let page = request.site().directories(None, NAMED).await??;
        Ok(Self(page.values.into_iter().map(|directory| (directory.id, directory.settings.name)).collect()))
    }

    /// Each as its id and name, to choose from.
    pub(super) fn choices(&self) -> &[(String, String)] {
        &self.0
    }

    /// The name of one, or its id where it is not known.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.known(id).unwrap_or(id)
    }

    /// The name of one that is connected.
    pub(super) fn known(&self, id: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, name)| name.as_str())
    }

    /// The directory that manages something, as a link; or that it is local.
    pub(super) fn manager(&self, request: &ConsoleRequest<'_>, id: Option<&str>) -> Markup {
        html! {
            @match id {
                Some(id) => a href=(request.link(&format!("/directories/{id}"))) { (self.name(id)) },
                None => span.hint { "Local" },
            }
        }
    }
}

/// These customers, each by id and name. Who is none yet, or is gone, goes by the id.
pub(super) async fn customers_named(
    request: &ConsoleRequest<'_>,
    ids: &[String],
) -> Result<Vec<(String, String)>, Fault> {
    let names = request.site().names(ids.iter().cloned().map(Subject::Customer).collect()).await??;
    let named = ids.iter().zip(names).map(|(id, name)| (id.clone(), name.map_or_else(|| id.clone(), |name| name.text)));
    Ok(named.collect())
}
