//! The requests that are measured: those of an identity provider that keeps one user up to date.

use usher_host::scim::Request;

/// Where the measured server claims to be when no network is between.
const ORIGIN: &str = "http://127.0.0.1";

/// The body of a user, as Entra ID sends one.
pub(super) fn user(name: &str) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"ext-{name}","userName":"{name}@example.com","active":true,"displayName":"User {name}","emails":[{{"primary":true,"type":"work","value":"{name}@example.com"}}],"name":{{"formatted":"Given Family","familyName":"Family","givenName":"Given"}},"title":"Engineer","preferredLanguage":"en-GB","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"department":"Looms","employeeNumber":"{name}"}}}}"#
    )
}

/// A change of one attribute.
pub(super) fn patch(title: &str) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"Replace","path":"title","value":"{title}"}}]}}"#
    )
}

/// A request below the base URL of a directory.
pub(super) fn request(
    directory: &Target,
    method: &str,
    path: &str,
    query: Option<String>,
    body: Option<String>,
) -> Request {
    Request {
        method: method.into(),
        origin: ORIGIN.into(),
        path: format!("{}{path}", directory.scim_path),
        query,
        headers: vec![
            ("authorization".into(), format!("Bearer {}", directory.api_key)),
            ("content-type".into(), "application/scim+json".into()),
        ],
        body,
    }
}

/// A directory to send requests to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) scim_path: String,
    pub(super) api_key: String,
}
