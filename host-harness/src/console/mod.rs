//! The console at `/console`: pages for a site's administrators, made on the server.
//!
//! A page calls methods of [`Site`](crate::Site) and shows what they answer; it knows no rule of its own. Everything works
//! without a script but what is alive.
//!
//! # Adding a page
//!
//! 1. A module of its own, named by what it shows, with `async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault>`.
//!    Errors of [`Site`](crate::Site) become pages by `?`: `request.site().customer(id).await??`.
//! 2. A row in [`PAGES`], where the variable parts of the path are `request.parameter(0)` and on, and the query is
//!    `request.query("name")`. A page to look at is `GET`.
//! 3. `Page::new(section, title).body(html! { … }).reply(&request)` puts it into the frame. Links are
//!    `request.link("/customers")`, never written out: the public URL may have a path in front.
//! 4. [`parts`] has what pages are made of: tables, badges, filters, pagers, times, counts, tabs, empty states. What a
//!    directory, a state or a kind of change is called stands in [`words`]. What a page looks like stands in
//!    `assets/console.css`; an element has classes, and no `style`, which the content security policy forbids.
//! 5. What is to follow the site by itself lies in [`parts::live`], with an id: the script asks for the page again when
//!    something was committed, and puts those parts in place.
//! 6. Lists are read with [`parts::PAGE`] entries at a time. A page makes a bounded number of calls, however large the site:
//!    `tests/host_console.rs` has a list of all paths, to which a new one is added.
//!
//! # Adding an action
//!
//! An action is a module beside the page that it is on, and its path lies under that page's: whoever is refused something
//! finds the way back there. `GET` shows its form, `POST` to the same path does it:
//!
//! ```text
//! async fn ask(request)      -> page(&request, &thing, &Form::new("rename").with("name", &thing.name).seen(&thing))
//! async fn act(mut request)  -> let mut form = Form::sent("rename", &mut request).await?;    // checks the token
//!                               form.is_current(&thing)                                      // nobody is overwritten
//!                               match request.site().rename(request.actor(), …, form.text("name")).await? {
//!                                   Ok(_) => Ok(frame::done(&request, path, Done::Renamed)),  // 303, and a message there
//!                                   Err(error) => page(&request, &thing, &form.refused(error)?),
//!                               }
//! ```
//!
//! 1. [`parts::Form`] has the fields, what was entered into them, and the reason of a refusal, which stands above them;
//!    `page` answers with [`Form::status`](parts::Form::status). What the engine refuses comes back so; anything else is an
//!    error page. Rules are the engine's: a form checks nothing but that a number is one.
//! 2. After a change the browser is sent on by [`frame::done`], so that loading the page again repeats nothing. What is said
//!    there is a variant of [`done::Done`]; a secret that is shown once is the exception, and its page answers the `POST`.
//! 3. What takes something away asks once: [`parts::Confirm`] says in numbers what will happen, with one button and a way
//!    back. Where there is a way to undo it, the page that one comes to has it.
//! 4. What needs no question is a button on its page ([`parts::act`], or [`parts::acts`] around a list with a button in each
//!    row), and has no `GET`.
//! 5. Forms with fields stand outside of [`parts::live`], which would take away what is being entered.

mod access;
mod activity;
mod assets;
mod attributes;
mod chart;
mod choices;
mod connect;
mod customers;
mod detail;
mod directory;
mod done;
mod feed;
mod frame;
mod guide;
mod history;
mod kinds;
mod live;
mod names;
mod one_time;
mod organizations;
mod overview;
mod parts;
mod picker;
mod place;
mod projects;
mod providers;
mod reasons;
mod request;
mod sentences;
mod session;
mod set_up;
mod settings;
mod sign_in;
mod subjects;
mod trouble;
mod words;

use crate::http::context::RequestContext;
use crate::http::fault::Fault;
use crate::http::origin;
use crate::http::reply::Reply;
use crate::http::routes::{Endpoints, Routes, endpoints};
use crate::http::sign_in_links;
use crate::http::state::State;
use place::Place;
use request::ConsoleRequest;
use session::Session;
use std::pin::Pin;

/// Makes a page.
type Handler = for<'a> fn(ConsoleRequest<'a>) -> Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'a>>;

