//! Recorded traffic of identity providers, replayed.
//!
//! A scenario is a file in `idp-traffic/scenarios`. `idp-traffic/run.py` says what it may hold, and replays the same files
//! against any SCIM server over HTTP; this is its twin for servers that are reached from Rust. It differs in one point: a
//! step of level `should` must hold like any other.

mod matcher;
mod pointer;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, iter, thread};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::server::{Directory, Request, Response};
use variables::{Missing, Variables};

/// A scenario.
#[derive(Debug, Clone, Deserialize)]
pub struct Scenario {
    /// Its name, which is that of its file.
    pub name: String,
    /// The requests, in order.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Deserialize)]
struct Step {
    #[serde(default)]
    name: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    query: Option<Value>,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    raw_body: Option<String>,
    #[serde(default)]
    repeat: Option<u64>,
    #[serde(default)]
    parallel: bool,
    #[serde(default)]
    when: Option<Condition>,
    expect: Expectation,
    #[serde(default)]
    capture: BTreeMap<String, String>,
    #[serde(default)]
    capture_header: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Condition {
    var: String,
    #[serde(default)]
    is: Value,
    #[serde(default)]
    exists: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
struct Expectation {
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    json: Map<String, Value>,
    #[serde(default)]
    headers: Map<String, Value>,
}

/// What is left of a path when it is quoted: its delimiters, and escapes that are there already.
const PATH: &AsciiSet = &COMPONENT
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'%');

/// What is left of a name or value in a query when it is quoted.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Scenario {
    /// All scenarios, by name.
    ///
    /// # Panics
    /// Where a file cannot be read or is no scenario.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("idp-traffic/scenarios");
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()))
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        files.sort();
        let read = |file: PathBuf| {
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        };
        files.into_iter().map(read).collect()
    }

    /// Plays the scenario to a directory that nobody else uses.
    ///
    /// # Errors
    /// What did not go as expected, one paragraph for each step, with the request and the response.
    pub fn replay(&self, directory: &Directory) -> Result<(), String> {
        let mut variables = Variables::new(&self.name, &directory.base);
        let mut failures = Vec::new();
        for (number, step) in iter::zip(1.., &self.steps) {
            if step.when.as_ref().is_some_and(|condition| !condition.holds(&variables)) {
                continue;
            }
            if let Err(failure) = step.run(directory, &mut variables) {
                let name = step.name.as_deref().unwrap_or(&step.path);
                failures.push(format!("step {number}, {name}:\n{failure}"));
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
    }
}

impl Condition {
    fn holds(&self, variables: &Variables) -> bool {
        let value = variables.get(&self.var);
        match self.exists {
            Some(exists) => value.is_some() == exists,
            None => value.as_ref().is_some_and(|value| matcher::same(value, &self.is)),
        }
    }
}

impl Step {
    /// Sends the request as often as it says.
    fn run(&self, directory: &Directory, variables: &mut Variables) -> Result<(), String> {
        let Some(times) = self.repeat else {
            return self.run_once(directory, variables);
        };
        if !self.parallel {
            for round in 1..=times {
                variables.set_round(Some(round));
                self.run_once(directory, variables)?;
            }
            variables.set_round(None);
            return Ok(());
        }
        let rounds: Vec<(Result<(), String>, Variables)> = thread::scope(|scope| {
            let start = |round| {
                let mut variables = variables.clone();
                variables.set_round(Some(round));
                scope.spawn(move || (self.run_once(directory, &mut variables), variables))
            };
            let threads: Vec<_> = (1..=times).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("the server does not panic")).collect()
        });
        let mut result = Ok(());
        for (round, theirs) in rounds {
            variables.add_missing(theirs);
            result = result.and(round);
        }
        result
    }

    /// Sends the request, looks at the response, and takes from it what later steps need.
    fn run_once(&self, directory: &Directory, variables: &mut Variables) -> Result<(), String> {
        let (request, expect) = self
            .prepare(directory, variables)
            .map_err(|Missing(name)| format!("    it needs ${{{name}}}, which an earlier step did not yield"))?;
        let response = directory.send(request.clone());
        let document = serde_json::from_str(&response.body).ok();
        let problems = expect.check(&response, document.as_ref());

        for (variable, place) in &self.capture {
            if let Some(value) = document.as_ref().and_then(|document| pointer::find(document, place)) {
                variables.capture(variable, value.clone());
            }
        }
        for (variable, header) in &self.capture_header {
            if let Some(value) = response.header(header) {
                variables.capture(variable, value.into());
            }
        }

        if problems.is_empty() {
            return Ok(());
        }
        Err(format!(
            "    {}\n    > {} {} {}\n    < {} {}",
            problems.join("\n    "),
            request.method,
            request.target,
            request.body.unwrap_or_default(),
            response.status,
            response.body,
        ))
    }

    /// The request and what is expected of it, with the variables filled in.
    fn prepare(&self, directory: &Directory, variables: &Variables) -> Result<(Request, Expectation), Missing> {
        let mut target = utf8_percent_encode(&variables.fill_text(&self.path)?, PATH).to_string();
        if let Some(query) = &self.query {
            target.push('?');
            target.push_str(&encode_query(&variables.fill(query)?));
        }
        let body = match (&self.raw_body, &self.body) {
            (Some(raw), _) => Some(variables.fill_text(raw)?),
            (None, Some(body)) => Some(variables.fill(body)?.to_string()),
            (None, None) => None,
        };
        let mut headers = vec![
            ("accept".to_owned(), "application/scim+json".to_owned()),
            ("authorization".to_owned(), format!("Bearer {}", directory.api_key)),
        ];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/scim+json".to_owned()));
        }
        for (name, value) in variables.fill_members(&self.headers)? {
            let name = name.to_ascii_lowercase();
            headers.retain(|(other, _)| *other != name);
            if !value.is_null() {
                headers.push((name, variables::text(&value)));
            }
        }
        let expect = Expectation {
            status: self.expect.status.clone(),
            json: variables.fill_members(&self.expect.json)?,
            headers: variables.fill_members(&self.expect.headers)?,
        };
        Ok((Request { method: self.method.clone(), target, headers, body }, expect))
    }
}

/// An object is encoded; a text is sent as it is.
fn encode_query(query: &Value) -> String {
    let Value::Object(parameters) = query else {
        return variables::text(query);
    };
    let encode = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
    let pair = |(name, value): (&String, &Value)| format!("{}={}", encode(name), encode(&variables::text(value)));
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

impl Expectation {
    /// What about the response is not as it should be.
    fn check(&self, response: &Response, document: Option<&Value>) -> Vec<String> {
        let mut problems = Vec::new();
        if document.is_none() && !response.body.trim().is_empty() {
            let claims_json = response.header("content-type").is_some_and(|value| value.contains("json"));
            if response.status < 400 || claims_json {
                problems.push("the body is not JSON".to_owned());
            }
        }
        if response.status == 204 && !response.body.is_empty() {
            problems.push("204 with a body".to_owned());
        }
        if !self.status.is_empty() && !self.status.contains(&response.status) {
            problems.push(format!("status {}, expected one of {:?}", response.status, self.status));
        }
        for (place, expected) in &self.json {
            let found = document.and_then(|document| pointer::find(document, place));
            if let Err(why) = matcher::check(expected, found) {
                problems.push(format!("{place}: {why}"));
            }
        }
        for (name, expected) in &self.headers {
            let found = response.header(name).map(Value::from);
            if let Err(why) = matcher::check(expected, found.as_ref()) {
                problems.push(format!("header {name}: {why}"));
            }
        }
        problems
    }
}
