//! `/console/customers/new` and `/console/customers/{id}/edit`.

use super::super::done::Done;
use super::super::frame::{Page, Section, done};
use super::super::names::DirectoryNames;
use super::super::parts::{Choice, Ends, Form, Tone, note};
use super::super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::site::{Customer, CustomerUpdate, NewCustomer};
use maud::{Markup, html};

const STATUS: &str = "Status";

/// Whether portals are open to the customer.
static STATUSES: [Choice<bool>; 2] = [
    Choice {
        is: true,
        word: "active",
        name: "Active",
        does: "It may use what its organizations and projects open to it.",
    },
    Choice {
        is: false,
        word: "deactivated",
        name: "Deactivated",
        does: "No project is open to it. Memberships are kept, and hold again when it is activated.",
    },
];

pub(in super::super) async fn blank(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    making(&request, &Form::new("customer")).await
}

pub(in super::super) async fn make(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("customer", &mut request).await?;
    let customer = NewCustomer {
        email: form.text("email").to_owned(),
        display_name: form.text("name").to_owned(),
        time_zone: form.entered("time-zone").map(str::to_owned),
        locale: form.entered("locale").map(str::to_owned),
    };
    match request.site().create_customer(request.actor(), customer).await? {
        Ok(customer) => Ok(done(&request, &format!("/customers/{}", customer.id), Done::CustomerMade)),
        Err(error) => making(&request, &form.refused(error)?).await,
    }
}

pub(in super::super) async fn edit(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let customer = request.site().customer(request.parameter(0)).await??;
    let form = Form::new("customer")
        .with("name", &customer.display_name)
        .with("email", &customer.email)
        .with("time-zone", customer.time_zone.clone().unwrap_or_default())
        .with("locale", &customer.locale)
        .with_choice("status", &STATUSES, &customer.active)
        .seen(&customer);
    editing(&request, &customer, &form).await
}

pub(in super::super) async fn save(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let mut form = Form::sent("customer", &mut request).await?;
    let customer = request.site().customer(request.parameter(0)).await??;
    let refused = match update(&customer, &mut form) {
        Ok(update) => match request.site().update_customer(request.actor(), &customer.id, update).await? {
            Ok(_) => return Ok(done(&request, &format!("/customers/{}", customer.id), Done::CustomerSaved)),
            Err(error) => error.into(),
        },
        Err(fault) => fault,
    };
    editing(&request, &customer, &form.refused(refused)?).await
}

/// What the form asks for that is not so already.
fn update(now: &Customer, form: &mut Form) -> Result<CustomerUpdate, Fault> {
    form.is_current(now)?;
    let status = form.chosen("status", STATUS, &STATUSES)?;
    let other = |field: &str, now: &str| Some(form.text(field)).filter(|text| *text != now).map(str::to_owned);
    Ok(CustomerUpdate {
        email: other("email", &now.email),
        display_name: other("name", &now.display_name),
        active: (status != now.active).then_some(status),
        time_zone: other("time-zone", now.time_zone.as_deref().unwrap_or_default()),
        locale: other("locale", &now.locale),
    })
}

async fn making(request: &ConsoleRequest<'_>, form: &Form) -> Result<Reply, Fault> {
    let fields = fields(request, form, &[("", "The site's default")]).await?;
    let ends = Ends::with("Make the customer").or_back("/customers");
    let body = html! { section.panel { (form.show(request, "/customers/new", &fields, &ends)) } };
    let lead = html! { "A local customer, edited here. Should an identity provider push somebody with this address, the two are linked." };
    let page = Page::new(Section::Customers, "New customer").under("Customers", "/customers").lead(lead);
    Ok(page.body(body).reply_with(form.status(), request))
}

async fn editing(request: &ConsoleRequest<'_>, customer: &Customer, form: &Form) -> Result<Reply, Fault> {
    let path = format!("/customers/{}", customer.id);
    let body = match &customer.managed_by {
        Some(directory) => {
            let directories = DirectoryNames::read(request).await?;
            html! {
                (note(Tone::Quiet, &html! {
                    p { "Managed by " (directories.manager(request, Some(directory))) ": edited at the identity provider." }
                    p { "To edit it here, " a href=(request.link(&format!("{path}/unlink"))) { "unlink it" } " first." }
                }))
            }
        }
        None => {
            let fields = html! {
                (fields(request, form, &[]).await?)
                (form.choices("status", STATUS, &STATUSES))
            };
            let ends = Ends::with("Save").or_back(&path);
            html! { section.panel { (form.show(request, &format!("{path}/edit"), &fields, &ends)) } }
        }
    };
    let page = Page::new(Section::Customers, format!("Edit {}", customer.display_name));
    let page = page.under("Customers", "/customers").under(&customer.display_name, path);
    Ok(page.body(body).reply_with(form.status(), request))
}

async fn fields(request: &ConsoleRequest<'_>, form: &Form, unset: &[(&str, &str)]) -> Result<Markup, Fault> {
    let settings = request.site().settings().await??;
    let mut locales: Vec<(&str, &str)> = unset.to_vec();
    locales.extend(settings.locales.iter().map(|locale| (locale.as_str(), locale.as_str())));
    // One that the site no longer has is kept until another is chosen.
    let now = form.text("locale");
    if !locales.iter().any(|(locale, _)| *locale == now) {
        locales.push((now, now));
    }
    Ok(html! {
        (form.line("name", "Name", ""))
        (form.line("email", "Address", "The email address, which no other customer has."))
        (form.select("locale", "Locale", "", &locales))
        (form.line("time-zone", "Time zone", "By its name in the IANA database, such as Europe/Berlin. May be left empty."))
    })
}
