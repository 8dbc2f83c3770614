//! Where clients reach the server, as they see it, and where they are.

use super::fault::Fault;
use super::settings::Settings;
use hyper::http::request::Parts;
use hyper::http::uri::{Authority, PathAndQuery, Uri};
use hyper::{HeaderMap, StatusCode, Version, header};
use std::net::{IpAddr, SocketAddr};

/// The absolute URL in front of a request's path, without a slash at its end; `None` if the request names no
/// usable host.
pub(crate) fn origin(settings: &Settings, local: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Option<String> {
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

/// Refuses a request that does not say once, and well, which host it is for (RFC 9112, section 3.2).
pub(super) fn check_host(head: &Parts) -> Result<(), Fault> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let valid = match (hosts.next(), hosts.next()) {
        (None, _) => head.version < Version::HTTP_11,
        (Some(host), None) => Authority::try_from(host.as_bytes()).is_ok_and(|host| !host.as_str().contains('@')),
        (Some(_), Some(_)) => false,
    };
    let fault = || Fault::new(StatusCode::BAD_REQUEST, "The request has to name its host once, in `Host`.");
    valid.then_some(()).ok_or_else(fault)
}

/// Whether a browser says that the request comes from a page that is not this server's own.
pub(crate) fn is_foreign(settings: &Settings, local: SocketAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    let crosses = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"cross-site");
    if headers.get_all("sec-fetch-site").iter().any(crosses) {
        return true;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
    if origins.peek().is_none() {
        return false;
    }
    let own = origin(settings, local, uri, headers).and_then(|own| own.parse::<Uri>().ok());
    let is_own = |value: &header::HeaderValue| {
        let page = Uri::try_from(value.as_bytes()).ok();
        own.as_ref().zip(page.as_ref()).is_some_and(|(own, page)| is_same_origin(settings, own, page))
    };
    !origins.all(is_own)
}

/// Whether a page is of this server. Where nobody has said under which scheme clients reach it, there may be a proxy that
/// speaks TLS, and the scheme does not count.
fn is_same_origin(settings: &Settings, own: &Uri, page: &Uri) -> bool {
    let (Some(scheme), Some(own_host), Some(host)) = (page.scheme_str(), own.host(), page.host()) else {
        return false;
    };
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    (settings.public_url.is_none() || own.scheme_str() == Some(scheme))
        && own_host.eq_ignore_ascii_case(host)
        && own.port_u16().unwrap_or(usual) == page.port_u16().unwrap_or(usual)
}

/// The address of the client. A proxy that is trusted adds the one it sees at the end; what stands in front of that is
/// what somebody else says.
pub(super) fn client(settings: &Settings, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let told = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| settings.trust_proxy);
    let last = told.and_then(|told| told.to_str().ok()?.rsplit(',').next()).map(str::trim);
    let address = last.and_then(|last| {
        let with_port = || last.parse::<SocketAddr>().map(|address| address.ip());
        last.parse().or_else(|_| with_port()).ok()
    });
    address.unwrap_or(peer)
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

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field =
            |(name, value): &(&'static str, &str)| (header::HeaderName::from_static(name), value.parse().unwrap());
        fields.iter().map(field).collect()
    }

    fn foreign(settings: &Settings, fields: &[(&'static str, &str)]) -> bool {
        let local = SocketAddr::from(([127, 0, 0, 1], 8080));
        is_foreign(settings, local, &Uri::from_static("/admin/v1/directories"), &headers(fields))
    }

    #[test]
    fn pages_of_other_sites_are_told_from_its_own() {
        let mut settings = Settings::new(AdminKey::new("k"));
        let host = ("host", "usher.example");
        for own in ["http://usher.example", "https://usher.example", "https://USHER.example:443"] {
            assert!(!foreign(&settings, &[host, ("origin", own)]), "{own}");
        }
        for other in ["null", "http://evil.example", "http://usher.example:81", "ftp://usher.example", "x", ""] {
            assert!(foreign(&settings, &[host, ("origin", other)]), "{other}");
        }
        assert!(!foreign(&settings, &[host]) && !foreign(&settings, &[host, ("sec-fetch-site", "same-origin")]));
        assert!(foreign(&settings, &[host, ("sec-fetch-site", "cross-site")]));
        settings.public_url = Some("https://usher.example/desk".into());
        assert!(!foreign(&settings, &[("host", "inner"), ("origin", "https://usher.example")]));
        assert!(foreign(&settings, &[host, ("origin", "http://usher.example")]), "the scheme is known");
        assert!(foreign(&settings, &[("host", "evil.example"), ("origin", "http://evil.example")]));
    }

    #[test]
    fn the_address_of_a_client_is_what_a_trusted_proxy_saw() {
        let mut settings = Settings::new(AdminKey::new("k"));
        let peer = IpAddr::from([10, 0, 0, 1]);
        let seen = |settings: &Settings, told: &str| client(settings, peer, &headers(&[("x-forwarded-for", told)]));
        assert_eq!(seen(&settings, "192.0.2.1"), peer);
        settings.trust_proxy = true;
        for (told, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("127.0.0.1, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(seen(&settings, told), address.parse::<IpAddr>().unwrap(), "{told}");
        }
        assert_eq!(client(&settings, peer, &HeaderMap::new()), peer);
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
