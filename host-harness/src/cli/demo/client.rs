//! An identity provider's HTTP client, with a stopwatch.

use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ureq::Agent;

/// How long to wait for a response.
const TIMEOUT: Duration = Duration::from_mins(1);

/// One connection to the SCIM server, and what came over it.
pub(super) struct Client<'a> {
    agent: Agent,
    user_agent: &'static str,
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

/// Why an exchange did not yield what it should.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The demonstration is being ended.
    Stopped,
    /// The server could not be reached or answered with an error.
    Failed(String),
}

impl<'a> Client<'a> {
    pub(super) fn new(user_agent: &'static str, stop: &'a AtomicBool) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build();
        Self { agent: Agent::new_with_config(config), user_agent, stop, seen: Vec::new() }
    }

    /// Sends a request and returns the body of a successful response; null where it has none.
    pub(super) fn send(
        &mut self,
        method: &str,
        url: &str,
        api_key: &str,
        body: Option<&Value>,
    ) -> Result<Value, Trouble> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Trouble::Stopped);
        }
        let failed = |error: &dyn std::fmt::Display| Trouble::Failed(format!("{method} {url}: {error}"));
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {api_key}"))
            .header("accept", "application/scim+json")
            .header("user-agent", self.user_agent);
        let begin = Instant::now();
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/scim+json; charset=utf-8");
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
