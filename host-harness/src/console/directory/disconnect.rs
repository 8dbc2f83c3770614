//! `/console/directories/{id}/disconnect`: ends a directory.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Choice, Confirm, Ends, Form, counted};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::{Markup, html};

const FATE: &str = "What it manages";

/// Whether what it manages goes with it.
static FATES: [Choice<bool>; 2] = [
    Choice {
        is: false,
        word: "keep",
        name: "Keep it",
        does: "Customers and organizations stay as they are, with their access, and become local: edited here from now on.",
    },
    Choice {
        is: true,
        word: "remove",
        name: "Remove it",
        does: "Customers and organizations are out of sight and without access at once.",
    },
];

pub(in super::super) async fn ask(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::new("disconnect").with_choice("fate", &FATES, &false);
    page(&request, &Head::read(&request).await?, &form).await
}

pub(in super::super) async fn act(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("disconnect", &mut request).await?;
    let head = Head::read(&request).await?;
    let remove = match form.chosen("fate", FATE, &FATES) {
        Ok(remove) => remove,
        Err(fault) => return page(&request, &head, &form.refused(fault)?).await,
    };
    match request.site().disconnect_directory(request.actor(), &head.directory.id, remove).await? {
        Ok(()) => {
            let what = if remove { Done::DirectoryRemoved } else { Done::DirectoryDisconnected };
            Ok(done(&request, "/directories", what))
        }
        Err(error) => page(&request, &head, &form.refused(error)?).await,
    }
}

async fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Result<Reply, Fault> {
    let totals = request.site().totals().await??;
    let retention = request.site().settings().await??.retention_days;
    let managed = totals.directories.iter().find(|totals| totals.id == head.directory.id);
    let (customers, organizations) = managed.map_or((0, 0), |managed| (managed.customers, managed.organizations));
    let mut happens = vec![
        html! {
            (counted(head.status.keys.len() as u64, "key stops", "keys stop")) " at once. Requests of the identity "
            "provider are answered 401."
        },
        html! {
            (counted(head.status.users, "user", "users")) " and " (counted(head.status.groups, "group", "groups"))
            " of the directory are gone, with its settings, request log and conflicts. That cannot be undone; connecting "
            "again begins anew."
        },
        html! {
            b { (counted(customers, "customer", "customers")) " and "
                (counted(organizations, "organization", "organizations")) }
            " on the site are managed by it. You choose below what becomes of them."
        },
    ];
    happens.push(html! {
        @if retention == 0 { "What is removed is erased at once, for good: the site keeps nothing that is deleted." }
        @else { "What is removed can be restored for " (counted(retention, "day", "days")) ", one by one." }
    });
    let fields: Markup = form.choices("fate", FATE, &FATES);
    let ends = Ends::dangerous("Disconnect").or_back(head.path("/settings"));
    let confirm = Confirm { form, path: &head.path("/disconnect"), happens, fields, ends };
    let title = format!("Disconnect {}?", head.directory.settings.name);
    Ok(head
        .below(request, "Settings", "/settings", &title)
        .body(confirm.show(request))
        .reply_with(form.status(), request))
}
