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

/// Which people the site knows already, of whom, by their numbers.
const KNOWN: [(Kind, usize); 4] = [(Kind::Entra, 0), (Kind::Entra, 1), (Kind::Entra, 2), (Kind::Okta, 0)];

/// What the site has of its own.
pub(super) struct Sample {
    /// Customers whom an identity provider will push as well.
    pub(super) known: Vec<String>,
    /// Customers whom none will push, members of the organization that is adopted.
    pub(super) others: Vec<String>,
    /// The project that the organization is associated with which is adopted, and its name.
    pub(super) project: (u64, &'static str),
    /// The project that organizations come to by a rule.
    pub(super) by_rule: u64,
    /// The organization that is adopted, by its name.
    pub(super) adopted: String,
    /// The organization that is left apart, by its name.
    pub(super) apart: String,
}

/// Puts customers, organizations and projects on a site that has none.
pub(super) async fn make(site: &Site) -> Result<Sample, String> {
    let mut known = Vec::new();
    let [adopted, apart] = Kind::ALL.map(|kind| kind.organization(people::EVERYBODY));
    let first = answered(site.create_organization(ADMIN, &adopted).await)?.id;
    let second = answered(site.create_organization(ADMIN, &apart).await)?.id;
    for (kind, number) in KNOWN {
        let person = people::people(number + 1, kind.domain()).pop().ok_or("there is nobody to make a customer of")?;
        let initial: String = person.given.chars().take(1).collect();
        known.push(customer(site, &person.email, &format!("{initial}. {}", person.family)).await?);
    }
    let guest = customer(site, "grace@partner.example", "Grace Guest").await?;
    let leaver = customer(site, "walter.leaver@harbour.example", "Walter Leaver").await?;
    answered(site.add_members(ADMIN, first, vec![known[0].clone(), guest.clone(), leaver.clone()]).await)?;
    answered(site.add_members(ADMIN, second, vec![guest.clone()]).await)?;
    answered(site.create_project(ADMIN, "HELP", "IT Help", Audience::Open).await)?;
    let name = "People Desk";
    let project = answered(site.create_project(ADMIN, "PEOPLE", name, Audience::Restricted).await)?.id;
    for organization in [first, second] {
        answered(site.associate_organization(ADMIN, project, organization, true).await)?;
    }
    let by_rule = answered(site.create_project(ADMIN, "LAB", "Engineering Desk", Audience::Restricted).await)?.id;
    Ok(Sample { known, others: vec![guest, leaver], project: (project, name), by_rule, adopted, apart })
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
