//! Users, organizations and service desks as clients know them.

use super::super::admin_request::{AdminRequest, invalid};
use super::super::fault::Fault;
use crate::runtime::site;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many people one request may name, here as in the calls that are made for it.
const MAX_NAMED: usize = 1_000;

/// A customer. One without a time zone has no such member: generated clients take no null for a text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    account_id: String,
    email_address: String,
    display_name: String,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    id: String,
    name: String,
    uuid: String,
    scim_managed: bool,
    created: Date,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Desk {
    id: String,
    project_id: String,
    project_name: String,
    project_key: String,
    project_type_key: &'static str,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Date {
    iso8601: String,
    jira: String,
    friendly: String,
    epoch_millis: u64,
}

/// The people that a request is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    account_ids: Option<Vec<String>>,
    /// What clients of before accounts had ids send: the same ids.
    usernames: Option<Vec<String>>,
}

impl Named {
    /// Their ids, each once.
    pub(super) fn ids(self) -> Result<Vec<String>, Fault> {
        if self.account_ids.is_none() && self.usernames.is_none() {
            return Err(invalid("`accountIds` is needed: a list of account ids."));
        }
        let mut ids = self.account_ids.unwrap_or_default();
        ids.extend(self.usernames.unwrap_or_default());
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > MAX_NAMED {
            return Err(invalid(format!("A request names at most {MAX_NAMED} people.")));
        }
        Ok(ids)
    }
}

/// The URL in front of this surface's paths.
pub(super) fn base(origin: &str) -> String {
    format!("{origin}/rest/servicedeskapi")
}

/// A customer as clients see it. It is linked to where it can be read, with the same credentials: this surface has no
/// such place.
pub(super) fn user(customer: site::Customer, origin: &str) -> User {
    User {
        links: Links { this: format!("{origin}/admin/v1/customers/{}", customer.id) },
        account_id: customer.id,
        email_address: customer.email,
        display_name: customer.display_name,
        active: customer.active,
        time_zone: customer.time_zone,
    }
}

pub(super) fn organization(organization: site::Organization, origin: &str) -> Result<Organization, Fault> {
    Ok(Organization {
        links: Links { this: format!("{}/organization/{}", base(origin), organization.id) },
        id: organization.id.to_string(),
        name: organization.name,
        uuid: organization.uuid,
        scim_managed: organization.managed_by.is_some(),
        created: date(organization.created_at)?,
    })
}

pub(super) fn desk(project: site::Project, origin: &str) -> Desk {
    Desk {
        links: Links { this: format!("{}/servicedesk/{}", base(origin), project.id) },
        id: project.id.to_string(),
        project_id: project.id.to_string(),
        project_name: project.name,
        project_key: project.key,
        project_type_key: "service_desk",
    }
}

fn date(millis: u64) -> Result<Date, Fault> {
    let time: Timestamp = super::super::admin_request::time(millis)?;
    let date = |format: &str| time.strftime(format).to_string();
    Ok(Date {
        iso8601: date("%Y-%m-%dT%H:%M:%S%z"),
        jira: date("%Y-%m-%dT%H:%M:%S.%3f%z"),
        friendly: date("%d/%b/%y %-I:%M %p"),
        epoch_millis: millis,
    })
}

/// The number of an organization in a request's body, where clients send numbers and texts, since its id is a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Number(u64),
    Text(String),
}

impl Number {
    pub(super) fn value(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => super::super::admin_request::number(text),
        }
    }
}

/// The service desk in the path: its number, or the key of its project.
pub(super) async fn desk_of(request: &AdminRequest<'_>) -> Result<site::Project, Fault> {
    let (site, text) = (&request.state.site, request.parameter(0));
    let project = match super::super::admin_request::number(text) {
        Some(number) => site.project(number).await?,
        None => site.project_by_key(text).await?,
    };
    Ok(project?)
}
