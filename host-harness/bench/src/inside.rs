//! Calls made in this process, without HTTP: of the component, and of the same engine compiled natively.

use super::call::{Call, Credentials};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use usher_engine::{Engine, Environment};
use usher_host::scim::Request;
use usher_host::storage::{NativeStorage, Storage};
use usher_host::{Site, directories};

/// Connects a directory to a site in this process.
pub(super) async fn connect(site: &Site) -> Result<Credentials, String> {
    let connected = site.connect_directory("bench", directories::Settings::named("bench")).await;
    let connected = connected.map_err(|failure| failure.to_string())?.map_err(|error| error.to_string())?;
    Ok(Credentials { scim_path: connected.directory.scim_path, api_key: connected.key.api_key })
}

/// Has the component answer on this thread; what is no success is an error.
pub(super) fn answer(site: &Site, directory: &Credentials, call: &Call) -> Result<Vec<u8>, String> {
    succeeded(call, site.answer(&call.request(directory))?)
}

/// The body of an answer that says that the call succeeded.
pub(super) fn succeeded(call: &Call, (status, body): (u16, Option<String>)) -> Result<Vec<u8>, String> {
    let body = body.unwrap_or_default();
    if (200..300).contains(&status) {
        return Ok(body.into_bytes());
    }
    Err(format!("{} {} was answered {status}: {body}", call.method, call.path))
}

/// Something that answers SCIM requests, with status and body.
pub(super) trait Answers {
    fn answer(&self, request: &Request) -> Result<(u16, Option<String>), String>;
}

impl Answers for Site {
    fn answer(&self, request: &Request) -> Result<(u16, Option<String>), String> {
        let response = self.handle_blocking(request).map_err(|failure| failure.to_string())?;
        Ok((response.status, response.body))
    }
}

/// The engine, compiled into this program.
pub(super) struct Native(NativeStorage);

impl Native {
    /// Over a storage.
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self(NativeStorage::new(storage))
    }
}

impl Answers for Native {
    fn answer(&self, request: &Request) -> Result<(u16, Option<String>), String> {
        // The component's own copy of what crosses into it is part of the measured call there, so it is here.
        let request = usher_engine::Request {
            method: request.method.clone(),
            origin: request.origin.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let response = Engine::new(&self.0, &Surroundings).handle(&request);
        Ok((response.status, response.body))
    }
}

/// This machine's clock and random numbers, as the harness provides them to the component.
struct Surroundings;

impl Environment for Surroundings {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }

    fn random(&self, bytes: &mut [u8]) {
        // Without random numbers ids would repeat and the calls fail, which is reported.
        let _ = getrandom::fill(bytes);
    }
}
