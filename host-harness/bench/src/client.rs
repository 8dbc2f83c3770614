//! One connection of the load generator. It shares the machine with the server, so it does as little as it can: HTTP/1.1
//! over a bare socket, one call under way at a time.

use super::call::{Call, Credentials};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How many header fields an answer may have.
const FIELDS: usize = 32;

/// How much is read at once, if there is as much.
const READ: usize = 64 << 10;

/// How much of the body of an error is shown.
const SHOWN: usize = 500;

/// A connection that stays open.
pub(super) struct Client {
    stream: TcpStream,
    base: String,
    /// The header fields that every call has.
    fields: String,
    out: String,
    answer: Vec<u8>,
}

/// What came back.
pub(super) struct Answer<'c> {
    pub(super) status: u16,
    /// From the first byte out to the last byte in.
    pub(super) took: Duration,
    pub(super) body: &'c [u8],
}

impl Client {
    /// Connects, to send calls to a directory.
    pub(super) async fn connect(address: SocketAddr, directory: &Credentials) -> Result<Self, String> {
        Self::open(address, directory.scim_path.clone(), &directory.api_key).await
    }

    /// Connects, to send calls below a path with a bearer token.
    pub(super) async fn open(address: SocketAddr, base: String, token: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot connect: {error}");
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let fields = format!("host: {address}\r\nauthorization: Bearer {token}\r\n");
        Ok(Self { stream, base, fields, out: String::new(), answer: Vec::new() })
    }

    /// Makes a call; an answer that is no success is an error.
    pub(super) async fn call(&mut self, call: &Call) -> Result<Answer<'_>, String> {
        let (path, method) = (format!("{}{}", self.base, call.path), call.method);
        let answer = self.exchange(method, &path, call.body.as_deref()).await?;
        if !(200..300).contains(&answer.status) {
            let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(SHOWN)]);
            return Err(format!("{method} {path} was answered {}: {body}", answer.status));
        }
        Ok(answer)
    }

    /// Makes a call and tells only how long it took.
    pub(super) async fn time(&mut self, call: &Call) -> Result<Duration, String> {
        Ok(self.call(call).await?.took)
    }

    async fn exchange(&mut self, method: &str, path: &str, body: Option<&str>) -> Result<Answer<'_>, String> {
        let failed = |error: std::io::Error| format!("a connection broke: {error}");
        self.write_request(method, path, body);
        self.answer.clear();
        let begin = Instant::now();
        self.stream.write_all(self.out.as_bytes()).await.map_err(failed)?;
        let (status, head, length) = loop {
            if let Some(head) = head(&self.answer)? {
                break head;
            }
            self.read().await?;
        };
        while self.answer.len() < head + length {
            self.read().await?;
        }
        let took = begin.elapsed();
        Ok(Answer { status, took, body: &self.answer[head..head + length] })
    }

    async fn read(&mut self) -> Result<(), String> {
        self.answer.reserve(READ);
        match self.stream.read_buf(&mut self.answer).await {
            Ok(0) => Err("the server closed a connection".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("a connection broke: {error}")),
        }
    }

    fn write_request(&mut self, method: &str, path: &str, body: Option<&str>) {
        self.out.clear();
        // Writing to a text does not fail.
        let _ = write!(self.out, "{method} {path} HTTP/1.1\r\n{}", self.fields);
        if let Some(body) = body {
            let _ = write!(self.out, "content-type: application/scim+json\r\ncontent-length: {}\r\n", body.len());
        }
        self.out.push_str("\r\n");
        self.out.push_str(body.unwrap_or_default());
    }
}

/// Status, length of the head and length of the body, once the head is there.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let parsed = response.parse(bytes).map_err(|error| format!("an answer is no HTTP: {error}"))?;
    let (httparse::Status::Complete(head), Some(status)) = (parsed, response.code) else {
        return Ok(None);
    };
    if status == 204 {
        return Ok(Some((status, head, 0)));
    }
    let length = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok());
    let length = length.ok_or_else(|| "an answer has no content-length".to_owned())?;
    Ok(Some((status, head, length)))
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn the_head_says_where_the_body_ends() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive";
        assert_eq!(head(answer), Ok(Some((200, answer.len() - 5, 5))));
        assert_eq!(head(&answer[..20]), Ok(None));
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n"), Ok(Some((204, 27, 0))));
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(head(b"SMTP\r\n\r\n").is_err());
    }
}
