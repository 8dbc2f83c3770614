//! Bulk requests (RFC 7644, section 3.7).
//!
//! All operations run in one transaction, so that a thousand of them cost one commit. Each is atomic: what a failed one
//! had written is undone, and the others stand. New resources get their ids beforehand, so a reference can be resolved
//! whatever the order, even to a resource that is made later in the request, or in a circle.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::asked::Asked;
use super::conditions::Conditions;
use super::log::is_held;
use super::membership;
use super::message::{self, BULK_REQUEST, BULK_RESPONSE};
use super::write::{Method, Write};
use crate::directories::logged::NewSubject;
use crate::directories::{Effect, LoggedOperation};
use crate::engine::Engine;
use crate::json::{self, Object, Value};
use crate::language::error::{Error, Result, Status};
use crate::language::schema::GROUP_MEMBERSHIP;
use crate::language::secrets::HIDDEN;
use crate::provisioning::notes::Done;
use crate::provisioning::scope::{RequestContext, Scope};
use crate::provisioning::users;
use crate::scim::http::{Request, Response};
use crate::store::keys::Kind;
use crate::text::quoted;

/// How many operations a request may have.
pub const MAX_OPERATIONS: usize = 1_000;

/// How many operations the log lists.
const MAX_LISTED: usize = 50;

/// What a reference to a resource of the same request begins with.
const REFERENCE: &str = "bulkId:";

/// The methods of bulk operations, as the answer repeats them.
const METHOD_NAMES: [(Method, &str); 4] =
    [(Method::Post, "POST"), (Method::Put, "PUT"), (Method::Patch, "PATCH"), (Method::Delete, "DELETE")];

/// One operation as it came.
struct Operation<'r> {
    method: Result<Method>,
    bulk_id: Option<Cow<'r, str>>,
    path: Cow<'r, str>,
    version: Option<Cow<'r, str>>,
    data: Option<Value<'r>>,
    /// What it names, for the log.
    asked: Asked,
    /// The id of the resource that it would make.
    new_id: String,
    /// The `bulkId`s that it refers to.
    references: BTreeSet<String>,
}

/// What an operation is about.
enum Target {
    /// The user or group of this id.
    Resource(Kind, String),
    /// A membership, of this id if the path names one.
    Membership(Option<String>),
}

/// The result of an operation.
struct OperationResult {
    location: Option<String>,
    outcome: Result<Success>,
    /// What it was about, and what became of it.
    done: Done,
}

struct Success {
    status: u16,
    version: Option<String>,
    /// The id of a membership that was made: it is known only then.
    membership: Option<String>,
}

/// Carries out a bulk request.
///
/// # Errors
/// 400 if the request as a whole cannot be accepted, 413 above a limit; failures of single operations are in the
/// answer.
pub fn respond(engine: &Engine<'_>, call: &RequestContext<'_>, request: &Request) -> Result<Response> {
    let asked = request.json().and_then(|body| read(engine, call, body)).map(|(operations, fail_on_errors)| {
        let order = order(&operations);
        (operations, order, fail_on_errors)
    });
    engine.log_write(call, &Asked::default(), |scope| {
        let (operations, order, fail_on_errors) = asked.as_ref().map_err(Clone::clone)?;
        scope.notes.operations = u32::try_from(operations.len()).ok();
        let done = run(scope, operations, order, *fail_on_errors)?;
        note_effects(scope, operations, &done);
        let results =
            operations.iter().zip(done).filter_map(|(operation, done)| Some(describe(operation, done?))).collect();
        let mut answer = Object::new();
        answer.push("schemas", Value::Array(alloc::vec![BULK_RESPONSE.into()]));
        answer.push("Operations", Value::Array(results));
        Ok(Response::with_body(200, json::to_text(&answer)))
    })
}

