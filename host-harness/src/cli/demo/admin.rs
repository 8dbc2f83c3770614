//! What the demonstration does as an administrator: on the site itself while there is nobody to see it, and over HTTP from
//! then on.

use super::client::{Client, JSON, Trouble};
use super::idp::{Connected, Kind};
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;

/// The administrator of the demonstration, in the change feed.
pub(super) const ADMIN: &str = "demo";

/// The answer to a call, or why there is none.
pub(super) fn answered<T, E: std::fmt::Display, F: std::fmt::Display>(
    answer: Result<Result<T, E>, F>,
) -> Result<T, String> {
    answer.map_err(|failure| failure.to_string())?.map_err(|error| error.to_string())
}

/// The administrator at the admin API.
pub(super) struct Admin<'a> {
    client: Client<'a>,
    /// Where the admin API begins.
    base: String,
    key: &'a str,
}

impl<'a> Admin<'a> {
    pub(super) fn new(origin: &str, key: &'a str, stop: &'a AtomicBool) -> Self {
        let client = Client::new("usher demo", JSON, stop);
        Self { client, base: format!("{origin}/admin/v1"), key }
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Value, Trouble> {
        self.client.send("GET", &format!("{}{path}", self.base), self.key, None)
    }

    pub(super) fn post(&mut self, path: &str, body: Option<&Value>) -> Result<Value, Trouble> {
        self.client.send("POST", &format!("{}{path}", self.base), self.key, body)
    }

    /// Whether the demonstration goes on.
    pub(super) fn go_on(&self) -> Result<(), Trouble> {
        self.client.go_on()
    }

    /// Connects an identity provider. Groups with names like `pattern` are for a project.
    pub(super) fn connect(&mut self, kind: Kind, (pattern, project): (&str, u64)) -> Result<Connected, Trouble> {
        let mut settings = json!({
            "name": kind.directory(),
            "conflictPolicy": kind.conflict_policy(),
            "projectRules": [{"pattern": pattern, "projects": [project]}],
        });
        if kind.is_staged() {
            settings["mode"] = "staged".into();
            // By the time that its plan is applied, everybody is there: whoever is not need not stay for a while.
            settings["adoptionGraceSeconds"] = 0.into();
        }
        let connected = self.post("/directories", Some(&settings))?;
        let text = |name: &str| connected[name].as_str().unwrap_or_default().to_owned();
        Ok(Connected { kind, directory: text("id"), base: text("scimBaseUrl"), api_key: text("apiKey") })
    }
}
