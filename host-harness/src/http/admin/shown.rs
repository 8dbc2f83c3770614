//! Customers and organizations as the admin API shows them.

use super::super::admin_request::time;
use super::super::fault::Fault;
use super::shape::Page;
use crate::runtime::site;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    id: String,
    email: String,
    display_name: String,
    active: bool,
    time_zone: Option<String>,
    locale: String,
    created_at: Timestamp,
    managed_by: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    id: u64,
    name: String,
    uuid: String,
    created_at: Timestamp,
    managed_by: Option<String>,
    group: Option<String>,
}

pub(super) fn customers(page: site::CustomerPage) -> Result<Page<Customer, String>, Fault> {
    let values = page.values.into_iter().map(customer).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { values, next: page.next })
}

pub(super) fn customer(customer: site::Customer) -> Result<Customer, Fault> {
    Ok(Customer {
        id: customer.id,
        email: customer.email,
        display_name: customer.display_name,
        active: customer.active,
        time_zone: customer.time_zone,
        locale: customer.locale,
        created_at: time(customer.created_at)?,
        managed_by: customer.managed_by,
    })
}

pub(super) fn organizations(page: site::OrganizationPage) -> Result<Page<Organization, String>, Fault> {
    let values = page.values.into_iter().map(organization).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { values, next: page.next })
}

pub(super) fn organization(organization: site::Organization) -> Result<Organization, Fault> {
    Ok(Organization {
        id: organization.id,
        name: organization.name,
        uuid: organization.uuid,
        created_at: time(organization.created_at)?,
        managed_by: organization.managed_by,
        group: organization.group,
    })
}
