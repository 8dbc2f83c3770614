//! What the demonstration does as an administrator.

/// The administrator of the demonstration, in the change feed.
pub(super) const ADMIN: &str = "demo";

/// The answer to a call, or why there is none.
pub(super) fn answered<T, E: std::fmt::Display, F: std::fmt::Display>(
    answer: Result<Result<T, E>, F>,
) -> Result<T, String> {
    answer.map_err(|failure| failure.to_string())?.map_err(|error| error.to_string())
}
