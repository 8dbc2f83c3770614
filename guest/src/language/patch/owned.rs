//! Paths that outlast the text they were read from. In JSON the quotes of a filter are escaped, so the text of such a
//! path is a copy, which is dropped when the message has been read.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::language::filter::{Filter, Literal, PatchPath};

/// The same path, owning its literals.
pub(super) fn path(path: PatchPath<'_>) -> PatchPath<'static> {
    match path {
        PatchPath::Attribute { path, filter } => PatchPath::Attribute { path, filter: filter.map(self::filter) },
        PatchPath::Extension(schema) => PatchPath::Extension(schema),
        PatchPath::Resource => PatchPath::Resource,
        PatchPath::Unknown => PatchPath::Unknown,
    }
}

/// The same filter. It is nested no deeper than the parser allows.
fn filter(filter: Filter<'_>) -> Filter<'static> {
    let all = |filters: Vec<Filter<'_>>| filters.into_iter().map(self::filter).collect();
    let boxed = |filter: Box<Filter<'_>>| Box::new(self::filter(*filter));
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(filter) => Filter::Not(boxed(filter)),
        Filter::Present(path) => Filter::Present(path),
        Filter::Constant(holds) => Filter::Constant(holds),
        Filter::Compare { path, operator, literal } => {
            Filter::Compare { path, operator, literal: self::literal(literal) }
        }
        Filter::ValuePath { path, filter } => Filter::ValuePath { path, filter: boxed(filter) },
    }
}

fn literal(literal: Literal<'_>) -> Literal<'static> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match literal {
        Literal::Text { given, compared } => Literal::Text { given: owned(given), compared: owned(compared) },
        Literal::Boolean(flag) => Literal::Boolean(flag),
        Literal::Instant(instant) => Literal::Instant(instant),
    }
}
