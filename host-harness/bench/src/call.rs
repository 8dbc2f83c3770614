//! The calls that are measured: what identity providers send.

use serde_json::{Value, json};
use usher_host::scim::Request;

/// Where the measured server claims to be when no network is between.
const ORIGIN: &str = "http://127.0.0.1";

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A request below the base URL of a directory.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: &'static str,
    /// With the query.
    pub(super) path: String,
    pub(super) body: Option<String>,
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: "DELETE", path: path.into(), body: None }
    }

    pub(super) fn post(path: impl Into<String>, body: String) -> Self {
        Self { method: "POST", path: path.into(), body: Some(body) }
    }

    /// A PATCH of one operation.
    pub(super) fn patch(path: impl Into<String>, operation: &Value) -> Self {
        let body = json!({ "schemas": [PATCH], "Operations": [operation] }).to_string();
        Self { method: "PATCH", path: path.into(), body: Some(body) }
    }

    /// One attribute is given a value.
    pub(super) fn replace(path: impl Into<String>, attribute: &str, value: impl Into<Value>) -> Self {
        Self::patch(path, &json!({ "op": "Replace", "path": attribute, "value": value.into() }))
    }

    /// Members are added to a group, whose members the answer leaves out.
    pub(super) fn add_members(group: &str, users: &[String]) -> Self {
        Self::members("Add", group, users)
    }

    /// Members are removed from a group, whose members the answer leaves out.
    pub(super) fn remove_members(group: &str, users: &[String]) -> Self {
        Self::members("Remove", group, users)
    }

    fn members(op: &str, group: &str, users: &[String]) -> Self {
        let value: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
        let path = format!("/Groups/{group}?excludedAttributes=members");
        Self::patch(path, &json!({ "op": op, "path": "members", "value": value }))
    }

    /// The resources that match a filter; those that are groups without their members.
    pub(super) fn filter(endpoint: &str, filter: &str) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("filter", filter);
        if endpoint == "/Groups" {
            query.append_pair("excludedAttributes", "members");
        }
        Self::get(format!("{endpoint}?{}", query.finish()))
    }

    pub(super) fn create_user(name: &str) -> Self {
        Self::post("/Users", user(name))
    }

    pub(super) fn create_group(name: &str) -> Self {
        Self::post(
            "/Groups",
            json!({ "schemas": [GROUP], "externalId": format!("ext-{name}"), "displayName": name }).to_string(),
        )
    }

    /// Users with these names, in one request.
    pub(super) fn bulk_users(names: impl Iterator<Item = String>) -> Self {
        let operation =
            |name: String| format!(r#"{{"method":"POST","path":"/Users","bulkId":"{name}","data":{}}}"#, user(&name));
        let operations: Vec<String> = names.map(operation).collect();
        Self::post("/Bulk", format!(r#"{{"schemas":["{BULK}"],"Operations":[{}]}}"#, operations.join(",")))
    }

    /// As the component takes it, where no HTTP is between.
    pub(super) fn request(&self, directory: &Credentials) -> Request {
        let (path, query) =
            self.path.split_once('?').map_or((self.path.as_str(), None), |(path, query)| (path, Some(query)));
        Request {
            method: self.method.into(),
            origin: ORIGIN.into(),
            path: format!("{}{path}", directory.scim_path),
            query: query.map(str::to_owned),
            headers: vec![
                ("authorization".into(), format!("Bearer {}", directory.api_key)),
                ("content-type".into(), "application/scim+json".into()),
            ],
            body: self.body.clone(),
        }
    }
}

/// A directory to send calls to.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    /// Below what URL its calls are.
    pub(super) scim_path: String,
    pub(super) api_key: String,
}

impl Credentials {
    /// The id of the directory, with which its path ends.
    pub(super) fn directory(&self) -> &str {
        self.scim_path.rsplit('/').next().unwrap_or_default()
    }
}

/// The body of a user, as Entra ID sends one.
fn user(name: &str) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"ext-{name}","userName":"{name}@example.com","active":true,"displayName":"User {name}","emails":[{{"primary":true,"type":"work","value":"{name}@example.com"}}],"name":{{"formatted":"Given Family","familyName":"Family","givenName":"Given"}},"title":"Engineer","preferredLanguage":"en-GB","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"department":"Looms","employeeNumber":"{name}"}}}}"#
    )
}

/// The `id` of a resource.
pub(super) fn id_of(resource: &[u8]) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Resource {
        id: String,
    }
    let resource: Resource =
        serde_json::from_slice(resource).map_err(|error| format!("a resource without an id: {error}"))?;
    Ok(resource.id)
}

/// The ids of what a bulk request made, in its order.
pub(super) fn ids_of_bulk(answer: &[u8]) -> Result<Vec<String>, String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        #[serde(rename = "Operations")]
        operations: Vec<Operation>,
    }
    #[derive(serde::Deserialize)]
    struct Operation {
        status: String,
        location: Option<String>,
    }
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|error| format!("no answer to a bulk request: {error}"))?;
    let id = |operation: Operation| {
        let location = operation.location.filter(|_| operation.status == "201");
        let id = location.as_deref().and_then(|location| location.rsplit('/').next());
        id.map(str::to_owned).ok_or_else(|| format!("an operation of a bulk request was answered {}", operation.status))
    };
    answer.operations.into_iter().map(id).collect()
}