/// The pages, all for those who have signed in.
static PAGES: &Endpoints<Handler> = endpoints! {
    "/console" => { GET overview::show }
    "/console/sign-out" => { POST sign_in::sign_out }
    "/console/live" => { GET live::follow }
    "/console/connect" => { GET connect::show, POST connect::connect }
    "/console/directories" => { GET directory::list::show }
    "/console/directories/{id}" => { GET directory::status::show }
    "/console/directories/{id}/plan" => { GET directory::plan::show }
    "/console/directories/{id}/plan/apply" => { GET directory::apply::ask, POST directory::apply::act }
    "/console/directories/{id}/plan/{kind}" => { GET directory::planned::list }
    "/console/directories/{id}/plan/members/{group}" => { GET directory::planned::members }
    "/console/directories/{id}/conflicts" => { GET directory::conflicts::open }
    "/console/directories/{id}/conflicts/left" => { GET directory::conflicts::left }
    "/console/directories/{id}/conflicts/adopted" => { GET directory::conflicts::adopted }
    "/console/directories/{id}/conflicts/{group}" => { GET directory::resolve::show, POST directory::resolve::act }
    "/console/directories/{id}/held" => { GET directory::held::show }
    "/console/directories/{id}/held/release" => { GET directory::release::ask, POST directory::release::act }
    "/console/directories/{id}/unlinked" => { GET directory::unlinked::show }
    "/console/directories/{id}/groups" => { GET directory::groups::list }
    "/console/directories/{id}/groups/{group}" => { GET directory::group::show, POST directory::group::check }
    "/console/directories/{id}/groups/{group}/repair" => { POST directory::group::repair }
    "/console/directories/{id}/requests" => { GET directory::requests::list }
    "/console/directories/{id}/requests/capture" => { GET directory::capture::ask, POST directory::capture::start }
    "/console/directories/{id}/requests/capture/stop" => { POST directory::capture::stop }
    "/console/directories/{id}/requests/{sequence}" => { GET directory::requests::one }
    "/console/directories/{id}/keys" => { GET directory::keys::show, POST directory::keys::rotate }
    "/console/directories/{id}/keys/{key}/revoke" => { GET directory::keys::ask, POST directory::keys::revoke }
    "/console/directories/{id}/set-up" => { GET directory::set_up::show, POST directory::set_up::make_link }
    "/console/directories/{id}/set-up/{link}/revoke" => { POST directory::set_up::revoke_link }
    "/console/directories/{id}/settings" => { GET directory::settings::show, POST directory::settings::save }
    "/console/directories/{id}/stage" => { GET directory::stage::ask, POST directory::stage::act }
    "/console/directories/{id}/rules" => { GET directory::rules::show, POST directory::rules::apply }
    "/console/directories/{id}/disconnect" => { GET directory::disconnect::ask, POST directory::disconnect::act }
    "/console/customers" => { GET customers::list }
    "/console/customers/deleted" => { GET customers::deleted }
    "/console/customers/new" => { GET customers::edit::blank, POST customers::edit::make }
    "/console/customers/{id}" => { GET customers::one }
    "/console/customers/{id}/history" => { GET customers::history }
    "/console/customers/{id}/edit" => { GET customers::edit::edit, POST customers::edit::save }
    "/console/customers/{id}/delete" => { GET customers::removal::ask_delete, POST customers::removal::delete }
    "/console/customers/{id}/restore" => { POST customers::removal::restore }
    "/console/customers/{id}/erase" => { GET customers::removal::ask_erase, POST customers::removal::erase }
    "/console/customers/{id}/unlink" => { GET customers::link::ask_unlink, POST customers::link::unlink }
    "/console/customers/{id}/relink" => { GET customers::link::ask_relink, POST customers::link::relink }
    "/console/organizations" => { GET organizations::list }
    "/console/organizations/deleted" => { GET organizations::deleted }
    "/console/organizations/new" => { GET organizations::edit::blank, POST organizations::edit::make }
    "/console/organizations/{id}" => { GET organizations::one }
    "/console/organizations/{id}/history" => { GET organizations::history }
    "/console/organizations/{id}/add" => { GET organizations::members::pick, POST organizations::members::add }
    "/console/organizations/{id}/remove" => { POST organizations::members::remove }
    "/console/organizations/{id}/edit" => { GET organizations::edit::edit, POST organizations::edit::save }
    "/console/organizations/{id}/delete" => { GET organizations::removal::ask_delete, POST organizations::removal::delete }
    "/console/organizations/{id}/restore" => { POST organizations::removal::restore }
    "/console/organizations/{id}/unlink" => { GET organizations::removal::ask_unlink, POST organizations::removal::unlink }
    "/console/projects" => { GET projects::list }
    "/console/projects/new" => { GET projects::edit::blank, POST projects::edit::make }
    "/console/projects/{id}" => { GET projects::one }
    "/console/projects/{id}/organizations" => { GET projects::organizations }
    "/console/projects/{id}/organizations/add" => { GET projects::opening::pick_organization, POST projects::opening::add_organization }
    "/console/projects/{id}/organizations/remove" => { POST projects::opening::remove_organization }
    "/console/projects/{id}/customers" => { GET projects::customers }
    "/console/projects/{id}/customers/add" => { GET projects::opening::pick_customer, POST projects::opening::add_customer }
    "/console/projects/{id}/customers/remove" => { POST projects::opening::remove_customer }
    "/console/projects/{id}/edit" => { GET projects::edit::edit, POST projects::edit::save }
    "/console/projects/{id}/delete" => { GET projects::edit::ask_delete, POST projects::edit::delete }
    "/console/access" => { GET access::show }
    "/console/activity" => { GET activity::show }
    "/console/settings" => { GET settings::show, POST settings::save }
};

