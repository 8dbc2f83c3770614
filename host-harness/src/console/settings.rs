//! `/console/settings`: the settings of the site, and what each does.

use super::frame::{Page, Section};
use super::names::DirectoryNames;
use super::parts::{Facts, PAGE, Table, ago, copy, count, counted, empty, panel};
use super::request::ConsoleRequest;
use super::words;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::Directory;
use crate::runtime::site::{Position, SameName, Settings, Subject};
use maud::{Markup, html};

/// How many directories are listed.
const DIRECTORIES: u32 = 100;

pub(super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let site = request.site();
    let settings = site.settings().await??;
    let directories = site.directories(None, DIRECTORIES).await??;
    let same_names = site.same_names(Position::START, PAGE).await??;
    let names = DirectoryNames::read(&request).await?;
    let body = html! {
        (panel("The site", &of_site(&settings)))
        (panel("Directories", &of_directories(&request, &directories.values)))
        @if !same_names.values.is_empty() { (panel("Two of one name", &two_of_one(&request, &names, &same_names.values))) }
        (panel("This server", &of_server(&request)))
    };
    let lead = html! { "What holds for the whole site. Each directory has settings of its own." };
    Ok(Page::new(Section::Settings, "Settings").lead(lead).body(body).reply(&request))
}

fn of_site(settings: &Settings) -> Markup {
    let explained = |value: Markup, hint: &str| html! { (value) p.hint { (hint) } };
    let days = counted(settings.retention_days, "day", "days");
    Facts::new()
        .add(
            "Retention time",
            explained(
                html! { @if settings.retention_days == 0 { "None: erased at once" } @else { (days) } },
                "For how long deleted customers and organizations can be restored. Then they are erased for good.",
            ),
        )
        .add(
            "Members of a group",
            explained(
                html! { "At most " (count(settings.max_members)) },
                "A request that would go past it is refused whole, with the limit named.",
            ),
        )
        .add(
            "Groups of a directory",
            explained(
                html! { "At most " (count(settings.max_groups)) },
                "Likewise. A directory over it keeps its groups, and gets no others.",
            ),
        )
        .add(
            "Default locale",
            explained(
                html! { code { (settings.default_locale) } },
                "For customers without a locale, or with one that has no counterpart here.",
            ),
        )
        .add(
            "Locales",
            explained(
                html! { ul.words { @for locale in &settings.locales { li { code { (locale) } } } } },
                "Those that customers can have. What an identity provider sends becomes the closest of them.",
            ),
        )
        .show()
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
        .add("Admin API", html! { code { (request.place.url("/admin/v1")) } p.hint { "Settings are changed there: " code { "PATCH /admin/v1/settings" } "." } })
        .add("Described by", html! { a href=(request.place.url("/openapi.json")) { "openapi.json" } })
        .show()
}
