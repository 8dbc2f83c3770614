//! `/console/customers/{id}/delete`, `/restore` and `/erase`.

use super::super::done::Done;
use super::super::frame::{Page, Section, done};
use super::super::parts::{Confirm, Ends, Form, counted};
use super::super::request::ConsoleRequest;
use super::super::subjects::last_name;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{self, Customer};
use maud::html;

/// How many entries of a history are looked at for the name of what is deleted.
const HISTORY: u32 = 10;

pub(in super::super) async fn ask_delete(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let customer = request.site().customer(request.parameter(0)).await??;
    deletion(&request, &customer, &Form::new("delete")).await
}

pub(in super::super) async fn delete(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("delete", &mut request).await?;
    let customer = request.site().customer(request.parameter(0)).await??;
    // Of a site without a retention time, nothing is left to show.
    let kept = request.site().settings().await??.retention_days > 0;
    match request.site().delete_customer(request.actor(), &customer.id).await? {
        Ok(()) if kept => Ok(done(&request, &format!("/customers/{}", customer.id), Done::CustomerDeleted)),
        Ok(()) => Ok(done(&request, "/customers", Done::CustomerErased)),
        Err(error) => deletion(&request, &customer, &form.refused(error)?).await,
    }
}

pub(in super::super) async fn restore(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    Form::sent("restore", &mut request).await?;
    let customer = request.site().restore_customer(request.actor(), request.parameter(0)).await??;
    Ok(done(&request, &format!("/customers/{}", customer.id), Done::CustomerRestored))
}

pub(in super::super) async fn ask_erase(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    erasure(&request, &Form::new("erase")).await
}

pub(in super::super) async fn erase(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("erase", &mut request).await?;
    match request.site().erase_customer(request.actor(), request.parameter(0)).await? {
        Ok(()) => Ok(done(&request, "/customers/deleted", Done::CustomerErased)),
        Err(error) => erasure(&request, &form.refused(error)?).await,
    }
}

async fn deletion(request: &ConsoleRequest<'_>, customer: &Customer, form: &Form) -> Result<Reply, Fault> {
    let organizations = request.site().organizations_of(&customer.id).await??.len() as u64;
    let projects = request.site().projects_of(&customer.id).await??.len() as u64;
    let days = request.site().settings().await??.retention_days;
    let happens = vec![
        html! {
            "It leaves " (counted(organizations, "organization", "organizations")) " and loses "
            (counted(projects, "project", "projects")) " at once. Its address is free for another."
        },
        html! {
            @if days == 0 { b { "It is erased at once, for good:" } " the site keeps nothing that is deleted." }
            @else { "For " (counted(days, "day", "days")) " it can be restored, with its memberships and projects. Then it is erased for good." }
        },
    ];
    let path = format!("/customers/{}", customer.id);
    let ends = Ends::dangerous("Delete the customer").or_back(&path);
    let fields = html! {
        @if days > 0 { p.hint { "To leave nothing of it at all, " a href=(request.link(&format!("{path}/erase"))) { "erase it for good" } "." } }
    };
    let confirm = Confirm { form, path: &format!("{path}/delete"), happens, fields, ends };
    let page = Page::new(Section::Customers, format!("Delete {}?", customer.display_name));
    let page = page.under("Customers", "/customers").under(&customer.display_name, &path);
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}

/// Asks before a customer is erased, be it deleted already or not.
async fn erasure(request: &ConsoleRequest<'_>, form: &Form) -> Result<Reply, Fault> {
    let (site, id) = (request.site(), request.parameter(0));
    let (name, deleted) = match site.customer(id).await? {
        Ok(customer) => (customer.display_name, false),
        Err(error @ site::Error::NotFound(_)) => {
            let Ok(history) = site.customer_history(id, None, HISTORY).await? else { return Err(error.into()) };
            let name = last_name(&history.values).name().map(str::to_owned);
            (name.ok_or_else(|| Fault::from(error))?, true)
        }
        Err(error) => return Err(error.into()),
    };
    let mut happens = vec![html! {
        b { "All that the site knows of the customer is erased, and nobody can bring it back:" }
        " name, address, history, and its name in log entries and captured bodies."
    }];
    if deleted {
        happens.push(html! { "It can no longer be restored then." });
    } else {
        let organizations = site.organizations_of(id).await??.len() as u64;
        let projects = site.projects_of(id).await??.len() as u64;
        happens.push(html! {
            "It leaves " (counted(organizations, "organization", "organizations")) " and loses "
            (counted(projects, "project", "projects")) " at once."
        });
    }
    happens.push(html! { "A new customer with this address is another one." });
    let path = format!("/customers/{id}");
    let ends = Ends::dangerous("Erase for good").or_back(&path);
    let confirm = Confirm { form, path: &format!("{path}/erase"), happens, fields: html! {}, ends };
    let page = Page::new(Section::Customers, format!("Erase {name} for good?"));
    let page = page.under("Customers", "/customers").under(name, &path);
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}
