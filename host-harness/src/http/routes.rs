//! Finds what a request is for.

use super::admin_request::AdminRequest;
use super::fault::Fault;
use super::reply::Reply;
use hyper::Method;
use percent_encoding::percent_decode_str;
use std::pin::Pin;

/// Paths, each with what can be done there.
pub(super) type Endpoints = [(&'static str, &'static [Endpoint])];

/// One thing that can be asked for.
pub(super) struct Endpoint {
    pub(super) method: Method,
    /// For the log.
    pub(super) name: &'static str,
    pub(super) handler: Handler,
}

/// Carries a request out.
type Handler = for<'a> fn(AdminRequest<'a>) -> Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'a>>;

/// A table of endpoints: the paths of a surface, and for each method the function that carries it out.
macro_rules! endpoints {
    ($($path:literal => { $($method:ident $handler:path),+ $(,)? })+) => {
        &[$(($path, &[$($crate::http::routes::Endpoint {
            method: hyper::Method::$method,
            name: stringify!($handler),
            handler: |request| Box::pin($handler(request)),
        }),+])),+]
    };
}
pub(super) use endpoints;

/// The endpoints of a surface.
pub(super) struct Routes(matchit::Router<&'static [Endpoint]>);

impl Routes {
    /// # Panics
    /// Where two of the paths are one.
    pub(super) fn new(endpoints: &'static Endpoints) -> Self {
        let mut router = matchit::Router::new();
        for (path, methods) in endpoints {
            // A mistake in a table of this program, which no server starts with: not one of those who use it.
            router.insert(*path, *methods).expect("the paths do not conflict");
        }
        Self(router)
    }

    /// The endpoint and the variable parts of the path.
    pub(super) fn find(&self, method: &Method, path: &str) -> Result<(&'static Endpoint, Vec<String>), Fault> {
        let found = self.0.at(path).map_err(|_| Fault::not_found())?;
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let endpoint = found.value.iter().find(|endpoint| endpoint.method == wanted);
        let endpoint = endpoint.ok_or_else(|| Fault::wrong_method(allow(found.value)))?;
        Ok((endpoint, parameters(&found.params)?))
    }
}

fn allow(endpoints: &[Endpoint]) -> String {
    let names = endpoints.iter().flat_map(|endpoint| {
        let head = (endpoint.method == Method::GET).then_some("HEAD");
        std::iter::once(endpoint.method.as_str()).chain(head)
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The variable parts of a path.
fn parameters(found: &matchit::Params<'_, '_>) -> Result<Vec<String>, Fault> {
    let decoded = found.iter().map(|(_, value)| {
        let value = percent_decode_str(value).decode_utf8();
        value.map(Into::into).map_err(|_| Fault::not_found())
    });
    decoded.collect()
}
