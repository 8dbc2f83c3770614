//! `/console/directories/{id}/requests/capture`: has the bodies of requests kept for a time.

use super::super::done::Done;
use super::super::frame::done;
use super::super::parts::{Ends, Form, act, ago};
use super::super::request::ConsoleRequest;
use super::head::Head;
use crate::http::fault::Fault;
use crate::http::reply::Reply;
use maud::{Markup, html};

/// For how long, unless somebody says.
const SECONDS: u32 = 3_600;

const LENGTH: &str = "For how long";

pub(in super::super) async fn ask(request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let head = Head::read(&request).await?;
    let form = Form::new("capture").with_span("length", SECONDS);
    Ok(page(&request, &head, &form.with_tick("values", head.status.captured_values)))
}

pub(in super::super) async fn start(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    let form = Form::sent("capture", &mut request).await?;
    let head = Head::read(&request).await?;
    let seconds = match form.span("length", LENGTH) {
        Ok(seconds) => seconds,
        Err(fault) => return Ok(page(&request, &head, &form.refused(fault)?)),
    };
    let values = form.is_ticked("values");
    match request.site().start_capture(request.actor(), &head.directory.id, seconds, values).await? {
        Ok(_) => Ok(done(&request, &head.path("/requests"), Done::CaptureStarted)),
        Err(error) => Ok(page(&request, &head, &form.refused(error)?)),
    }
}

pub(in super::super) async fn stop(mut request: ConsoleRequest<'_>) -> Result<Reply, Fault> {
    Form::sent("capture-stop", &mut request).await?;
    let head = Head::read(&request).await?;
    request.site().stop_capture(request.actor(), &head.directory.id).await??;
    Ok(done(&request, &head.path("/requests"), Done::CaptureStopped))
}

/// Whether bodies are kept at present, and the way to change that; for the page of the requests.
pub(super) fn state(request: &ConsoleRequest<'_>, head: &Head) -> Markup {
    let path = head.path("/requests/capture");
    html! {
        div.strip {
            p.hint {
                @match head.status.captured_until {
                    Some(until) => {
                        "Bodies are captured" @if head.status.captured_values { ", with values" }
                        "; that ends " (ago(until, request.now)) "."
                    }
                    None => "Bodies are not kept.",
                }
            }
            @if head.status.captured_until.is_some() { (act(request, &format!("{path}/stop"), "Stop")) }
            @else { a.button.small href=(request.link(&path)) { "Capture bodies …" } }
        }
    }
}

fn page(request: &ConsoleRequest<'_>, head: &Head, form: &Form) -> Reply {
    let fields = html! {
        (form.length("length", LENGTH, "At most a day. It ends by itself."))
        (form.tick("values", None, "With values", "Otherwise only the names of attributes are kept. Values are personal data: \
            names, addresses, phone numbers. Keys and passwords are never kept."))
    };
    let ends = Ends::with("Capture bodies").or_back(head.path("/requests"));
    let body = html! {
        p.intro {
            "What the identity provider sends, word for word, to find out why something is refused: at most 64 KiB of each "
            "request, and 4 MiB in all."
        }
        section.panel { (form.show(request, &head.path("/requests/capture"), &fields, &ends)) }
    };
    let page = head.below(request, "Requests", "/requests", "Capture bodies");
    page.body(body).reply_with(form.status(), request)
}
