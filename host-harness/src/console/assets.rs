//! The style sheet and the script: in the program, under names that have their hash, so that browsers keep them for good.

use crate::http::fault::Fault;
use crate::http::reply::{Reply, content, empty};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

/// What their paths start with.
pub(super) const PREFIX: &str = "/console/assets/";

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("assets/console.css")));

pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("assets/console.js")));

/// One of the files that pages load.
pub(super) struct Asset {
    /// Behind `/console`.
    pub(super) path: String,
    name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(extension: &str, kind: &'static str, text: &'static str) -> Self {
        let hash = Sha256::digest(text).iter().take(8).fold(String::new(), |mut hash, byte| {
            // Writing to a string does not fail.
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        let name = format!("console-{hash}.{extension}");
        Self { path: format!("/assets/{name}"), name, kind, text }
    }
}

/// A file by its name.
pub(super) fn answer(name: &str, head: &Parts) -> Result<Reply, Fault> {
    let asset = [&STYLE, &SCRIPT].into_iter().find(|asset| asset.name == name).ok_or_else(Fault::not_found)?;
    if head.method != Method::GET && head.method != Method::HEAD {
        return Err(Fault::wrong_method("GET, HEAD"));
    }
    let tag = format!("\"{}\"", asset.name);
    let known = head.headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| tags.as_bytes() == tag.as_bytes());
    let mut reply =
        if known { empty(StatusCode::NOT_MODIFIED) } else { content(StatusCode::OK, asset.kind, asset.text) };
    let headers = reply.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = tag.parse() {
        headers.insert(header::ETAG, tag);
    }
    Ok(reply)
}
