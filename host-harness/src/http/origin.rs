//! Where clients reach the server, as they see it.

use super::settings::Settings;
use hyper::http::uri::{Authority, PathAndQuery, Uri};
use hyper::{HeaderMap, header};
use std::net::SocketAddr;

/// The absolute URL in front of a request's path, without a slash at its end; none if the request names no usable host.
pub(super) fn origin(settings: &Settings, local: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if let Some(url) = &settings.public_url {
        return Some(url.clone());
    }
    let forwarded = |name: &str| {
        let value = headers.get(name).filter(|_| settings.trust_proxy)?;
        // A chain of proxies makes a list, with what the client used in front.
        let first = value.to_str().ok()?.split(',').next()?.trim();
        Some(first).filter(|first| !first.is_empty())
    };
    let host = match forwarded("x-forwarded-host") {
        Some(host) => host.parse().ok(),
        None => match (uri.authority(), headers.get(header::HOST)) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(host)) => host.to_str().ok()?.parse().ok(),
            (None, None) => local.to_string().parse().ok(),
        },
    };
    let host: Authority = host.filter(|host: &Authority| !host.as_str().contains('@'))?;
    let scheme = match forwarded("x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    };
    let prefix = forwarded("x-forwarded-prefix")
        .filter(|prefix| prefix.starts_with('/'))
        .and_then(|prefix| prefix.parse::<PathAndQuery>().ok());
    let prefix = prefix.as_ref().map_or("", PathAndQuery::path);
    Some(format!("{scheme}://{host}{}", prefix.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::super::credentials::AdminKey;
    use super::*;

    fn seen(settings: &Settings, headers: &[(&'static str, &str)]) -> Option<String> {
        let local = SocketAddr::from(([127, 0, 0, 1], 8080));
        let headers = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        origin(settings, local, &Uri::from_static("/scim/x"), &headers)
    }

    #[test]
    fn the_host_header_tells_and_nothing_else_is_believed() {
        let settings = Settings::new(AdminKey::new("k"));
        let seen = |headers: &[_]| seen(&settings, headers);
        let forwarded = ("x-forwarded-host", "evil.example");
        let host = ("host", "usher.example:81");
        assert_eq!(seen(&[host, forwarded]).unwrap(), "http://usher.example:81");
        assert_eq!(seen(&[]).unwrap(), "http://127.0.0.1:8080");
        assert_eq!(seen(&[("host", "[::1]:80")]).unwrap(), "http://[::1]:80");
        for bad in ["a/b", "a b", "", "user@host", "a?b", "a#b"] {
            assert_eq!(seen(&[("host", bad)]), None, "{bad}");
        }
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let mut settings = Settings::new(AdminKey::new("k"));
        settings.trust_proxy = true;
        let headers = [
            ("host", "10.0.0.1"),
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-host", "usher.example, inner"),
            ("x-forwarded-prefix", "/desk/"),
        ];
        assert_eq!(seen(&settings, &headers).unwrap(), "https://usher.example/desk");
    }

    #[test]
    fn a_public_url_goes_before_everything() {
        let mut settings = Settings::new(AdminKey::new("k"));
        settings.trust_proxy = true;
        settings.public_url = Some("https://usher.example/x".into());
        let headers = [("host", "a"), ("x-forwarded-host", "b")];
        assert_eq!(seen(&settings, &headers).unwrap(), "https://usher.example/x");
    }
}
