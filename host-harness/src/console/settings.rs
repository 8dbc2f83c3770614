//! `/console/settings`: the settings of the site, what each does, and changing them.

use super::done::Done;
use super::frame::{Page, Section, done};
use super::names::DirectoryNames;
use super::parts::{Ends, Facts, Form, PAGE, Table, ago, copy, count, empty, panel};
use super::request::ConsoleRequest;
use super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::Directory;
use crate::runtime::site::{Position, SameName, Settings, SettingsUpdate, Subject};
use maud::{Markup, html};

/// How many directories are listed.
const DIRECTORIES: u32 = 100;

const RETENTION: &str = "Retention time, in days";

const MEMBERS: &str = "Members of a group at most";

const GROUPS: &str = "Groups of a directory at most";

pub(super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let settings = request.site().settings().await??;
    let form = Form::new("settings")
        .with("retention", settings.retention_days.to_string())
        .with("members", settings.max_members.to_string())
        .with("groups", settings.max_groups.to_string())
        .with("locale", &settings.default_locale)
        .with("locales", settings.locales.join("\n"))
        .seen(&settings);
    page(&request, &form).await
}

pub(super) async fn save(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let mut form = Form::sent("settings", &mut request).await?;
    let now = request.site().settings().await??;
    let refused = match update(&now, &mut form) {
        Ok(update) => match request.site().update_settings(request.actor(), update).await? {
            Ok(_) => return Ok(done(&request, "/settings", Done::SettingsSaved)),
            Err(error) => error.into(),
        },
        Err(fault) => fault,
    };
    page(&request, &form.refused(refused)?).await
}

/// What the form asks for.
fn update(now: &Settings, form: &mut Form) -> Result<SettingsUpdate, Fault> {
    form.is_current(now)?;
    let locales = form.text("locales").split([',', ' ', '\r', '\n']).filter(|locale| !locale.is_empty());
    Ok(SettingsUpdate {
        locales: Some(locales.map(str::to_owned).collect()),
        default_locale: Some(form.text("locale").to_owned()),
        max_members: Some(form.number("members", MEMBERS)?),
        max_groups: Some(form.number("groups", GROUPS)?),
        retention_days: Some(form.number("retention", RETENTION)?),
    })
}

async fn page(request: &ConsoleRequest<'_>, form: &Form) -> Result<Reply, Fault> {
    let site = request.site();
    let directories = site.directories(None, DIRECTORIES).await??;
    let same_names = site.same_names(Position::START, PAGE).await??;
    let names = DirectoryNames::read(request).await?;
    let fields = html! {
        (form.digits("retention", RETENTION, "For so many days deleted customers and organizations can be restored. Then they \
            are erased for good; with 0, at once. It holds for what is deleted from now on."))
        (form.digits("members", MEMBERS, "A request that would go past it is refused whole. A group over it stays as it is, \
            and does not grow."))
        (form.digits("groups", GROUPS, "Likewise. A directory over it keeps its groups, and gets no others."))
        (form.line("locale", "Default locale", "For customers without a locale, or with one that has no counterpart here. One \
            of those below."))
        (form.area("locales", "Locales", "Those that customers can have, one on each line. What an identity provider sends \
            becomes the closest of them. Customers keep theirs until they are changed."))
    };
    let body = html! {
        (panel("The site", &form.show(request, "/settings", &fields, &Ends::with("Save settings"))))
        (panel("Directories", &of_directories(request, &directories.values)))
        @if !same_names.values.is_empty() { (panel("Two of one name", &two_of_one(request, &names, &same_names.values))) }
        (panel("This server", &of_server(request)))
    };
    let lead = html! { "What holds for the whole site. Each directory has settings of its own." };
    let page = Page::new(Section::Settings, "Settings").lead(lead).body(body);
    Ok(page.reply_with(form.status(), request))
}

fn of_directories(request: &ConsoleRequest<'_>, directories: &[Directory]) -> Markup {
    let mut table = Table::new("Directories", ["Directory", "Mode", "Conflict policy", "Deletion limit"]);
    for directory in directories {
        let settings = &directory.settings;
        table.row([
            html! { a href=(request.link(&format!("/directories/{}/settings", directory.id))) { (settings.name) } },
            words::mode(settings.mode),
            html! { (words::conflict_policy(settings.conflict_policy)) },
            html! {
                @match settings.deletion_limit {
                    Some(limit) => { (count(limit)) " an hour" }
                    None => span.hint { "None" },
                }
            },
        ]);
    }
    html! {
        @if directories.is_empty() {
            (empty("No identity provider is connected", &html! { p { "A directory is one identity provider that pushes its users and groups." } }))
        } @else {
            (table.show())
        }
    }
}

/// What has the name of another: of a site that an earlier version made.
fn two_of_one(request: &ConsoleRequest<'_>, names: &DirectoryNames, same_names: &[SameName]) -> Markup {
    let mut table = Table::new("Two of one name", ["Name", "Which", "The other", "Since"]);
    for same in same_names {
        table.row([
            html! { (same.name) },
            subject(request, names, &same.subject),
            subject(request, names, &same.other),
            ago(same.since, request.now),
        ]);
    }
    html! {
        p.hint { "An earlier version told these names apart. Lookups by name find the older one until one of them gets another name." }
        (table.show())
    }
}

fn subject(request: &ConsoleRequest<'_>, names: &DirectoryNames, subject: &Subject) -> Markup {
    let link = |path: String, text: &str| html! { a href=(request.link(&path)) { (text) } };
    match subject {
        Subject::Directory(id) => link(format!("/directories/{id}"), names.name(id)),
        Subject::Customer(id) => link(format!("/customers/{id}"), "Customer"),
        Subject::Organization(id) => link(format!("/organizations/{id}"), &format!("Organization {id}")),
        Subject::User(id) => html! { "User " code { (id) } },
        Subject::Group(id) => html! { "Group " code { (id) } },
    }
}

fn of_server(request: &ConsoleRequest<'_>) -> Markup {
    Facts::new()
        .add("Version", html! { "Usher " (env!("CARGO_PKG_VERSION")) })
        .add("Address", copy(&request.place.url("")))
        .add("Admin API", copy(&request.place.url("/admin/v1")))
        .add("Described by", html! { a href=(request.place.url("/openapi.json")) { "openapi.json" } })
        .show()
}
