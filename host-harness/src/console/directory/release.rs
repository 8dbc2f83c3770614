//! `/console/directories/{id}/held/release`: lets the deletions and deactivations through that are held.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Confirm, Ends, Form, PAGE, count, counted};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::html;

pub(in super::super) async fn ask(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    page(&request, &Head::read(&request).await?, &Form::new("release")).await
}

pub(in super::super) async fn act(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("release", &mut request).await?;
    let head = Head::read(&request).await?;
    match request.site().release_deletions(request.actor(), &head.directory.id).await? {
        Ok(()) => Ok(done(&request, &head.path("/held"), Done::DeletionsReleased)),
        Err(error) => page(&request, &head, &form.refused(error)?).await,
    }
}

async fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Result<Reply, Fault> {
    let held = request.site().held(&head.directory.id, None, PAGE).await??;
    let all = u64::from(head.status.held);
    let (deleted, deactivated): (Vec<_>, Vec<_>) = held.values.iter().partition(|held| held.deletes);
    let named = [("deleted", deleted), ("deactivated", deactivated)];
    let left_out = all.saturating_sub(held.values.len() as u64);
    let mut happens = vec![html! {
        b { (counted(all, "deletion or deactivation goes", "deletions and deactivations go")) " through" }
        " when the identity provider tries again, which it does by itself."
    }];
    for (what, held) in named.iter().filter(|(_, held)| !held.is_empty()) {
        happens.push(html! {
            "To be " (what) ": "
            @for (index, held) in held.iter().enumerate() { @if index > 0 { ", " } bdi { (held.name) } }
            "."
        });
    }
    if left_out > 0 {
        happens.push(html! { "And " (count(left_out)) " more, which " a href=(request.link(&head.path("/held"))) { "the list" } " names." });
    }
    happens.push(html! { "For an hour, any others that it asks for go through as well, uncounted. Whoever is deleted can be restored." });
    let ends = Ends::dangerous("Let them through").or_back(head.path("/held"));
    let confirm = Confirm { form, path: &head.path("/held/release"), happens, fields: html! {}, ends };
    let page = head.below(request, "Held", "/held", "Let the deletions through?");
    Ok(page.body(confirm.show(request)).reply_with(form.status(), request))
}
