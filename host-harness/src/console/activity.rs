//! `/console/activity`: the change feed as sentences, newest first.

use super::detail::Detail;
use super::feed::{self, Part};
use super::frame::{Page, Section};
use super::kinds;
use super::parts::{Filters, at, empty, live, pager};
use super::request::ConsoleRequest;
use super::sentences::{Teller, admin};
use super::subjects::{Known, Subjects};
use crate::http::admin_request::number;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::changes::Filter;
use jiff::Timestamp;
use maud::{Markup, html};

/// How many changes there are on a page.
const SHOWN: u32 = 50;

const DAY: u64 = 24 * 3_600_000;

pub(super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let part = part(&request).await?;
    let filter = filter(&request);
    let last = feed::last(request.site(), &filter, part, SHOWN).await?;
    let asked = Detail {
        directory: filter.directory,
        user: filter.user,
        group: filter.group,
        customer: filter.customer,
        organization: filter.organization,
        project: filter.project,
        ..Detail::default()
    };
    let subjects = Subjects::of(&request, &asked, &last.changes).await?;
    let teller = Teller { request: &request, subjects: &subjects };
    let filters = about(filters(&request, &subjects), &asked, &subjects);
    let next = last.before.map(|before| before.to_string());
    let list = html! {
        @if last.changes.is_empty() {
            (nothing(filters.is_set(), next.is_some()))
        } @else {
            div.panel { (teller.feed(&last.changes, SHOWN as usize, at)) }
        }
        (pager(&request, next.as_deref()))
    };
    // Who looks at what is past is not to be moved on.
    let list = if request.cursor().is_none() { live("activity", &list) } else { list };
    let lead = html! { "Every change of the site, newest first: who did what to what." };
    Ok(Page::new(Section::Activity, "Activity").lead(lead).body(filters.around(&list)).reply(&request))
}

/// Which part of the feed is asked for.
async fn part(request: &ConsoleRequest<'_>) -> Result<Part, Fault> {
    let day = |name| request.query(name).and_then(beginning_of);
    let after = match day("from") {
        Some(from) => request.site().changes_before_time(from).await??,
        None => 0,
    };
    let before = match (request.cursor(), day("to")) {
        (Some(cursor), _) => Some(number(cursor).ok_or_else(Fault::not_found)?),
        (None, Some(to)) => Some(request.site().changes_before_time(to + DAY).await??.saturating_add(1)),
        (None, None) => None,
    };
    Ok(Part { after, before })
}

/// When a day begins, in milliseconds since the Unix epoch. What is no day does not narrow anything down.
fn beginning_of(day: &str) -> Option<u64> {
    let beginning: Timestamp = format!("{day}T00:00:00Z").parse().ok()?;
    u64::try_from(beginning.as_millisecond()).ok()
}

fn filter(request: &ConsoleRequest<'_>) -> Filter {
    let text = |name| request.query(name).map(str::to_owned);
    // A number that is none fits nothing.
    let whole = |name| request.query(name).map(|text| number(text).unwrap_or(u64::MAX));
    Filter {
        kinds: request.query("kind").map(kinds::asked).unwrap_or_default(),
        actor: text("actor"),
        directory: text("directory"),
        user: text("user"),
        group: text("group"),
        customer: text("customer"),
        organization: whole("organization"),
        project: whole("project"),
    }
}

fn filters<'a>(request: &'a ConsoleRequest<'a>, subjects: &Subjects) -> Filters<'a> {
    let directories = subjects.directories.choices();
    let mut actors: Vec<(String, String)> =
        directories.iter().map(|(id, name)| (format!("directory:{id}"), name.clone())).collect();
    actors.push(("admin:key".into(), "An administrator without a name".into()));
    actors.push(("usher".into(), "Usher itself".into()));
    if let Some(asked) = request.query("actor").filter(|asked| actors.iter().all(|(actor, _)| actor != asked)) {
        actors.push((asked.to_owned(), admin(asked).to_owned()));
    }
    Filters::new(request)
        .groups("kind", "What", "Anything", &kinds::GROUPS)
        .choice("actor", "Who", "Anybody", &actors)
        .day("from", "From (UTC)")
        .day("to", "To (UTC)")
}

/// What a link has narrowed the feed down to, by name.
fn about<'a>(filters: Filters<'a>, asked: &Detail, subjects: &Subjects) -> Filters<'a> {
    let name = |known: Option<&Known>| known.and_then(Known::name).unwrap_or("one that is gone").to_owned();
    let resource = |id: &Option<String>| id.as_deref().map(|id| subjects.resource(id).unwrap_or(id).to_owned());
    filters
        .kept("directory", "Directory", asked.directory.as_deref().map(|id| subjects.directories.name(id).to_owned()))
        .kept("customer", "Customer", asked.customer.as_deref().map(|id| name(subjects.customer(id))))
        .kept("organization", "Organization", asked.organization.map(|id| name(subjects.organization(id))))
        .kept("project", "Project", asked.project.map(|id| name(subjects.project(id))))
        .kept("user", "User", resource(&asked.user))
        .kept("group", "Group", resource(&asked.group))
}

fn nothing(asked: bool, more: bool) -> Markup {
    if asked && more {
        // A page looks at so many changes and no more.
        return empty("None so far", &html! { p { "Go on to the next page: there are older changes to look at." } });
    }
    if asked {
        return empty("Nothing fits", &html! { p { "Take one of the filters away, or go further back in time." } });
    }
    empty(
        "Nothing yet",
        &html! { p { "What directories push and administrators do stands here, from the first change on." } },
    )
}
