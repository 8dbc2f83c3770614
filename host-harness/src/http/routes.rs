//! Finds what a request is for.

use super::fault::Fault;
use hyper::Method;
use percent_encoding::percent_decode_str;

/// Paths with their methods, and what each of them asks for.
pub(super) type Endpoints<E> = [(&'static str, &'static [(Method, E)])];

/// The endpoints of a surface.
pub(super) struct Routes<E: 'static>(matchit::Router<&'static [(Method, E)]>);

impl<E: Copy> Routes<E> {
    /// # Panics
    /// Where two of the paths are one.
    pub(super) fn new(endpoints: &'static Endpoints<E>) -> Self {
        let mut router = matchit::Router::new();
        for (path, methods) in endpoints {
            router.insert(*path, *methods).expect("the paths do not conflict");
        }
        Self(router)
    }

    /// The endpoint and the variable parts of the path.
    pub(super) fn find(&self, method: &Method, path: &str) -> Result<(E, Vec<String>), Fault> {
        let found = self.0.at(path).map_err(|_| Fault::not_found())?;
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let endpoint = found.value.iter().find(|(method, _)| method == wanted);
        let &(_, endpoint) = endpoint.ok_or_else(|| Fault::wrong_method(allow(found.value)))?;
        Ok((endpoint, parameters(&found.params)?))
    }
}

fn allow<E>(methods: &[(Method, E)]) -> String {
    let names = methods.iter().flat_map(|(method, _)| {
        let head = (method == Method::GET).then_some("HEAD");
        std::iter::once(method.as_str()).chain(head)
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
