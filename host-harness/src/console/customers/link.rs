//! `/console/customers/{id}/unlink` and `/relink`: who edits a customer.

use super::super::done::Done;
use super::super::frame::{Page, Section, done};
use super::super::names::DirectoryNames;
use super::super::parts::{Confirm, Ends, Form, counted};
use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::Customer;
use maud::html;

pub(in super::super) async fn ask_unlink(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let customer = request.site().customer(request.parameter(0)).await??;
    unlinking(&request, &customer, &Form::new("unlink")).await
}

pub(in super::super) async fn unlink(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("unlink", &mut request).await?;
    let customer = request.site().customer(request.parameter(0)).await??;
    match request.site().unlink_customer(request.actor(), &customer.id).await? {
        Ok(_) => Ok(done(&request, &format!("/customers/{}", customer.id), Done::CustomerUnlinked)),
        Err(error) => unlinking(&request, &customer, &form.refused(error)?).await,
    }
}

pub(in super::super) async fn ask_relink(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let customer = request.site().customer(request.parameter(0)).await??;
    relinking(&request, &customer, &Form::new("relink")).await
}

pub(in super::super) async fn relink(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("relink", &mut request).await?;
    let customer = request.site().customer(request.parameter(0)).await??;
    match request.site().relink_customer(request.actor(), &customer.id, form.entered("directory")).await? {
        Ok(_) => Ok(done(&request, &format!("/customers/{}", customer.id), Done::CustomerLinked)),
        Err(error) => relinking(&request, &customer, &form.refused(error)?).await,
    }
}

async fn unlinking(request: &ConsoleRequest<'_>, customer: &Customer, form: &Form) -> Result<Reply, Fault> {
    let organizations = request.site().organizations_of(&customer.id).await??;
    let leaves = organizations.iter().filter(|one| one.managed_by == customer.managed_by && one.managed_by.is_some());
    let leaves = leaves.count() as u64;
    let stays = organizations.len() as u64 - leaves;
    let happens = vec![
        html! {
            "It leaves " b { (counted(leaves, "organization", "organizations")) } " that the directory manages, and loses the "
            "projects that only these open. It stays in " (counted(stays, "other", "others")) "."
        },
        html! { "It becomes local: edited here, and no longer by the identity provider, whatever that sends. A leaver is no longer deactivated by it." },
        html! { "Its user stays in the directory, listed under Unlinked. You can link the two again." },
    ];
    let path = format!("/customers/{}", customer.id);
    let ends = Ends::dangerous("Unlink the customer").or_back(&path);
    let confirm = Confirm { form, path: &format!("{path}/unlink"), happens, fields: html! {}, ends };
    let page = under(customer, format!("Unlink {}?", customer.display_name));
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}

async fn relinking(request: &ConsoleRequest<'_>, customer: &Customer, form: &Form) -> Result<Reply, Fault> {
    let directories = DirectoryNames::read(request).await?;
    let any = (String::new(), "Any that has a user with this address".to_owned());
    let options: Vec<_> = std::iter::once(any).chain(directories.choices().iter().cloned()).collect();
    let happens = vec![
        html! { "It is linked to the user with the address " b { (customer.email) } " who is linked to no customer." },
        html! { "It follows the user at once: name, status, time zone and locale, and the organizations of the user's groups." },
        html! { "From then on it is edited at the identity provider only." },
    ];
    let fields = form.select("directory", "Directory", "", &options);
    let path = format!("/customers/{}", customer.id);
    let ends = Ends::with("Link the customer").or_back(&path);
    let confirm = Confirm { form, path: &format!("{path}/relink"), happens, fields, ends };
    let page = under(customer, format!("Link {}?", customer.display_name));
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}

fn under(customer: &Customer, title: String) -> Page {
    let page = Page::new(Section::Customers, title).under("Customers", "/customers");
    page.under(&customer.display_name, format!("/customers/{}", customer.id))
}
