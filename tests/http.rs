//! Usher served over HTTP by this process, as its administrators reach it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tokio::sync::oneshot;
use usher_host::Site;
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::storage::Storage;

use crate::server::{self, Directory, Http, Request, Response, ScimServer};

/// The key of the servers' administrators.
const ADMIN_KEY: &str = "the-key-of-the-administrators";

/// A server that ends when it is dropped.
pub struct Served {
    address: SocketAddr,
    client: Http,
    /// The site that it serves.
    pub site: Site,
    running: Option<(oneshot::Sender<()>, JoinHandle<bool>)>,
}

impl Default for Served {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl Served {
    /// A server over a storage of its own, with settings that `change` has been over.
    pub fn new(change: impl FnOnce(&mut Settings)) -> Self {
        Self::over(server::storage(), change)
    }

    /// A server over this storage, with settings that `change` has been over.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn over(storage: Arc<dyn Storage>, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(AdminKey::new(ADMIN_KEY));
        settings.public_url = Some(server::ORIGIN.to_owned());
        change(&mut settings);
        let site = server::usher().site(storage);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let bound = runtime.block_on(Server::bind(site.clone(), settings, SocketAddr::from(([127, 0, 0, 1], 0))));
        let server = bound.expect("a port is free");
        let address = server.address();
        let client = Http::new(format!("http://{address}"));
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(server.serve(async {
                // It ends as well when whoever could say so is gone.
                let _ = stopped.await;
            }))
        });
        Self { address, client, site, running: Some((stop, thread)) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request of an administrator.
    pub fn send(&self, method: &str, target: &str, body: Option<&Value>) -> Response {
        let mut headers = vec![
            ("authorization".to_owned(), format!("Bearer {ADMIN_KEY}")),
            // A server that wants room may close a connection that is kept for the next request.
            ("connection".to_owned(), "close".to_owned()),
        ];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        self.client.send(Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: body.map(Value::to_string),
        })
    }

    /// Sends a request as it is.
    pub fn send_raw(&self, request: Request) -> Response {
        self.client.send(request)
    }

    /// Does all the housekeeping that there is to do.
    ///
    /// # Panics
    /// Where it fails.
    pub fn upkeep(&self) {
        while pollster::block_on(self.site.upkeep(10_000)).expect("the component answers").expect("upkeep works").more {
        }
    }

    /// Connects a directory with these settings.
    ///
    /// # Panics
    /// Where they are not taken.
    pub fn connect(&self, settings: &Value) -> Directory {
        let connected = self.send("POST", "/admin/v1/directories", Some(settings)).json();
        let text = |name: &str| connected[name].as_str().expect("a directory was connected").to_owned();
        Directory::new(Arc::new(self.client.clone()), text("scimBaseUrl"), text("apiKey"))
    }

    /// Opens the change feed as a stream; the lines of its events.
    ///
    /// # Panics
    /// Where the stream is refused.
    pub fn stream(&self, query: &str, headers: &[(&str, &str)]) -> impl Iterator<Item = String> + use<> {
        let mut all = vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let target = format!("/admin/v1/changes/stream{query}");
        let response = self.client.begin(Request { method: "GET".to_owned(), target, headers: all, body: None });
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().into_reader();
        BufReader::new(body).lines().map(|line| line.expect("the stream is text"))
    }

    /// Ends the server; whether everything was answered.
    pub fn stop(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let Some((stop, thread)) = self.running.take() else { return true };
        drop(stop);
        thread.join().unwrap_or(false)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}
