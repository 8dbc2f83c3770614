//! `/console/connect`: connects an identity provider. What to do there is said on the page of its set-up.

use super::choices::CONFLICT_POLICIES;
use super::directory::set_up;
use super::frame::{Page, Section};
use super::parts::{Choice, Ends, Form, panel};
use super::providers::PROVIDERS;
use super::request::ConsoleRequest;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use crate::runtime::directories::{Mode, Settings};
use maud::html;

const POLICY: &str = "When a group has the name of a local organization";
const MODE: &str = "What it pushes at first";
const WHO: &str = "Who sets up the identity provider";

/// Whether what is pushed reaches the site.
static MODES: [Choice<Mode>; 2] = [
    Choice {
        is: Mode::Staged,
        word: "staged",
        name: "Is planned",
        does: "Nothing reaches the site until you have seen the plan, who gains and who loses what, and applied it.",
    },
    Choice {
        is: Mode::Live,
        word: "live",
        name: "Reaches the site at once",
        does: "Customers and organizations are made, linked and changed as the requests come.",
    },
];

/// Who is to have the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Reader,
    SomebodyElse,
}

static WHOS: [Choice<Who>; 2] = [
    Choice { is: Who::Reader, word: "me", name: "I do", does: "The next page shows the key, and where to enter it." },
    Choice {
        is: Who::SomebodyElse,
        word: "link",
        name: "Somebody without an account here",
        does: "The next page shows a set-up link to send them. It is good for a week, and shows the key to them alone: \
               nobody here sees it.",
    },
];

pub(super) async fn show(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::new("connect")
        .with_choice("policy", &CONFLICT_POLICIES, &CONFLICT_POLICIES[0].is)
        .with_choice("mode", &MODES, &Mode::Staged)
        .with_choice("who", &WHOS, &Who::Reader)
        .with("provider", request.query("provider").unwrap_or(PROVIDERS[0].word));
    Ok(page(&request, &form))
}

pub(super) async fn connect(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("connect", &mut request).await?;
    let (settings, who) = match entered(&form) {
        Ok(entered) => entered,
        Err(fault) => return Ok(page(&request, &form.refused(fault)?)),
    };
    let connected = match request.site().connect_directory(request.actor(), settings).await? {
        Ok(connected) => connected,
        Err(error) => return Ok(page(&request, &form.refused(error)?)),
    };
    let id = &connected.directory.id;
    let once = match who {
        Who::Reader => set_up::Once::Key(connected.key),
        Who::SomebodyElse => {
            set_up::Once::Link(request.site().make_setup_link(request.actor(), id, set_up::DAYS, 0).await??)
        }
    };
    set_up::page(&request, id, form.entered("provider"), &set_up::form(), Some(&once)).await
}

fn entered(form: &Form) -> Result<(Settings, Who), Fault> {
    let domains = form.text("domains").split([',', ' ', '\n', '\r', '\t']).filter(|domain| !domain.is_empty());
    let settings = Settings {
        conflict_policy: form.chosen("policy", POLICY, &CONFLICT_POLICIES)?,
        mode: form.chosen("mode", MODE, &MODES)?,
        domains: domains.map(str::to_owned).collect(),
        ..Settings::named(form.text("name"))
    };
    Ok((settings, form.chosen("who", WHO, &WHOS)?))
}

fn page(request: &ConsoleRequest<'_>, form: &Form) -> Reply {
    let providers: Vec<_> = PROVIDERS.iter().map(|provider| (provider.word, provider.name)).collect();
    let fields = html! {
        (form.line("name", "Name", "What the identity provider is called on these pages, such as Entra ID. No other directory \
                                    has the name."))
        (form.select("provider", "Identity provider", "For which one the instructions are shown.", &providers))
        (form.choices("mode", MODE, &MODES))
        (form.choices("policy", POLICY, &CONFLICT_POLICIES))
        (form.area("domains", "Email domains", "One on each line, such as example.com; none if it may have users of any. Users \
                                                with an address elsewhere are linked to no customer."))
        (form.choices("who", WHO, &WHOS))
        p.hint { "All of this can be changed later, on the pages of the directory." }
    };
    let lead = html! { "A directory is one identity provider that pushes its users and groups here." };
    let page = Page::new(Section::Directories, "Connect an identity provider").under("Directories", "/directories");
    let body = panel(
        "The directory",
        &form.show(request, "/connect", &fields, &Ends::with("Connect").or_back("/directories")),
    );
    page.lead(lead).body(body).reply_with(form.status(), request)
}
