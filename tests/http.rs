//! Usher served over HTTP by this process, and a client for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use usher_host::http::{AdminKey, Server, Settings};
use usher_host::storage::MemoryStorage;

use crate::server::{self, Directory, Request, Response, ScimServer};

/// The key of the servers' administrators.
const ADMIN_KEY: &str = "the-key-of-the-administrators";

/// How long to wait for a part of a response before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that ends when it is dropped.
pub struct Served {
    client: Client,
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
        let mut settings = Settings::new(AdminKey::new(ADMIN_KEY));
        settings.public_url = Some(server::ORIGIN.to_owned());
        change(&mut settings);
        let site = server::usher().site(Arc::new(MemoryStorage::new()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let bound = runtime.block_on(Server::bind(site, settings, SocketAddr::from(([127, 0, 0, 1], 0))));
        let server = bound.expect("a port is free");
        let client = Client { address: server.address() };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(server.serve(async {
                // It ends as well when whoever could say so is gone.
                let _ = stopped.await;
            }))
        });
        Self { client, running: Some((stop, thread)) }
    }

    /// Sends a request of an administrator.
    pub fn send(&self, method: &str, target: &str, body: Option<&Value>) -> Response {
        let headers = vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))];
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
        let mut reader = self.client.begin(&Request { method: "GET".into(), target, headers: all, body: None });
        let (status, headers) = read_head(&mut reader);
        assert_eq!(status, 200);
        let kind = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        assert_eq!(kind, Some("text/event-stream"));
        BufReader::new(Chunks { reader, left: 0 }).lines().map(|line| line.expect("the stream is text"))
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

/// Sends every request over a connection of its own.
#[derive(Clone)]
struct Client {
    address: SocketAddr,
}

impl Client {
    fn begin(&self, request: &Request) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).expect("the server is there");
        stream.set_read_timeout(Some(PATIENCE)).expect("the time is not zero");
        let Request { method, target, headers, body } = request;
        let mut text = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        let body = body.as_deref().unwrap_or_default();
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).expect("the server listens");
        BufReader::new(stream)
    }
}

impl ScimServer for Client {
    fn send(&self, request: Request) -> Response {
        let mut reader = self.begin(&request);
        let (status, headers) = read_head(&mut reader);
        let mut body = String::new();
        reader.read_to_string(&mut body).expect("the body is text");
        Response { status, headers, body }
    }
}

fn read_head(reader: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("the server answers");
        line.trim_end().to_owned()
    };
    let status = line().split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a response has a status");
    let fields =
        std::iter::from_fn(|| line().split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())));
    (status, fields.collect())
}

/// A body in chunks (RFC 9112, section 7.1), put together.
struct Chunks<R> {
    reader: R,
    left: usize,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.left == 0 {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            match (line.trim(), usize::from_str_radix(line.trim(), 16)) {
                // What follows a chunk.
                ("", _) if !line.is_empty() => {}
                (_, Ok(length)) if length > 0 => self.left = length,
                (_, Ok(_)) => return Ok(0),
                (_, Err(_)) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let wanted = buffer.len().min(self.left);
        let read = self.reader.read(&mut buffer[..wanted])?;
        self.left -= read;
        Ok(read)
    }
}
