//! `/console/directories/{id}/stage`: has what a directory pushes planned from now on; stops an apply that is under way.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Confirm, Ends, Form, count, counted};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{Mode, SettingsUpdate};
use maud::html;

pub(in super::super) async fn ask(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    page(&request, &Head::read(&request).await?, &Form::new("stage")).await
}

pub(in super::super) async fn act(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("stage", &mut request).await?;
    let head = Head::read(&request).await?;
    let update = SettingsUpdate { mode: Some(Mode::Staged), ..SettingsUpdate::default() };
    match request.site().update_directory(request.actor(), &head.directory.id, update).await? {
        Ok(_) => Ok(done(&request, &head.path("/plan"), Done::DirectoryStaged)),
        Err(error) => page(&request, &head, &form.refused(error)?).await,
    }
}

async fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Result<Reply, Fault> {
    let applying = head.directory.settings.mode == Mode::Applying;
    let progress = request.site().apply_progress(&head.directory.id).await??;
    let happens = vec![
        html! {
            @if let Some(progress) = progress.filter(|_| applying) {
                "The apply stops. What it has done, " (count(progress.done)) " of " (count(progress.of)) ", stays done; the rest is planned."
            } @else {
                "The site stands still: " (counted(head.status.users, "user", "users")) " and "
                (counted(head.status.groups, "group", "groups")) " keep the customers and organizations that they have."
            }
        },
        html! { "What the identity provider pushes from now on is planned, deactivations and deletions too: whoever leaves keeps access until you apply the plan." },
        html! { "The identity provider notices nothing. The directory is live again when the plan is applied." },
    ];
    let title = if applying { "Stop the apply?" } else { "Stage the directory?" };
    let (tab, rest, text) =
        if applying { ("Plan", "/plan", "Stop the apply") } else { ("Settings", "/settings", "Stage the directory") };
    let ends = Ends::with(text).or_back(head.path(rest));
    let confirm = Confirm { form, path: &head.path("/stage"), happens, fields: html! {}, ends };
    Ok(head.below(request, tab, rest, title).body(confirm.show(request)).reply_with(form.status(), request))
}
