//! Finding what is to be added to something: a search, and a button in each row.

use super::names::DirectoryNames;
use super::parts::{Filters, PAGE, Table, acts, empty, pager, row_button};
use super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::runtime::site::{CustomerFilter, CustomerState, OrganizationFilter};
use maud::{Markup, html};

/// Customers, whose buttons send `customer` to the page itself. Those who are deactivated are not offered.
pub(super) async fn customers(request: &ConsoleRequest<'_>) -> Result<Markup, Fault> {
    let filters = Filters::new(request).text("query", "Name or address", "Beginning of a name or an address");
    let query = request.query("query").map(str::to_owned);
    let filter = CustomerFilter { query, directory: None, state: Some(CustomerState::Active) };
    let page = request.site().find_customers(filter, request.cursor(), PAGE).await??;
    let mut table = Table::new("Customers to add", ["Name", "Address", "Add"]);
    for customer in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } },
            html! { (customer.email) },
            row_button("customer", &customer.id, "Add", &customer.display_name),
        ]);
    }
    let found = (!page.values.is_empty()).then(|| table.show());
    Ok(listed(request, filters, found, "Nobody fits", page.next.as_deref()))
}

/// Organizations, whose buttons send `organization` to the page itself.
pub(super) async fn organizations(request: &ConsoleRequest<'_>) -> Result<Markup, Fault> {
    let filters = Filters::new(request).text("query", "Name", "Beginning of a word of the name");
    let query = request.query("query").map(str::to_owned);
    let filter = OrganizationFilter { query, directory: None, state: None };
    let page = request.site().find_organizations(filter, request.cursor(), PAGE).await??;
    let directories = DirectoryNames::read(request).await?;
    let mut table = Table::new("Organizations to add", ["Name", "Managed by", "Add"]);
    for organization in &page.values {
        table.row([
            html! { a href=(request.link(&format!("/organizations/{}", organization.id))) { (organization.name) } },
            directories.manager(request, organization.managed_by.as_deref()),
            row_button("organization", &organization.id.to_string(), "Add", &organization.name),
        ]);
    }
    let found = (!page.values.is_empty()).then(|| table.show());
    Ok(listed(request, filters, found, "None fits", page.next.as_deref()))
}

fn listed(
    request: &ConsoleRequest<'_>,
    filters: Filters<'_>,
    found: Option<Markup>,
    nothing: &str,
    next: Option<&str>,
) -> Markup {
    let list = html! {
        @match found {
            Some(table) => (acts(request, &request.here_with(&[]), &table)),
            None => (empty(nothing, &html! { p { "Each word is the beginning of a word of the name. Try fewer letters." } })),
        }
        (pager(request, next))
    };
    filters.around(&list)
}
