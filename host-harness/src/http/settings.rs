//! What a server can be told.

use super::credentials::AdminKey;
use std::time::Duration;

/// How a [`Server`](super::Server) serves, whose example makes these.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The key that the admin API, `/metrics` and the console want.
    pub admin_key: AdminKey,
    /// The URL at which clients reach this server, without a slash at its end: `https://usher.example.com`, with a path
    /// where a gateway adds one. Everything that names a resource starts with it. Where it is not set, the `Host`
    /// header tells, and the scheme is `http`.
    pub public_url: Option<String>,
    /// Believe the headers `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix`, which do not matter where
    /// `public_url` is set, and the last address in `X-Forwarded-For`, by which wrong admin keys are slowed. Only for a
    /// server that nobody can reach but through a proxy that sets them. Off unless set.
    pub trust_proxy: bool,
    /// The longest request body, in bytes; a longer one is answered 413 without being read. 16 MiB unless set, and no
    /// more than that, because a storage takes no longer value.
    pub body: usize,
    /// How many bytes the bodies that are being worked on may take in all, not counting those up to 64 KiB; longer ones
    /// wait for room, of which no directory takes more than it leaves. 256 MiB unless set.
    pub bodies: usize,
    /// How many bytes the responses may take in all that clients have not taken yet, not counting those up to 64 KiB. No
    /// directory takes more than it leaves; what would go past that is answered 429. 256 MiB unless set.
    pub answers: usize,
    /// How often refused sign-ins are told of, in the log and the change feed, and requests refused for their key, in the
    /// status of their directory, if there were any. A minute unless set.
    pub sign_in_report: Duration,
    /// How long a body may take to come in. Past it, 408. 30 seconds unless set.
    pub body_timeout: Duration,
    /// How long a connection may be idle between requests, and how long a request's header may take to come in. Longer
    /// than the usual proxy keeps a connection, so that it is the proxy that closes. 75 seconds unless set.
    pub idle_timeout: Duration,
    /// How long a client may leave a response unread before its connection is closed. 30 seconds unless set.
    pub write_timeout: Duration,
    /// How many connections may be open. Past it, one that waits for its client makes room for the next: first of those on
    /// which no key has worked, and of these the one that has waited the longest. 4,096 unless set.
    pub connections: usize,
    /// How many clients may follow the change feed as a stream, open pages of the console among them; the next one is
    /// answered 503. Each holds a connection that does not make room for others. 64 unless set.
    pub streams: usize,
    /// How long a shutdown waits for the requests in flight. 30 seconds unless set.
    pub drain: Duration,
}

impl Settings {
    /// The settings that suit a server, with this key.
    pub fn new(admin_key: AdminKey) -> Self {
        Self {
            admin_key,
            public_url: None,
            trust_proxy: false,
            body: 16 << 20,
            bodies: 256 << 20,
            answers: 256 << 20,
            sign_in_report: Duration::from_mins(1),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            connections: 4_096,
            streams: 64,
            drain: Duration::from_secs(30),
        }
    }
}
