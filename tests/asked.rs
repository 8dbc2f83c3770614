//! A site with a directory, asked by its administrators and pushed to by its identity provider.

use serde_json::{Value, json};

use crate::golden;
use crate::http::Served;
use crate::server::{Directory, Request, Response};

/// Where the admin API is.
pub const ADMIN: &str = "/admin/v1";

/// A site with a directory.
pub struct Asked {
    /// The server.
    pub server: Served,
    /// The directory, as its identity provider reaches it.
    pub directory: Directory,
    /// The path of the directory in the admin API.
    pub at: String,
}

impl Asked {
    /// A site with a directory of these settings.
    ///
    /// # Panics
    /// Where they are not taken.
    pub fn new(settings: &Value) -> Self {
        let server = Served::default();
        let directory = server.connect(settings);
        let listed = server.send("GET", &format!("{ADMIN}/directories"), None).json();
        let id = listed["values"][0]["id"].as_str().expect("it is listed").to_owned();
        Self { server, directory, at: format!("{ADMIN}/directories/{id}") }
    }

    /// What an administrator is answered, which has to be a success.
    ///
    /// # Panics
    /// Where it is none.
    pub fn admin(&self, method: &str, target: &str, body: impl Into<Option<Value>>) -> Value {
        let answer = self.server.send(method, target, body.into().as_ref());
        assert!(answer.status < 300, "{method} {target}: {} {}", answer.status, answer.body);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// What an administrator is answered, compared with a golden file in `admin`.
    pub fn shape(&self, name: &str, method: &str, target: &str, body: impl Into<Option<Value>>) -> Value {
        let answer = self.server.send(method, target, body.into().as_ref());
        golden::compare_response(&format!("admin/{name}"), &answer);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// The status of what an administrator is answered.
    pub fn status(&self, method: &str, target: &str, body: impl Into<Option<Value>>) -> u16 {
        self.server.send(method, target, body.into().as_ref()).status
    }

    /// What the identity provider is answered.
    pub fn push(&self, method: &str, target: &str, body: impl Into<Option<Value>>) -> Response {
        let headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", self.directory.api_key)),
            ("content-type".to_owned(), "application/scim+json".to_owned()),
            ("x-request-id".to_owned(), "push-1".to_owned()),
        ];
        let body = body.into().map(|body: Value| body.to_string());
        self.directory.send(Request { method: method.to_owned(), target: target.to_owned(), headers, body })
    }

    /// The id of what the identity provider makes.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn make(&self, target: &str, body: Value) -> String {
        let made = self.push("POST", target, body);
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["id"].as_str().expect("it has an id").to_owned()
    }

    /// The id of a user of this name, which the identity provider makes.
    pub fn user(&self, name: &str) -> String {
        self.make("/Users", json!({ "userName": name, "displayName": name.split('@').next() }))
    }

    /// What the identity provider is answered that replaces a value.
    pub fn patch(&self, target: &str, path: &str, value: &Value) -> Response {
        let operation = json!({ "op": "replace", "path": path, "value": value });
        self.push("PATCH", target, json!({ "Operations": [operation] }))
    }

    /// The number of the organization of this name.
    ///
    /// # Panics
    /// Where there is none.
    pub fn organization(&self, name: &str) -> u64 {
        let all = self.admin("GET", &format!("{ADMIN}/organizations"), None);
        let found = all["values"].as_array().expect("a list").iter().find(|one| one["name"] == name);
        found.and_then(|one| one["id"].as_u64()).unwrap_or_else(|| panic!("there is no {name}"))
    }
}
