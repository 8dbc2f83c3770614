//! Where the console is, as browsers see it.

use crate::http::origin::origin;
use crate::http::state::State;
use hyper::Uri;
use hyper::http::request::Parts;

/// What every path of the console starts with, behind that of the public URL.
pub(super) const PREFIX: &str = "/console";

/// The front of every link.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The URL in front of every path, without a slash at its end.
    origin: String,
    /// What of it is a path: empty, or like `/usher`.
    path: String,
    /// Whether browsers come by TLS.
    pub(super) secure: bool,
}

impl Place {
    /// As the public URL, a trusted proxy or the host header says; `None` if there is no usable host.
    pub(super) fn of(state: &State, head: &Parts) -> Option<Self> {
        Self::at(origin(&state.settings, state.local, &head.uri, &head.headers)?)
    }

    fn at(origin: String) -> Option<Self> {
        let url: Uri = origin.parse().ok()?;
        let path = url.path().trim_end_matches('/').to_owned();
        Some(Self { secure: url.scheme_str() == Some("https"), path, origin })
    }

    /// A link to a page of the console, whose path begins with a slash. The overview's is empty.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{PREFIX}{path}", self.path)
    }

    /// A link to a path of this server.
    pub(super) fn local(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }

    /// The URL under which others find a path of this server.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The path of cookies.
    pub(super) fn cookie_path(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_start_with_the_path_of_the_public_url() {
        let place = Place::at("https://example.com/usher".into()).unwrap();
        assert_eq!(place.link("/customers"), "/usher/console/customers");
        assert_eq!(place.url("/scim"), "https://example.com/usher/scim");
        assert!(place.secure && place.cookie_path() == "/usher");
        let place = Place::at("http://127.0.0.1:8080".into()).unwrap();
        assert_eq!((place.link(""), place.cookie_path(), place.secure), ("/console".into(), "/", false));
    }
}
