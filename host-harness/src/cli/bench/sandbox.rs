//! The component against the same engine compiled natively: same requests, same storage in memory, turn by turn.

use super::stats::Times;
use super::traffic::{self, Target};
use serde::Serialize;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use usher_engine::{Engine, Environment};
use usher_host::storage::{Lent, MemoryStorage, Storage};
use usher_host::{Site, Usher, directories, scim};

/// How many calls of one kind are made before the other's turn.
const CALLS_PER_TURN: usize = 200;

/// How many users there are to read and change.
const USERS: usize = 1_000;

/// One kind of call, both ways.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub(super) call: &'static str,
    pub(super) native: Times,
    pub(super) component: Times,
}

/// Something that answers SCIM requests.
trait Answers {
    fn answer(&self, request: &scim::Request) -> Result<(u16, Option<String>), String>;
}

struct Native {
    storage: Lent,
}

impl Answers for Native {
    fn answer(&self, request: &scim::Request) -> Result<(u16, Option<String>), String> {
        // The component's own copy of what crosses into it is part of the measured call there, so it is here.
        let request = usher_engine::Request {
            method: request.method.clone(),
            origin: request.origin.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let response = Engine::new(&self.storage, &Surroundings).handle(&request);
        Ok((response.status, response.body))
    }
}

impl Answers for Site {
    fn answer(&self, request: &scim::Request) -> Result<(u16, Option<String>), String> {
        let response = self.handle_blocking(request).map_err(|failure| failure.to_string())?;
        Ok((response.status, response.body))
    }
}

/// This machine's clock and random numbers, as the harness lends them to the component.
struct Surroundings;

impl Environment for Surroundings {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
    }

    fn random(&self, bytes: &mut [u8]) {
        // Without random numbers ids would repeat and the calls fail, which is reported.
        let _ = getrandom::fill(bytes);
    }
}

struct Subject {
    answers: Box<dyn Answers>,
    target: Target,
    ids: Vec<String>,
    made: usize,
}

pub(super) fn measure(duration: Duration) -> Result<Vec<Comparison>, String> {
    let usher = Usher::load().map_err(|error| error.to_string())?;
    let mut native = Subject::new(&usher, |storage| Box::new(Native { storage: Lent::new(storage) }))?;
    let mut component = Subject::new(&usher, |storage| Box::new(usher.site(storage)))?;
    [("GET user", Call::Get), ("userName eq", Call::Filter), ("POST user", Call::Post), ("PATCH user", Call::Patch)]
        .into_iter()
        .map(|(call, kind)| {
            let (mut native_times, mut component_times) = (Vec::new(), Vec::new());
            let begin = Instant::now();
            while begin.elapsed() < duration {
                native.take_turn(kind, &mut native_times)?;
                component.take_turn(kind, &mut component_times)?;
            }
            Ok(Comparison { call, native: Times::of(native_times), component: Times::of(component_times) })
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Call {
    Get,
    Filter,
    Post,
    Patch,
}

impl Subject {
    fn new(usher: &Usher, answers: impl FnOnce(Arc<dyn Storage>) -> Box<dyn Answers>) -> Result<Self, String> {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let target = connect(&usher.site(storage.clone()))?;
        let mut subject = Self { answers: answers(storage), target, ids: Vec::new(), made: 0 };
        let mut times = Vec::new();
        while subject.ids.len() < USERS {
            subject.take_turn(Call::Post, &mut times)?;
        }
        Ok(subject)
    }

    fn take_turn(&mut self, call: Call, times: &mut Vec<Duration>) -> Result<(), String> {
        for _ in 0..CALLS_PER_TURN {
            self.made += 1;
            let request = self.request(call);
            let begin = Instant::now();
            let (status, body) = black_box(self.answers.answer(black_box(&request))?);
            times.push(begin.elapsed());
            if !(200..300).contains(&status) {
                return Err(format!("a measured request was answered {status}: {}", body.unwrap_or_default()));
            }
            if matches!(call, Call::Post) && self.ids.len() < USERS {
                self.ids.push(id_of(body.as_deref())?);
            }
        }
        Ok(())
    }

    fn request(&self, call: Call) -> scim::Request {
        let one = |ids: &[String]| ids[self.made.wrapping_mul(7_919) % ids.len()].clone();
        match call {
            Call::Get => traffic::request(&self.target, "GET", &format!("/Users/{}", one(&self.ids)), None, None),
            Call::Filter => {
                let query = format!("filter=userName+eq+%22u{}%40example.com%22", 1 + self.made % USERS);
                traffic::request(&self.target, "GET", "/Users", Some(query), None)
            }
            Call::Post => {
                let body = traffic::user(&format!("u{}", self.made));
                traffic::request(&self.target, "POST", "/Users", None, Some(body))
            }
            Call::Patch => {
                let body = traffic::patch(&format!("Title {}", self.made));
                traffic::request(&self.target, "PATCH", &format!("/Users/{}", one(&self.ids)), None, Some(body))
            }
        }
    }
}

fn id_of(body: Option<&str>) -> Result<String, String> {
    let body: serde_json::Value = serde_json::from_str(body.unwrap_or_default()).map_err(|error| error.to_string())?;
    body["id"].as_str().map(str::to_owned).ok_or_else(|| "a created user has no id".into())
}

/// Connects a directory to measure with.
pub(super) fn connect(site: &Site) -> Result<Target, String> {
    let settings = directories::Settings::named("bench");
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let connected = runtime
        .block_on(site.connect_directory("bench", settings))
        .map_err(|failure| failure.to_string())?
        .map_err(|error| format!("{error:?}"))?;
    Ok(Target { scim_path: connected.directory.scim_path, api_key: connected.key.api_key })
}