fn read<'r>(
    engine: &Engine<'_>,
    call: &RequestContext<'_>,
    body: Value<'r>,
) -> Result<(Vec<Operation<'r>>, Option<u64>)> {
    let Value::Object(body) = body else { return Err(Error::invalid_syntax("a bulk request is a JSON object")) };
    message::check(&body, BULK_REQUEST)?;
    let fail_on_errors = match body.get_ignoring_case("failOnErrors") {
        None | Some(Value::Null) => None,
        Some(Value::Number(number)) if number.as_u64().is_some_and(|number| number > 0) => number.as_u64(),
        Some(_) => return Err(Error::invalid_value("failOnErrors must be a whole number above 0")),
    };
    let operations = body.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("Operations")).map(|(_, value)| value);
    let Some(Value::Array(operations)) = operations else {
        return Err(Error::invalid_syntax("a bulk request needs an array of Operations"));
    };
    if operations.len() > MAX_OPERATIONS {
        let detail = format!("a bulk request may have {MAX_OPERATIONS} operations, this one has {}", operations.len());
        return Err(Error::new(Status::PayloadTooLarge, detail));
    }
    // In order, so that lists have the new resources in the order of the request.
    let mut ids: Vec<String> = operations.iter().map(|_| engine.new_id(&call.now)).collect();
    ids.sort_unstable();
    let operations: Vec<Operation<'r>> =
        operations.into_iter().zip(ids).map(|(operation, id)| Operation::read(operation, id)).collect::<Result<_>>()?;
    let mut names = BTreeSet::new();
    for bulk_id in operations.iter().filter_map(|operation| operation.bulk_id.as_deref()) {
        if !names.insert(bulk_id) {
            return Err(Error::invalid_value(format!("the bulkId {} is there more than once", quoted(bulk_id))));
        }
    }
    Ok((operations, fail_on_errors))
}

impl<'r> Operation<'r> {
    fn read(operation: Value<'r>, new_id: String) -> Result<Self> {
        let Value::Object(operation) = operation else {
            return Err(Error::invalid_syntax("every operation of a bulk request is a JSON object"));
        };
        if let Some(name) = operation.repeated_name() {
            return Err(Error::invalid_syntax(format!("an operation has {} more than once", quoted(name))));
        }
        let (mut method, mut bulk_id, mut path, mut version, mut data) = (None, None, None, None, None);
        for (name, value) in operation {
            let text = |value: Value<'r>| match value {
                Value::String(text) => Ok(Some(text)),
                Value::Null => Ok(None),
                other => {
                    let detail = format!("{} of an operation must be a string, not {}", quoted(&name), other.kind());
                    Err(Error::invalid_syntax(detail))
                }
            };
            match name.to_ascii_lowercase().as_str() {
                "method" => method = text(value)?,
                "bulkid" => bulk_id = text(value)?,
                "path" => path = text(value)?,
                "version" => version = text(value)?,
                "data" => data = Some(value).filter(|value| *value != Value::Null),
                _ => {}
            }
        }
        let method = method
            .as_deref()
            .and_then(Method::from_name)
            .ok_or_else(|| Error::invalid_syntax("the method of an operation is POST, PUT, PATCH or DELETE"));
        let mut references = BTreeSet::new();
        if let Some(data) = &data {
            collect_references(data, &mut references);
        }
        let path = path.unwrap_or_default();
        if let Some((_, reference)) = path.split_once(REFERENCE) {
            references.insert(reference.to_string());
        }
        let mut operation =
            Operation { method, bulk_id, path, version, data, asked: Asked::default(), new_id, references };
        if let Ok(method) = operation.method {
            operation.asked = match operation.kind() {
                Some(kind) => Asked::of(kind, operation.segments().nth(1), method, operation.data.as_ref()),
                None if operation.is_of_memberships() => Asked::of_membership(method),
                None => Asked::default(),
            };
        }
        Ok(operation)
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter(|segment| !segment.is_empty())
    }

    /// The kind of resource that the path names.
    fn kind(&self) -> Option<Kind> {
        let endpoint = self.segments().next()?;
        [Kind::User, Kind::Group]
            .into_iter()
            .find(|kind| kind.resource_type().endpoint.trim_start_matches('/').eq_ignore_ascii_case(endpoint))
    }

    /// Whether the path is that of memberships.
    fn is_of_memberships(&self) -> bool {
        let endpoint = self.segments().next().unwrap_or_default();
        GROUP_MEMBERSHIP.endpoint.trim_start_matches('/').eq_ignore_ascii_case(endpoint)
    }

    /// What the path names; for a path without an id, the new resource.
    fn target(&self, scope: &Scope<'_>, ids: &BulkIds<'_>) -> Result<Target> {
        let unknown = || Error::not_found(format!("there is no endpoint {}", quoted(&self.path)));
        let kind = self.kind();
        if kind.is_none() && !(self.is_of_memberships() && scope.settings.membership_resources) {
            return Err(unknown());
        }
        let mut below = self.segments().skip(1);
        let (id, None) = (below.next(), below.next()) else { return Err(unknown()) };
        let makes = *self.method.as_ref().map_err(Clone::clone)? == Method::Post;
        let id = match id {
            None if makes => None,
            Some(id) if !makes => Some(ids.resolve(id)?.unwrap_or(id).to_string()),
            _ => {
                return Err(Error::invalid_path(format!(
                    "POST goes to an endpoint, the other methods to a resource below it, not to {}",
                    quoted(&self.path)
                )));
            }
        };
        Ok(match kind {
            Some(kind) => Target::Resource(kind, id.unwrap_or_else(|| self.new_id.clone())),
            None => Target::Membership(id),
        })
    }
}

