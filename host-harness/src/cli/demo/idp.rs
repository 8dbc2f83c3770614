//! Two identity providers and how each does its first sync: look up, create what is missing, then fill the groups.

use super::client::{Client, Trouble};
use super::people::{Person, Team};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Whose requests are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Entra,
    Okta,
}

/// An identity provider that is connected.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) kind: Kind,
    /// The id of its directory.
    pub(super) directory: String,
    /// The SCIM base URL.
    pub(super) base: String,
    pub(super) api_key: String,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Entra, Self::Okta];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Entra => "Entra ID",
            Self::Okta => "Okta",
        }
    }

    /// The name of its directory.
    pub(super) fn directory(self) -> &'static str {
        match self {
            Self::Entra => "Entra ID (demo)",
            Self::Okta => "Okta (demo)",
        }
    }

    /// The company that uses it.
    fn company(self) -> &'static str {
        match self {
            Self::Entra => "Harbour",
            Self::Okta => "Meadow",
        }
    }

    /// The company's domain.
    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::Entra => "harbour.example",
            Self::Okta => "meadow.example",
        }
    }

    pub(super) fn user_agent(self) -> &'static str {
        match self {
            Self::Entra => "Azure AD Provisioning",
            Self::Okta => "Okta SCIM Client 1.0.0",
        }
    }

    /// The name of a team's group and organization. Names of organizations are unique on the site, whichever directory they
    /// come from.
    pub(super) fn organization(self, team: &str) -> String {
        format!("{} {team}", self.company())
    }

    /// What its directory does with organizations that the site has already; each does something else, to show it.
    pub(super) fn conflict_policy(self) -> &'static str {
        match self {
            Self::Entra => "sync",
            Self::Okta => "skip",
        }
    }

    /// Whether its directory is staged first, so that one sees what the sync would do before it does it.
    pub(super) fn is_staged(self) -> bool {
        match self {
            Self::Entra => true,
            Self::Okta => false,
        }
    }

    /// How many members one request adds.
    fn members_at_once(self) -> usize {
        match self {
            Self::Entra => 20,
            Self::Okta => 100,
        }
    }
}

impl Connected {
    /// Pushes a user that is not there yet, and returns its id.
    pub(super) fn push_user(&self, client: &mut Client<'_>, person: &Person) -> Result<String, Trouble> {
        let filter = format!("userName eq \"{}\"", person.email);
        self.find_none(client, "Users", &filter)?;
        let body = match self.kind {
            Kind::Entra => json!({
                "schemas": [USER, ENTERPRISE_USER],
                "externalId": format!("{:08x}-5a17-4b2e-9c3d-{:012x}", person.number, person.number),
                "userName": person.email,
                "active": true,
                "displayName": format!("{} {}", person.given, person.family),
                "emails": [{"primary": true, "type": "work", "value": person.email}],
                "meta": {"resourceType": "User"},
                "name": {
                    "formatted": format!("{} {}", person.given, person.family),
                    "familyName": person.family,
                    "givenName": person.given,
                },
                "title": person.title,
                "roles": [],
                ENTERPRISE_USER: {"department": person.department},
            }),
            Kind::Okta => json!({
                "schemas": [USER],
                "userName": person.email,
                "name": {"givenName": person.given, "familyName": person.family},
                "emails": [{"primary": true, "value": person.email, "type": "work"}],
                "displayName": format!("{} {}", person.given, person.family),
                "title": person.title,
                "locale": "en-US",
                "externalId": format!("00u{:017x}", person.number),
                "groups": [],
                "password": "1mz050nq",
                "active": true,
            }),
        };
        id_of(&client.send("POST", &format!("{}/Users", self.base), &self.api_key, Some(&body))?)
    }

    /// Pushes a group that is not there yet, and then its members by their ids.
    pub(super) fn push_group(
        &self,
        client: &mut Client<'_>,
        team: &Team,
        people: &[Person],
        ids: &[String],
    ) -> Result<(), Trouble> {
        let name = self.kind.organization(&team.name);
        self.find_none(client, "Groups", &format!("displayName eq \"{name}\""))?;
        let body = match self.kind {
            Kind::Entra => json!({
                "schemas": [GROUP],
                "externalId": format!("{:08x}-77f0-4d21-8e55-{:012x}", team.number, team.number),
                "displayName": name,
                "meta": {"resourceType": "Group"},
            }),
            Kind::Okta => json!({"schemas": [GROUP], "displayName": name, "members": []}),
        };
        let id = id_of(&client.send("POST", &format!("{}/Groups", self.base), &self.api_key, Some(&body))?)?;
        let url = format!("{}/Groups/{id}", self.base);
        match self.kind {
            Kind::Entra => {
                client.send("GET", &format!("{url}?excludedAttributes=members"), &self.api_key, None)?;
            }
            Kind::Okta => {
                let name = json!({"op": "replace", "value": {"id": id, "displayName": name}});
                client.send("PATCH", &url, &self.api_key, Some(&patch(&name)))?;
            }
        }
        for members in team.members.chunks(self.kind.members_at_once()) {
            let members: Vec<Value> = members
                .iter()
                .filter_map(|&member| Some((ids.get(member)?, people.get(member)?)))
                .map(|(id, person)| match self.kind {
                    Kind::Entra => json!({"$ref": null, "value": id}),
                    Kind::Okta => json!({"value": id, "display": person.email}),
                })
                .collect();
            let op = match self.kind {
                Kind::Entra => "Add",
                Kind::Okta => "add",
            };
            let add = json!({"op": op, "path": "members", "value": members});
            client.send("PATCH", &url, &self.api_key, Some(&patch(&add)))?;
        }
        Ok(())
    }

    /// The look-up that comes before every creation.
    fn find_none(&self, client: &mut Client<'_>, endpoint: &str, filter: &str) -> Result<(), Trouble> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        match (self.kind, endpoint) {
            (Kind::Entra, "Groups") => query.append_pair("excludedAttributes", "members").append_pair("filter", filter),
            (Kind::Entra, _) => query.append_pair("filter", filter),
            (Kind::Okta, _) => {
                query.append_pair("filter", filter).append_pair("startIndex", "1").append_pair("count", "100")
            }
        };
        let url = format!("{}/{endpoint}?{}", self.base, query.finish());
        let found = client.send("GET", &url, &self.api_key, None)?;
        if found["totalResults"] == 0 {
            return Ok(());
        }
        Err(Trouble::Failed(format!("{url}: something is there already")))
    }
}

fn patch(operation: &Value) -> Value {
    json!({"schemas": [PATCH], "Operations": [operation]})
}

fn id_of(resource: &Value) -> Result<String, Trouble> {
    let id = resource["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Trouble::Failed("what was created has no id".into()))
}