/// The console of one site.
pub(crate) struct Console {
    pages: Routes<Handler>,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self { pages: Routes::new(PAGES) }
    }

    /// The path of the nearest page that another path lies under.
    fn above<'a>(&self, path: &'a str) -> &'a str {
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('/') {
            if self.pages.find(&hyper::Method::GET, parent).is_ok() {
                return parent;
            }
            above = parent;
        }
        place::PREFIX
    }
}

/// Whether a path is one of the console's.
pub(crate) fn is_of(path: &str) -> bool {
    path.strip_prefix(place::PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the paths of set-up links begin with, before the token.
pub(crate) const SET_UP: &str = set_up::PREFIX;

/// A path as it may stand in the log: a link that opens something without what opens it.
pub(crate) fn for_log(path: &str) -> &str {
    let secret = [SET_UP, sign_in_links::PREFIX].into_iter().find(|prefix| path.starts_with(prefix));
    secret.unwrap_or(path)
}

/// Answers a request, errors included.
pub(crate) async fn answer(console: &Console, state: &State, context: &mut RequestContext<'_>) -> Reply {
    let head = context.head;
    let Some(place) = Place::of(state, head) else {
        return shaped(&Fault::new(hyper::StatusCode::BAD_REQUEST, "The host is not a valid one."));
    };
    let path = head.uri.path();
    if let Some(name) = path.strip_prefix(assets::PREFIX) {
        return assets::answer(name, head).unwrap_or_else(|fault| trouble::outside(&place, &fault));
    }
    if let Some(token) = path.strip_prefix(set_up::PREFIX) {
        return set_up::answer(state, context, &place, token).await;
    }
    if origin::is_foreign(&state.settings, state.local, &head.uri, &head.headers) {
        return trouble::foreign(&place, head);
    }
    let session = Session::of(&state.settings.admin_key, &head.headers);
    if path == sign_in::PATH {
        return sign_in::answer(state, context, &place, session.is_some()).await;
    }
    if let Some(token) = path.strip_prefix(sign_in_links::PREFIX) {
        return one_time::answer(state, context, &place, token).await;
    }
    context.answering.known(session.is_some());
    let Some(session) = session else { return sign_in::wanted(&place, head) };
    let answered = match console.pages.find(&head.method, path) {
        Err(fault) => Err(fault),
        Ok((page, parameters)) => {
            tracing::debug!(request = context.id, page = page.name, "console");
            let request = ConsoleRequest::new(state, &place, session.clone(), parameters, context);
            (page.handler)(request).await
        }
    };
    answered.unwrap_or_else(|fault| {
        let request = ConsoleRequest::new(state, &place, session, Vec::new(), context);
        trouble::inside(&request, &fault, console.above(path))
    })
}

/// An error that comes before it is known where the console is.
pub(crate) fn shaped(fault: &Fault) -> Reply {
    trouble::outside(&Place::default(), fault)
}