/// The ids of the resources that the request makes, by their `bulkId`.
struct BulkIds<'o> {
    ids: BTreeMap<&'o str, Cow<'o, str>>,
    failed: BTreeSet<&'o str>,
}

impl<'o> BulkIds<'o> {
    /// The id that a text refers to; `None` if it is not a reference.
    fn resolve(&self, text: &str) -> Result<Option<&str>> {
        let Some(bulk_id) = text.strip_prefix(REFERENCE) else { return Ok(None) };
        if self.failed.contains(bulk_id) {
            return Err(Error::invalid_value(format!("the operation with the bulkId {} failed", quoted(bulk_id))));
        }
        match self.ids.get(bulk_id) {
            Some(id) => Ok(Some(id)),
            None => Err(Error::invalid_value(format!("no operation makes the bulkId {}", quoted(bulk_id)))),
        }
    }

    /// A body without the attributes or operations that refer to a resource that could not be made.
    fn without_failed<'r>(&self, body: Value<'r>) -> Value<'r> {
        let Value::Object(mut body) = body else { return body };
        let stands = |value: &Value<'r>| {
            let mut references = BTreeSet::new();
            collect_references(value, &mut references);
            references.iter().all(|bulk_id| !self.failed.contains(bulk_id.as_str()))
        };
        body.retain(|name, value| match value {
            Value::Array(operations) if name.eq_ignore_ascii_case("Operations") => {
                operations.retain(stands);
                true
            }
            value => stands(value),
        });
        Value::Object(body)
    }

    /// Replaces references by ids. Values are nested no deeper than JSON may be read.
    fn resolve_all(&self, value: &mut Value<'_>) -> Result<()> {
        match value {
            Value::String(text) => {
                if let Some(id) = self.resolve(text)? {
                    *text = Cow::Owned(id.to_string());
                }
                Ok(())
            }
            Value::Array(values) => values.iter_mut().try_for_each(|value| self.resolve_all(value)),
            Value::Object(object) => {
                let mut result = Ok(());
                object.retain(|_, value| {
                    if result.is_ok() {
                        result = self.resolve_all(value);
                    }
                    true
                });
                result
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }
}

fn collect_references(value: &Value<'_>, references: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Some(bulk_id) = text.strip_prefix(REFERENCE) {
                references.insert(bulk_id.to_string());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, references)),
        Value::Object(object) => object.iter().for_each(|(_, value)| collect_references(value, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The order in which operations run: as they came, but after those that make what they refer to. A circle is broken
/// where [`breaking_point`] says.
fn order(operations: &[Operation<'_>]) -> Vec<usize> {
    let makers: BTreeMap<&str, usize> = operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| operation.method == Ok(Method::Post))
        .filter_map(|(at, operation)| Some((operation.bulk_id.as_deref()?, at)))
        .collect();
    let mut waiting: Vec<BTreeSet<usize>> = operations
        .iter()
        .enumerate()
        .map(|(at, operation)| {
            let makers = operation.references.iter().filter_map(|bulk_id| makers.get(bulk_id.as_str()).copied());
            makers.filter(|maker| *maker != at).collect()
        })
        .collect();
    let mut dependents: Vec<Vec<usize>> = alloc::vec![Vec::new(); operations.len()];
    for (at, makers) in waiting.iter().enumerate() {
        for maker in makers {
            dependents[*maker].push(at);
        }
    }
    let mut left: BTreeSet<usize> = (0..operations.len()).collect();
    let mut ready: BTreeSet<usize> = left.iter().copied().filter(|at| waiting[*at].is_empty()).collect();
    let mut order = Vec::with_capacity(operations.len());
    while let Some(next) = ready.pop_first().or_else(|| breaking_point(operations, &waiting, *left.first()?)) {
        left.remove(&next);
        order.push(next);
        for dependent in &dependents[next] {
            waiting[*dependent].remove(&next);
            if waiting[*dependent].is_empty() && left.contains(dependent) {
                ready.insert(*dependent);
            }
        }
    }
    order
}

/// The operation at which to break a circle that keeps another one waiting: one that makes a user, because a user's
/// references need not exist yet, else the one that came first.
fn breaking_point(operations: &[Operation<'_>], waiting: &[BTreeSet<usize>], from: usize) -> Option<usize> {
    let (mut passed, mut place) = (Vec::new(), alloc::vec![None; operations.len()]);
    let mut at = from;
    let begin = loop {
        if let Some(begin) = place[at] {
            break begin;
        }
        place[at] = Some(passed.len());
        passed.push(at);
        at = *waiting[at].first()?;
    };
    let circle = passed.split_off(begin);
    circle.into_iter().min_by_key(|at| (operations[*at].kind() != Some(Kind::User), *at))
}

/// Runs the operations. Those after the last error that is allowed are not run, and have no result.
fn run(
    scope: &mut Scope<'_>,
    operations: &[Operation<'_>],
    order: &[usize],
    fail_on_errors: Option<u64>,
) -> Result<Vec<Option<OperationResult>>> {
    let ids = operations
        .iter()
        // The id of a membership is known when it is made.
        .filter(|operation| operation.method == Ok(Method::Post) && !operation.is_of_memberships())
        .filter_map(|operation| Some((operation.bulk_id.as_deref()?, operation.new_id.as_str().into())))
        .collect();
    let mut ids = BulkIds { ids, failed: BTreeSet::new() };
    let mut done: Vec<Option<OperationResult>> = operations.iter().map(|_| None).collect();
    let mut errors = 0;
    for at in order {
        let operation = &operations[*at];
        let savepoint = scope.savepoint();
        let mut result = perform(scope, operation, &ids);
        result.done = core::mem::take(&mut scope.notes.done);
        if let Err(error) = &result.outcome {
            // What the storage refuses or cannot do breaks the whole request.
            if error.is_breakdown {
                return Err(error.clone());
            }
            scope.undo_since(savepoint);
            scope.notes.refused += 1;
            scope.notes.refusal.get_or_insert_with(|| error.clone());
            ids.failed.extend(operation.bulk_id.as_deref());
            errors += 1;
        }
        if let (Some(bulk_id), Ok(Success { membership: Some(id), .. })) =
            (operation.bulk_id.as_deref(), &result.outcome)
        {
            ids.ids.insert(bulk_id, id.clone().into());
        }
        done[*at] = Some(result);
        if fail_on_errors.is_some_and(|allowed| errors >= allowed) {
            break;
        }
    }
    Ok(done)
}

/// Notes for the log what became of the operations, and some of them by name.
fn note_effects(scope: &mut Scope<'_>, operations: &[Operation<'_>], done: &[Option<OperationResult>]) {
    let results = || operations.iter().zip(done).filter_map(|(operation, done)| Some((operation, done.as_ref()?)));
    let effect = |result: &OperationResult| match &result.outcome {
        Err(error) if is_held(error) => Effect::Held,
        Err(_) => Effect::Refused,
        Ok(_) => result.done.effect.unwrap_or(Effect::Unchanged),
    };
    let effects = || results().map(|(_, result)| effect(result));
    let is_change = |effect: &Effect| matches!(effect, Effect::Created | Effect::Changed | Effect::Deleted);
    let stood = if effects().any(|effect| is_change(&effect)) { Some(Effect::Changed) } else { None };
    let is_none = |effect: &Effect| *effect != Effect::Unchanged;
    scope.notes.effect = stood.or_else(|| effects().find(is_none));
    let failed = results().filter(|(_, result)| result.outcome.is_err());
    let others = results().filter(|(_, result)| result.outcome.is_ok());
    let listed = failed.chain(others).take(MAX_LISTED).map(|(operation, result)| LoggedOperation {
        method: operation.method.as_ref().ok().copied().and_then(method_name).unwrap_or(HIDDEN).to_string(),
        subject: operation.asked.subject(&result.done).map(NewSubject::to_owned),
        status: match &result.outcome {
            Ok(success) => success.status,
            Err(error) => error.status.code(),
        },
        effect: effect(result),
    });
    scope.notes.listed = listed.collect();
}

fn method_name(method: Method) -> Option<&'static str> {
    METHOD_NAMES.iter().find(|(known, _)| *known == method).map(|(_, name)| *name)
}

fn perform(scope: &mut Scope<'_>, operation: &Operation<'_>, ids: &BulkIds<'_>) -> OperationResult {
    let (kind, id) = match operation.target(scope, ids) {
        Ok(Target::Resource(kind, id)) => (kind, id),
        Ok(Target::Membership(id)) => {
            let outcome = write_membership(scope, operation, ids, id.as_deref());
            let made = outcome.as_ref().ok().and_then(|success| success.membership.as_ref());
            let location = id.as_ref().or(made).map(|id| membership::location(scope, id));
            return OperationResult { location, outcome, done: Done::default() };
        }
        Err(error) => return OperationResult { location: None, outcome: Err(error), done: Done::default() },
    };
    let outcome = write(scope, operation, ids, kind, &id);
    let creation_failed = outcome.is_err() && id == operation.new_id;
    let location = (!creation_failed).then(|| scope.location(kind, &id));
    OperationResult { location, outcome, done: Done::default() }
}

/// The method of an operation. One that makes something must say under which `bulkId`.
fn checked_method(operation: &Operation<'_>) -> Result<Method> {
    let method = *operation.method.as_ref().map_err(Clone::clone)?;
    if method == Method::Post && operation.bulk_id.is_none() {
        return Err(Error::invalid_syntax("an operation with POST needs a bulkId"));
    }
    Ok(method)
}

fn write_membership(
    scope: &mut Scope<'_>,
    operation: &Operation<'_>,
    ids: &BulkIds<'_>,
    id: Option<&str>,
) -> Result<Success> {
    let method = checked_method(operation)?;
    let mut data = operation.data.clone();
    data.as_mut().map_or(Ok(()), |data| ids.resolve_all(data))?;
    let write = membership::Write::read(method, data)?;
    let conditions = Conditions::version(operation.version.as_deref());
    let (done, _) = write.perform(scope, id.unwrap_or_default(), &conditions)?;
    let (status, membership) = if id.is_none() { (201, Some(done.text())) } else { (204, None) };
    Ok(Success { status, version: None, membership })
}

fn write(scope: &mut Scope<'_>, operation: &Operation<'_>, ids: &BulkIds<'_>, kind: Kind, id: &str) -> Result<Success> {
    let method = checked_method(operation)?;
    let mut data = operation.data.clone();
    let resolved = data.as_mut().map_or(Ok(()), |data| ids.resolve_all(data));
    if resolved.is_err() {
        data = operation.data.clone().map(|data| ids.without_failed(data));
        data.as_mut().map_or(Ok(()), |data| ids.resolve_all(data))?;
    }
    let write = Write::read(kind, method, data)?;
    let stored = write.perform(scope, kind, id, &Conditions::version(operation.version.as_deref()))?;
    if let Err(refusal) = resolved {
        // Only a leaver's request is done without what it refers to.
        if kind != Kind::User || !write.says_status() || !stored.as_ref().is_some_and(|user| user.header.inactive) {
            return Err(refusal);
        }
        users::note_left_out(scope, id, "what refers to an operation that failed", &refusal);
    }
    Ok(Success {
        status: match method {
            Method::Post => 201,
            Method::Put | Method::Patch => 200,
            Method::Delete => 204,
        },
        version: stored.map(|stored| stored.header.etag()),
        membership: None,
    })
}

fn describe<'s>(operation: &'s Operation<'_>, done: OperationResult) -> Value<'s> {
    let mut result = Object::new();
    if let Some(name) = operation.method.as_ref().ok().copied().and_then(method_name) {
        result.push("method", name.into());
    }
    if let Some(bulk_id) = &operation.bulk_id {
        result.push("bulkId", Value::from(&**bulk_id));
    }
    if let Some(location) = done.location {
        result.push("location", location.into());
    }
    match done.outcome {
        Ok(success) => {
            if let Some(version) = success.version {
                result.push("version", version.into());
            }
            result.push("status", success.status.to_string().into());
        }
        Err(error) => {
            result.push("status", error.status.code().to_string().into());
            if let Ok(body) = json::parse(&error.body()) {
                result.push("response", body.into_owned());
            }
        }
    }
    Value::Object(result)
}
