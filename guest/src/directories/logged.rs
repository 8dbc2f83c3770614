//! A request as it stands in the log of its directory.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::store::keys::Kind;
use crate::text::{fold, starts_with_folded};

/// A request as it stands in the log: what was asked, about whom, what was answered, and what came of it. It has no
/// secrets; its body is kept apart, where it was captured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest {
    /// Its number in the log of its directory.
    pub sequence: u64,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The HTTP method.
    pub method: String,
    /// The path below the base URL. `*` stands for anything that is not an id or endpoint, and the query is left out,
    /// because they may hold addresses.
    pub path: String,
    /// The id of the request, if it came with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The SCIM keyword of the error, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// What was wrong, if anything was; in a bulk request, with the first operation that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What became of it; `None` if an earlier version of the program logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Whom or what it is about, unless it is about none in particular, or about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<LogSubject>,
    /// The attributes that it names, at most fifty.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "joined")]
    pub attributes: Vec<String>,
    /// How many members it names, and how many came and went; `None` if it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<MemberCounts>,
    /// The kinds of the changes that it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeCount>,
    /// How many operations it had, if it is a bulk request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<u32>,
    /// How many of them were refused, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u32>,
    /// Some of them, at most fifty: first those that were refused or held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<LoggedOperation>,
    /// What was done differently from what was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether its body was captured.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub has_body: bool,
}

/// The same as it is written when the request is made: every request is, so that nothing is copied for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewEntry<'e> {
    /// As in [`LoggedRequest`], and so are all that follow.
    pub sequence: u64,
    /// See there.
    pub at: u64,
    /// See there.
    pub method: &'e str,
    /// See there.
    pub path: &'e str,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<&'e str>,
    /// See there.
    pub status: u16,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<&'static str>,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// See there.
    pub effect: Effect,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<NewSubject<'e>>,
    /// See there; with a blank between any two.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub attributes: &'e str,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<MemberCounts>,
    /// See there.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub changes: &'e [ChangeCount],
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u32>,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<u32>,
    /// See there.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub listed: &'e [LoggedOperation],
    /// See there.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub notes: &'e [String],
    /// See there.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub has_body: bool,
}

/// A [`LogSubject`] as it is written when the request is made.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct NewSubject<'e> {
    /// As there, and so are all that follow.
    pub kind: Kind,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'e str>,
    /// See there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'e str>,
}

impl NewSubject<'_> {
    /// The same to be kept.
    #[must_use]
    pub fn to_owned(self) -> LogSubject {
        LogSubject { kind: self.kind, id: self.id.map(Into::into), name: self.name.map(Into::into) }
    }
}

/// Names as one text, with a blank between any two: no name of an attribute has one.
mod joined {
    use alloc::borrow::Cow;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&names.join(" "))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Ok(text.split(' ').map(ToString::to_string).collect())
    }
}

/// What a request or operation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSubject {
    /// Whether it is a user or a group.
    pub kind: Kind,
    /// Its id; `None` for one that was not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its `userName` or `displayName`: as it was before, or as it was sent where there was none before. Only the first
    /// hundred characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What became of a request or operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Something was made.
    Created,
    /// Something was changed.
    Changed,
    /// All was as it was asked for already.
    Unchanged,
    /// Something was deleted.
    Deleted,
    /// It was refused.
    Refused,
    /// It was held, because there were too many deletions.
    Held,
}

/// How many members a request names, and how many came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemberCounts {
    /// How many it names that are to be members.
    pub to_add: u32,
    /// How many became members.
    pub added: u32,
    /// How many it names that are not to be members.
    pub to_remove: u32,
    /// How many are no longer members, named or not.
    pub removed: u32,
}

/// An operation of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedOperation {
    /// The method.
    pub method: String,
    /// Whom or what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<LogSubject>,
    /// The HTTP status of its result.
    pub status: u16,
    /// What became of it.
    pub effect: Effect,
}

/// How many changes of one kind there were; for changes of members, how many came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCount {
    /// The kind, as in the change feed.
    pub kind: String,
    /// The number of changes, or of members.
    pub count: u32,
}

/// Which requests of a log are asked for; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only those about the user or group with this id.
    pub subject: Option<String>,
    /// Only those about a user or group whose name begins with this, without regard to case.
    pub name: Option<String>,
    /// Only those that were refused or held, in whole or in part.
    pub failed: bool,
}

impl LoggedRequest {
    /// Whether it was refused or held, in whole or in part.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.status >= 400 || self.refused.is_some_and(|refused| refused > 0)
    }

    /// Whom or what it is about, and what those of its operations are about that it lists.
    pub fn subjects(&self) -> impl Iterator<Item = &LogSubject> {
        self.subject.iter().chain(self.listed.iter().filter_map(|operation| operation.subject.as_ref()))
    }

    /// The same, to be changed.
    pub fn subjects_mut(&mut self) -> impl Iterator<Item = &mut LogSubject> {
        let of_operations = self.listed.iter_mut().filter_map(|operation| operation.subject.as_mut());
        self.subject.iter_mut().chain(of_operations)
    }
}

impl LogFilter {
    /// The filter with its name as it is compared.
    #[must_use]
    pub fn folded(&self) -> Self {
        LogFilter { name: self.name.as_deref().map(|name| fold(name.trim()).into_owned()), ..self.clone() }
    }

    /// Whether it asks for a request. The filter is [`folded`](Self::folded).
    #[must_use]
    pub fn matches(&self, request: &LoggedRequest) -> bool {
        let is_meant = |subject: &LogSubject| {
            let begins =
                |name: &String| subject.name.as_ref().is_some_and(|text| starts_with_folded(text.trim_start(), name));
            self.subject.as_ref().is_none_or(|id| subject.id.as_ref() == Some(id))
                && self.name.as_ref().is_none_or(begins)
        };
        let is_any = self.subject.is_none() && self.name.is_none();
        (!self.failed || request.has_failed()) && (is_any || request.subjects().any(is_meant))
    }
}
