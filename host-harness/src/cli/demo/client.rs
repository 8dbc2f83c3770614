//! An HTTP client with a stopwatch: an identity provider's, or the administrator's.

use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ureq::Agent;

/// How long to wait for a response.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What identity providers send and want.
pub(super) const SCIM: &str = "application/scim+json";

/// What administrators send and want.
pub(super) const JSON: &str = "application/json";

/// One connection to the server, and what came over it.
pub(super) struct Client<'a> {
    agent: Agent,
    user_agent: &'static str,
    media_type: &'static str,
    stop: &'a AtomicBool,
    pub(super) seen: Vec<Exchange>,
}

/// One request and how it was answered.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) what: String,
    pub(super) status: u16,
    pub(super) took: Duration,
}

impl Exchange {
    /// The request, without what was looked for.
    pub(super) fn call(&self) -> &str {
        self.what.split('?').next().unwrap_or_default()
    }
}

/// Why an exchange did not yield what it should.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The demonstration is being ended.
    Stopped,
    /// The server could not be reached or answered with an error.
    Failed(String),
}

impl<'a> Client<'a> {
    pub(super) fn new(user_agent: &'static str, media_type: &'static str, stop: &'a AtomicBool) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build();
        Self { agent: Agent::new_with_config(config), user_agent, media_type, stop, seen: Vec::new() }
    }

    /// Whether the demonstration goes on.
    pub(super) fn go_on(&self) -> Result<(), Trouble> {
        if self.stop.load(Ordering::Relaxed) { Err(Trouble::Stopped) } else { Ok(()) }
    }

    /// Sends a request and returns the body of a successful response; null where it has none.
    pub(super) fn send(&mut self, method: &str, url: &str, key: &str, body: Option<&Value>) -> Result<Value, Trouble> {
        self.go_on()?;
        let failed = |error: &dyn std::fmt::Display| Trouble::Failed(format!("{method} {url}: {error}"));
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {key}"))
            .header("accept", self.media_type)
            .header("user-agent", self.user_agent);
        let begin = Instant::now();
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", format!("{}; charset=utf-8", self.media_type));
                let request = request.body(body.to_string()).map_err(|error| failed(&error))?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).map_err(|error| failed(&error))?),
        };
        let mut response = response.map_err(|error| failed(&error))?;
        let text = response.body_mut().read_to_string().map_err(|error| failed(&error))?;
        let (took, status) = (begin.elapsed(), response.status().as_u16());
        let path = url.split_once("/directory/").map_or(url, |(_, path)| path);
        let path = path.split_once('/').map_or(path, |(_, path)| path);
        self.seen.push(Exchange { what: format!("{method} /{path}"), status, took });
        if !response.status().is_success() {
            return Err(failed(&format_args!("{status} {text}")));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| failed(&error))
    }
}
