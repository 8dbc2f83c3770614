//! `/console/customers`: found by name, address, directory and state.

use super::super::frame::{Page, Section};
use super::super::names::DirectoryNames;
use super::super::parts::{Filters, PAGE, Table, count, day, empty, numeric, pager};
use super::super::request::ConsoleRequest;
use super::super::words::{self, CUSTOMER_STATES};
use super::lists;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site;
use maud::{Markup, html};

pub(in super::super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let site = request.site();
    let directories = DirectoryNames::read(&request).await?;
    let totals = site.totals().await??.customers;
    let filters = Filters::new(&request)
        .text("query", "Name or address", "Beginning of a name or an address")
        .choice("directory", "Directory", "Any", directories.choices())
        .choice("state", "State", "Any", &CUSTOMER_STATES);
    let filter = site::CustomerFilter {
        query: request.query("query").map(str::to_owned),
        directory: request.query("directory").map(str::to_owned),
        state: request.query("state").and_then(words::customer_state),
    };
    let page = if filters.is_set() {
        site.find_customers(filter, request.cursor(), PAGE).await??
    } else {
        site.customers(request.position(), PAGE).await??
    };
    let list = if page.values.is_empty() {
        nothing(filters.is_set(), page.next.is_some())
    } else {
        table(&request, &directories, &page.values)
    };
    let list = html! { (list) (pager(&request, page.next.as_deref())) };
    let lead = html! {
        (count(totals.all)) " in all: " (count(totals.managed)) " managed by directories, " (count(totals.local)) " local, "
        (count(totals.inactive)) " deactivated."
    };
    let page = Page::new(Section::Customers, "Customers").lead(lead).tabs(lists(&request, "On the site"));
    let page = page.actions(html! { a.button href=(request.link("/customers/new")) { "New customer" } });
    Ok(page.body(filters.around(&list)).reply(&request))
}

fn table(request: &ConsoleRequest<'_>, directories: &DirectoryNames, customers: &[site::Customer]) -> Markup {
    let mut table = Table::new(
        "Customers",
        [("Name", false), ("Address", false), ("State", false), ("Managed by", false), numeric("Since")],
    );
    for customer in customers {
        table.row([
            html! { a href=(request.link(&format!("/customers/{}", customer.id))) { (customer.display_name) } },
            html! { (customer.email) },
            words::active(customer.active),
            directories.manager(request, customer.managed_by.as_deref()),
            day(customer.created_at),
        ]);
    }
    table.show()
}

fn nothing(asked: bool, more: bool) -> Markup {
    if asked && more {
        // A page looks at so many entries and no more.
        return empty("Nobody so far", &html! { p { "Go on to the next page: there is more to look at." } });
    }
    if asked {
        return empty(
            "Nobody fits",
            &html! { p { "Each word is the beginning of a word of the name, or of the address. Try fewer letters." } },
        );
    }
    empty(
        "No customers yet",
        &html! { p { "They come with the users that an identity provider pushes, or are made on the site." } },
    )
}
