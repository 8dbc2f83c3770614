//! A service-desk site as it may be before an identity provider is connected: some people and organizations of its own.

use super::admin::{ADMIN, answered};
use super::idp::Kind;
use super::people;
use usher_host::Site;
use usher_host::site::{Audience, NewCustomer, Position};

/// How many are read or deleted at once.
const PAGE: u32 = 1_000;

/// How much one step of housekeeping may do while everything of an earlier demonstration goes.
const BUDGET: u32 = 10_000;

/// What the site has of its own.
pub(super) struct Sample {
    /// Customers whom an identity provider will push as well.
    pub(super) known: Vec<String>,
    /// A customer whom none will push, member of the organization that is adopted.
    pub(super) guest: String,
    /// The project that the organization is associated with which is adopted, and its name.
    pub(super) project: (u64, &'static str),
    /// The organization that is adopted, by its name.
    pub(super) adopted: String,
    /// The organization that is left apart, by its name.
    pub(super) apart: String,
}

/// Puts customers, organizations and projects on a site that has none.
pub(super) async fn make(site: &Site) -> Result<Sample, String> {
    let mut known = Vec::new();
    for (number, kind) in (1..).zip(Kind::ALL) {
        let person = people::people(number, kind.domain()).pop().ok_or("there is nobody to make a customer of")?;
        known.push(customer(site, &person.email, &format!("{} (by hand)", person.given)).await?);
    }
    let guest = customer(site, "grace@partner.example", "Grace Guest").await?;
    let [adopted, apart] = Kind::ALL.map(|kind| kind.organization(people::EVERYBODY));
    let first = answered(site.create_organization(ADMIN, &adopted).await)?.id;
    let second = answered(site.create_organization(ADMIN, &apart).await)?.id;
    for organization in [first, second] {
        answered(site.add_members(ADMIN, organization, vec![guest.clone()]).await)?;
    }
    answered(site.create_project(ADMIN, "HELP", "IT Help", Audience::Open).await)?;
    let name = "People Desk";
    let project = answered(site.create_project(ADMIN, "PEOPLE", name, Audience::Restricted).await)?.id;
    for organization in [first, second] {
        answered(site.associate_organization(ADMIN, project, organization, true).await)?;
    }
    Ok(Sample { known, guest, project: (project, name), adopted, apart })
}

async fn customer(site: &Site, email: &str, name: &str) -> Result<String, String> {
    let new = NewCustomer { email: email.to_owned(), display_name: name.to_owned(), time_zone: None, locale: None };
    Ok(answered(site.create_customer(ADMIN, new).await)?.id)
}

/// Removes everything that an earlier demonstration left. Whether there was anything.
pub(super) async fn clear(site: &Site) -> Result<bool, String> {
    let directories = answered(site.directories(None, PAGE).await)?.values;
    for directory in &directories {
        answered(site.disconnect_directory(ADMIN, &directory.id, true).await)?;
    }
    while answered(site.upkeep(BUDGET).await)?.more {}
    let projects = answered(site.projects(Position::START, PAGE).await)?.values;
    for project in &projects {
        answered(site.delete_project(ADMIN, project.id).await)?;
    }
    for organization in answered(site.organizations(Position::START, PAGE).await)?.values {
        answered(site.delete_organization(ADMIN, organization.id).await)?;
    }
    for customer in answered(site.customers(Position::START, PAGE).await)?.values {
        answered(site.delete_customer(ADMIN, &customer.id).await)?;
    }
    Ok(!directories.is_empty() || !projects.is_empty())
}
