//! Finds what a request is for.

use super::admin_request::AdminRequest;
use super::fault::Fault;
use super::reply::Reply;
use hyper::Method;
use percent_encoding::percent_decode_str;
use std::pin::Pin;

/// Paths, each with what can be done there.
pub(crate) type Endpoints<H = Handler> = [(&'static str, &'static [Endpoint<H>])];

/// One thing that can be asked for.
pub(crate) struct Endpoint<H = Handler> {
    pub(crate) method: Method,
    /// For the log.
    pub(crate) name: &'static str,
    /// Carries a request out, of the kind that the surface has.
    pub(crate) handler: H,
}

/// Carries a request from an administrator out.
pub(crate) type Handler =
    for<'a> fn(AdminRequest<'a>) -> Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'a>>;

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
pub(crate) use endpoints;

/// The endpoints of a surface.
pub(crate) struct Routes<H: 'static = Handler>(matchit::Router<&'static [Endpoint<H>]>);

impl<H> Routes<H> {
    /// # Panics
    /// Where two of the paths are one.
    pub(crate) fn new(endpoints: &'static Endpoints<H>) -> Self {
        let mut router = matchit::Router::new();
        for (path, methods) in endpoints {
            // A mistake in a table of this program, which no server starts with: not one of those who use it.
            router.insert(*path, *methods).expect("the paths do not conflict");
        }
        Self(router)
    }

    /// The endpoint and the variable parts of the path.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<(&'static Endpoint<H>, Vec<String>), Fault> {
        let found = self.0.at(path).map_err(|_| Fault::not_found())?;
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let endpoint = found.value.iter().find(|endpoint| endpoint.method == wanted);
        let endpoint = endpoint.ok_or_else(|| Fault::wrong_method(allow(found.value)))?;
        Ok((endpoint, parameters(&found.params)?))
    }
}

fn allow<H>(endpoints: &[Endpoint<H>]) -> String {
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
