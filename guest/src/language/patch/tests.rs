//! What identity providers send, what the RFC says, and where the two part.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::json;
use crate::language::error::{Error, ScimType};
use crate::language::schema::{ENTERPRISE_USER, GROUP, USER};

const ADA: &str = r#"{"userName":"ada@x","displayName":"Ada","title":"Countess","active":true,
    "name":{"givenName":"Ada","familyName":"King"},
    "emails":[{"value":"ada@x","type":"work","primary":true},{"value":"a@home","type":"home"}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
        {"department":"Engines","manager":{"value":"1","displayName":"Boss"}}}"#;

struct Patched {
    resource: String,
    changed: Vec<&'static str>,
}

fn patch(resource_type: &'static ResourceType, stored: &str, operations: &str) -> Result<(String, Outcome<'static>)> {
    let Value::Object(mut resource) = json::parse(stored).unwrap().into_owned() else {
        panic!("not an object: {stored}")
    };
    let message =
        format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#);
    let operations = parse(resource_type, json::parse(&message).unwrap().into_owned())?;
    let outcome = apply(resource_type, &mut resource, operations, &mut Effort::default())?;
    Ok((json::to_text(&resource), outcome))
}

fn ada(operations: &str) -> Result<Patched> {
    let (resource, outcome) = patch(&USER, ADA, operations)?;
    assert!(outcome.members.is_empty());
    Ok(Patched { resource, changed: outcome.changed })
}

/// Ada after one operation; what is expected is written as the difference to what was.
#[track_caller]
fn becomes(operation: &str, from: &str, to: &str) {
    let compact = json::parse(ADA).unwrap().to_text();
    assert!(compact.contains(from), "{from}");
    let expected = compact.replacen(from, to, 1);
    let patched = ada(&format!("[{operation}]")).unwrap();
    let (now, expected) = (json::parse(&patched.resource).unwrap(), json::parse(&expected).unwrap());
    assert_eq!(now, expected, "{operation}\n{}\n{}", now.to_text(), expected.to_text());
    assert_eq!(patched.changed.is_empty(), from == to, "{operation}");
}

#[track_caller]
fn changes_nothing(operation: &str) {
    becomes(operation, "Ada", "Ada");
}

#[track_caller]
fn refused(operation: &str, scim_type: ScimType) {
    let error = ada(&format!("[{operation}]")).map(|patched| patched.resource).unwrap_err();
    assert_eq!(error.scim_type, Some(scim_type), "{operation}: {}", error.detail);
}

#[test]
fn single_values_are_written_in_every_notation() {
    let (from, to) = (r#""title":"Countess""#, r#""title":"Queen""#);
    for operation in [
        r#"{"op":"Replace","path":"title","value":"Queen"}"#,
        r#"{"OP":"ADD","Path":"TITLE","VALUE":"Queen"}"#,
        r#"{"op":"add","path":" title ","value":"Queen"}"#,
        r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"Queen"}"#,
        r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User","value":{"title":"Queen"}}"#,
        r#"{"op":"replace","value":{"title":"Queen"}}"#,
        r#"{"op":"add","path":"","value":{"Title":"Queen"}}"#,
        r#"{"op":"add","path":null,"value":{"Title":"Queen"}}"#,
        r#"{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:title":"Queen"}}"#,
        r#"{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:user":{"TITLE":"Queen"}}}"#,
    ] {
        becomes(operation, from, to);
    }
    becomes(r#"{"op":"replace","path":"active","value":"False"}"#, "true,", "false,");
    becomes(r#"{"op":"replace","value":{"active":false}}"#, "true,", "false,");
    becomes(r#"{"op":"add","path":"nickName","value":"A"}"#, r#""active""#, r#""nickName":"A","active""#);
    for operation in [
        r#"{"op":"remove","path":"title"}"#,
        r#"{"op":"remove","path":"title","value":"anything"}"#,
        r#"{"op":"replace","path":"title","value":null}"#,
        r#"{"op":"add","value":{"title":null}}"#,
    ] {
        becomes(operation, r#""title":"Countess","#, "");
    }
    let deactivated = r#"[{"op":"replace","path":"active","value":false},{"op":"remove","path":"active"}]"#;
    assert!(ada(deactivated).unwrap().resource.contains(r#""active":false"#));
    refused(r#"{"op":"replace","path":"active","value":"perhaps"}"#, ScimType::InvalidValue);
    refused(r#"{"op":"replace","path":"title","value":42}"#, ScimType::InvalidValue);
}

#[test]
fn writing_what_is_there_changes_nothing() {
    for operation in [
        r#"{"op":"replace","path":"title","value":"Countess"}"#,
        r#"{"op":"replace","path":"active","value":"True"}"#,
        r#"{"op":"add","path":"name","value":{"givenName":"Ada"}}"#,
        r#"{"op":"add","path":"emails","value":[{"type":"home","value":"a@home"}]}"#,
        r#"{"op":"add","path":"emails","value":[{"value":"a@home"}]}"#,
        r#"{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@x"}"#,
        r#"{"op":"add","path":"emails[type eq \"WORK\"].primary","value":"true"}"#,
        r#"{"op":"remove","path":"nickName"}"#,
        r#"{"op":"remove","path":"name.middleName"}"#,
        r#"{"op":"remove","path":"emails[type eq \"other\"]"}"#,
        r#"{"op":"remove","path":"emails[type eq \"other\"].value"}"#,
        r#"{"op":"remove","path":"phoneNumbers"}"#,
        r#"{"op":"remove","path":"emails","value":[]}"#,
        r#"{"op":"remove","path":"emails","value":[{"value":"no@body"}]}"#,
        r#"{"op":"add","path":"emails","value":[]}"#,
        r#"{"op":"add","path":"emails","value":null}"#,
        r#"{"op":"add","path":"emails[type eq \"work\"]","value":null}"#,
        r#"{"op":"replace","path":"emails[type eq \"other\"].value","value":null}"#,
        r#"{"op":"replace","path":"name","value":{}}"#,
        r#"{"op":"replace","value":{}}"#,
        r#"{"op":"add","path":"schemas","value":["urn:x"]}"#,
        r#"{"op":"remove","path":"active"}"#,
        r#"{"op":"replace","path":"active","value":null}"#,
        r#"{"op":"add","value":{"ACTIVE":null}}"#,
    ] {
        changes_nothing(operation);
    }
}

#[test]
fn what_the_schema_does_not_know_is_passed_over() {
    for operation in [
        r#"{"op":"replace","path":"password","value":"x"}"#,
        r#"{"op":"remove","path":"password"}"#,
        r#"{"op":"replace","path":"name.nickname","value":"x"}"#,
        r#"{"op":"add","path":"urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:tag","value":"7"}"#,
        r#"{"op":"replace","value":{"password":"x","urn:x:y":{"z":1},"no name":1}}"#,
        r#"{"op":"replace","path":"things[type eq \"x\"].value","value":"x"}"#,
        r#"{"op":"replace","path":"emails[type eq \"work\"].unknown","value":"x"}"#,
        r#"{"op":"add","path":"urn:acme:(r&d)+x,y:it's/1.0:tag","value":"x"}"#,
        r#"{"op":"replace","path":"urn:acme:extension:1.0","value":{"x":1}}"#,
        r#"{"op":"replace","value":{"/active":false,"name.":"x","active:":false}}"#,
    ] {
        changes_nothing(operation);
    }
}

#[test]
fn what_is_no_path_is_refused() {
    for path in [
        "/active",
        "$.active",
        "active:",
        "active;",
        "name/givenName",
        "name.",
        "name.givenName.x",
        r#"emails[type eq \"work\"]..value"#,
        r#"emails[type eq \"work\"].value.foo"#,
        "{}",
        "/members",
        "urn:ietf:params:scim:schemas:core:2.0:User:/active",
    ] {
        for operation in ["add", "replace", "remove"] {
            refused(&format!(r#"{{"op":"{operation}","path":"{path}","value":"x"}}"#), ScimType::InvalidPath);
        }
    }
    for path in ["{}", "[]", "7", "true", r#"["active"]"#] {
        refused(&format!(r#"{{"op":"replace","path":{path},"value":false}}"#), ScimType::InvalidPath);
    }
    refused(r#"{"op":"add","value":{"emails[type eq \"work\"]..value":"x"}}"#, ScimType::InvalidPath);
}

#[test]
fn work_is_bounded_before_it_is_done() {
    let phones = (0..100).map(|n| format!(r#"{{"value":"e{n}"}}"#)).collect::<Vec<_>>().join(",");
    let all = format!(r#"{{"op":"add","path":"phoneNumbers","value":[{phones}]}}"#);
    let nobody = vec!["type eq \\\"x\\\""; 250].join(" or ");
    for (operation, times, is_too_much) in [
        (format!(r#"{{"op":"remove","path":"phoneNumbers[{nobody}]"}}"#), 10, false),
        (format!(r#"{{"op":"remove","path":"phoneNumbers[{nobody}]"}}"#), 1_000, true),
        (format!(r#"{{"op":"remove","path":"phoneNumbers","value":[{phones}]}},{all}"#), 1_000, true),
        (r#"{"op":"remove","path":"phoneNumbers[value eq \"e7\"]"}"#.to_string(), 9_000, false),
    ] {
        let operations = vec![operation.as_str(); times].join(",");
        let outcome = ada(&format!("[{all},{operations}]")).map(|patched| patched.resource);
        let scim_type = outcome.err().map(|error| error.scim_type);
        assert_eq!(scim_type, is_too_much.then_some(Some(ScimType::TooMany)), "{times}");
    }
}

#[test]
fn what_is_read_only_is_refused_where_it_is_meant_and_passed_over_where_it_comes_along() {
    changes_nothing(r#"{"op":"replace","value":{"id":"7","meta":{"version":"1"},"groups":[],"schemas":["urn:x"]}}"#);
    for path in ["id", "meta", "meta.version", "groups", "groups[value eq \\\"1\\\"]", "groups.display"] {
        for operation in ["add", "replace", "remove"] {
            refused(&format!(r#"{{"op":"{operation}","path":"{path}","value":"x"}}"#), ScimType::Mutability);
        }
    }
    refused(r#"{"op":"remove","path":"schemas"}"#, ScimType::Mutability);
    refused(r#"{"op":"remove","path":"userName"}"#, ScimType::Mutability);
    refused(r#"{"op":"replace","path":"userName","value":null}"#, ScimType::Mutability);
    refused(r#"{"op":"replace","path":"userName","value":" "}"#, ScimType::InvalidValue);
}

#[test]
fn complex_values_keep_what_is_not_named() {
    let (from, to) = (r#""givenName":"Ada""#, r#""givenName":"Augusta""#);
    for operation in [
        r#"{"op":"replace","path":"name","value":{"givenName":"Augusta"}}"#,
        r#"{"op":"add","path":"name","value":[{"GivenName":"Augusta","x":1}]}"#,
        r#"{"op":"replace","path":"name.givenName","value":"Augusta"}"#,
        r#"{"op":"replace","value":{"name":{"givenName":"Augusta"}}}"#,
        r#"{"op":"replace","value":{"name.givenName":"Augusta"}}"#,
    ] {
        becomes(operation, from, to);
    }
    becomes(r#"{"op":"replace","path":"name","value":{"givenName":null}}"#, r#""givenName":"Ada","#, "");
    becomes(r#"{"op":"remove","path":"name.givenName"}"#, r#""givenName":"Ada","#, "");
    let name = r#""name":{"givenName":"Ada","familyName":"King"},"#;
    becomes(r#"{"op":"remove","path":"name"}"#, name, "");
    becomes(r#"{"op":"replace","path":"name","value":{"givenName":null,"familyName":null}}"#, name, "");
    refused(r#"{"op":"replace","path":"name","value":"Ada Byron"}"#, ScimType::InvalidValue);
    refused(r#"{"op":"replace","path":"name","value":{"givenName":"a","GIVENNAME":"b"}}"#, ScimType::InvalidSyntax);
}

#[test]
fn extensions_are_written_in_every_notation() {
    let (from, to) = (r#""department":"Engines""#, r#""department":"Looms""#);
    for operation in [
        format!(r#"{{"op":"Replace","path":"{ENTERPRISE_USER}:department","value":"Looms"}}"#),
        format!(r#"{{"op":"replace","path":"{ENTERPRISE_USER}","value":{{"department":"Looms"}}}}"#),
        format!(r#"{{"op":"replace","value":{{"{ENTERPRISE_USER}":{{"DEPARTMENT":"Looms","x":1}}}}}}"#),
        format!(r#"{{"op":"add","value":{{"{ENTERPRISE_USER}:department":"Looms"}}}}"#),
        r#"{"op":"add","path":"urn:scim:schemas:extension:enterprise:2.0:department","value":"Looms"}"#.to_string(),
    ] {
        becomes(&operation, from, to);
    }
    let (from, to) = (r#""manager":{"value":"1","displayName":"Boss"}"#, r#""manager":{"value":"2"}"#);
    for value in [r#""2""#, r#"{"value":"2"}"#, r#"[{"$ref":null,"value":"2"}]"#] {
        becomes(&format!(r#"{{"op":"Add","path":"{ENTERPRISE_USER}:manager","value":{value}}}"#), from, to);
    }
    let to = r#""manager":{"value":"2","displayName":"Boss"}"#;
    becomes(&format!(r#"{{"op":"Replace","path":"{ENTERPRISE_USER}:manager.value","value":"2"}}"#), from, to);
    let to = r#""manager":{"value":"1","displayName":"B"}"#;
    becomes(&format!(r#"{{"op":"add","path":"{ENTERPRISE_USER}:manager","value":{{"displayName":"B"}}}}"#), from, to);
    becomes(&format!(r#"{{"op":"remove","path":"{ENTERPRISE_USER}:manager"}}"#), &format!(",{from}"), "");
    let all = format!(r#","{ENTERPRISE_USER}":{{"department":"Engines",{from}}}"#);
    becomes(&format!(r#"{{"op":"remove","path":"{ENTERPRISE_USER}"}}"#), &all, "");
    becomes(&format!(r#"{{"op":"replace","value":{{"{ENTERPRISE_USER}":null}}}}"#), &all, "");
    refused(&format!(r#"{{"op":"replace","path":"{ENTERPRISE_USER}","value":"x"}}"#), ScimType::InvalidValue);
}

#[test]
fn lists_are_added_to_replaced_and_taken_from() {
    let home = r#",{"value":"a@home","type":"home"}"#;
    let other = r#","type":"home"},{"value":"o","type":"other"}"#;
    for value in [r#"[{"value":"o","type":"other"},{"value":"a@home"}]"#, r#"{"value":"o","type":"other"}"#] {
        becomes(&format!(r#"{{"op":"add","path":"emails","value":{value}}}"#), r#","type":"home"}"#, other);
    }
    let add = r#"{"op":"add","path":"emails","value":[{"value":"A@HOME","display":"Home"}]}"#;
    becomes(add, r#""a@home","type":"home""#, r#""A@HOME","type":"home","display":"Home""#);
    becomes(r#"{"op":"add","path":"roles","value":"r"}"#, r#""active""#, r#""roles":[{"value":"r"}],"active""#);

    let replace = r#"{"op":"replace","path":"emails","value":[{"value":"ada@x","type":"work","primary":"true"}]}"#;
    becomes(replace, home, "");
    let emails = format!(r#""emails":[{{"value":"ada@x","type":"work","primary":true}}{home}],"#);
    for operation in [
        r#"{"op":"remove","path":"emails"}"#,
        r#"{"op":"remove","path":"emails","value":null}"#,
        r#"{"op":"replace","path":"emails","value":[]}"#,
        r#"{"op":"replace","path":"emails","value":null}"#,
        r#"{"op":"replace","value":{"emails":null}}"#,
        r#"{"op":"remove","path":"emails[type pr]"}"#,
    ] {
        becomes(operation, &emails, "");
    }
    for value in [
        r#"[{"$ref":null,"value":"a@home"}]"#,
        r#"{"value":"A@home","type":"Home"}"#,
        r#""a@home""#,
        r#"[{"type":"home"}]"#,
    ] {
        becomes(&format!(r#"{{"op":"Remove","path":"emails","value":{value}}}"#), home, "");
    }
    becomes(r#"{"op":"remove","path":"emails[value ew \"HOME\"]"}"#, home, "");
    becomes(r#"{"op":"remove","path":"emails[type eq \"home\"].value"}"#, home, "");
    becomes(r#"{"op":"replace","path":"emails[type eq \"home\"].value","value":null}"#, home, "");
    becomes(r#"{"op":"replace","path":"emails[type eq \"home\"]","value":null}"#, home, "");
    becomes(
        r#"{"op":"remove","path":"emails.type"}"#,
        &emails,
        r#""emails":[{"value":"ada@x","primary":true},{"value":"a@home"}],"#,
    );
}

#[test]
fn chosen_elements_keep_what_is_not_named() {
    for operation in [
        r#"{"op":"replace","path":"emails[type eq \"home\"].value","value":"b"}"#,
        r#"{"op":"Add","path":"emails[type eq \"home\"].value","value":"b"}"#,
        r#"{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"b"}}"#,
        r#"{"op":"replace","path":"emails[type eq \"home\"]","value":[{"value":"b"}]}"#,
        r#"{"op":"replace","path":"emails[not (type eq \"work\")].value","value":"b"}"#,
        r#"{"op":"replace","value":{"emails[type eq \"home\"].value":"b"}}"#,
    ] {
        becomes(operation, "a@home", "b");
    }
}

#[test]
fn an_element_that_is_there_is_not_made_again() {
    changes_nothing(r#"{"op":"add","path":"emails[type eq \"other\"]","value":{"value":"a@home","type":"home"}}"#);
}

#[test]
fn an_element_that_a_filter_describes_is_made() {
    let before = r#""active""#;
    for (path, value, made) in [
        (r#"phoneNumbers[type eq \"work\"].value"#, r#""1""#, r#"{"type":"work","value":"1"}"#),
        (r#"phoneNumbers[type eq \"work\"]"#, r#"{"value":"1"}"#, r#"{"type":"work","value":"1"}"#),
        (
            r#"phoneNumbers[type eq \"work\" and primary eq true].value"#,
            r#""1""#,
            r#"{"type":"work","primary":true,"value":"1"}"#,
        ),
        (r#"phoneNumbers[primary eq \"True\"].value"#, r#""1""#, r#"{"primary":true,"value":"1"}"#),
        ("phoneNumbers.value", r#""1""#, r#"{"value":"1"}"#),
    ] {
        let to = format!(r#""phoneNumbers":[{made}],"active""#);
        for op in ["add", "Replace"] {
            becomes(&format!(r#"{{"op":"{op}","path":"{path}","value":{value}}}"#), before, &to);
        }
        becomes(&format!(r#"{{"op":"replace","value":{{"{path}":{value}}}}}"#), before, &to);
    }
    for path in [
        r#"emails[value eq \"no@body\"].display"#,
        r#"phoneNumbers[type sw \"wo\" or value pr].value"#,
        r#"phoneNumbers[type eq \"a\" and type eq \"b\"].value"#,
        r#"phoneNumbers[type ne \"a\"].value"#,
        r#"phoneNumbers[not (type eq \"a\")].value"#,
    ] {
        for op in ["add", "replace"] {
            refused(&format!(r#"{{"op":"{op}","path":"{path}","value":"x"}}"#), ScimType::NoTarget);
        }
    }
}

#[test]
fn one_element_is_primary() {
    let (from, to) = (
        r#""primary":true},{"value":"a@home","type":"home"}"#,
        r#""primary":false},{"value":"a@home","type":"home","primary":true}"#,
    );
    for operation in [
        r#"{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}"#,
        r#"{"op":"add","path":"emails[type eq \"home\"]","value":{"primary":"True"}}"#,
        r#"{"op":"add","path":"emails","value":[{"value":"a@home","primary":true}]}"#,
    ] {
        becomes(operation, from, to);
    }
    let added = r#""primary":false},{"value":"a@home","type":"home"},{"value":"b","primary":true}"#;
    becomes(r#"{"op":"add","path":"emails","value":[{"value":"b","primary":true}]}"#, from, added);
    let made = r#""primary":false},{"value":"a@home","type":"home"},{"type":"other","primary":true}"#;
    becomes(r#"{"op":"add","path":"emails[type eq \"other\"].primary","value":true}"#, from, made);
    refused(r#"{"op":"replace","path":"emails.primary","value":true}"#, ScimType::InvalidValue);
    let two = r#"{"op":"replace","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}"#;
    refused(two, ScimType::InvalidValue);
}

#[test]
fn messages_that_are_not_built_right_are_refused() {
    use ScimType::{InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, NoTarget};
    for (operation, scim_type) in [
        (r#"{"op":"remove"}"#, NoTarget),
        (r#"{"op":"remove","path":"","value":{"title":"x"}}"#, NoTarget),
        (r#"{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:User"}"#, NoTarget),
        (r#"{"op":"merge","path":"title","value":"x"}"#, InvalidSyntax),
        (r#"{"op":7,"path":"title","value":"x"}"#, InvalidSyntax),
        (r#"{"path":"title","value":"x"}"#, InvalidSyntax),
        (r#""x""#, InvalidSyntax),
        (r#"{"op":"add","Op":"add","path":"title","value":"x"}"#, InvalidSyntax),
        (r#"{"op":"replace","value":{"title":"x","TITLE":"y"}}"#, InvalidSyntax),
        (r#"{"op":"replace","path":"title"}"#, InvalidValue),
        (r#"{"op":"add","value":"x"}"#, InvalidValue),
        (r#"{"op":"add","value":null}"#, InvalidValue),
        (r#"{"op":"add","path":7,"value":"x"}"#, InvalidPath),
        (r#"{"op":"add","path":"a title","value":"x"}"#, InvalidPath),
        (r#"{"op":"add","path":"title[value eq \"x\"]","value":"x"}"#, InvalidPath),
        (r#"{"op":"add","path":"emails[foo eq \"x\"].value","value":"x"}"#, InvalidFilter),
    ] {
        refused(operation, scim_type);
    }
    let broken = r#"[{"op":"replace","path":"emails[type eq \"work\"","value":"x"}]"#;
    assert!(matches!(ada(broken).err().unwrap().scim_type, Some(InvalidPath | InvalidFilter)));
    for operations in ["null", "7", "\"x\""] {
        assert_eq!(ada(operations).err().unwrap().scim_type, Some(InvalidSyntax), "{operations}");
    }
    assert!(ada("[]").unwrap().changed.is_empty());
    assert_eq!(ada(r#"{"op":"replace","path":"title","value":"x"}"#).unwrap().changed, ["title"]);
    let many = format!("[{}{{}}]", r#"{"op":"remove","path":"title"},"#.repeat(request::MAX_OPERATIONS));
    assert!(ada(&many).err().unwrap().detail.contains("10000"));
}

#[test]
fn the_message_has_its_schema_or_none() {
    let read = |schemas: &str| {
        let text = format!(r#"{{{schemas}"operations":[{{"op":"remove","path":"title"}}]}}"#);
        parse(&USER, json::parse(&text).unwrap()).map(|operations| operations.len())
    };
    for schemas in ["", r#""schemas":[],"#, r#""SCHEMAS":["URN:ietf:params:scim:api:messages:2.0:patchop","urn:x"],"#] {
        assert_eq!(read(schemas), Ok(1), "{schemas}");
    }
    for schemas in [r#""schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"#, r#""schemas":"x","#] {
        assert_eq!(read(schemas).unwrap_err().scim_type, Some(ScimType::InvalidSyntax), "{schemas}");
    }
    for body in ["[]", "null", "{}"] {
        let error: Error = parse(&USER, json::parse(body).unwrap()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax), "{body}");
    }
}

#[test]
fn limits_hold_for_what_comes_of_it() {
    let emails =
        |from: usize| (from..from + 60).map(|n| format!(r#"{{"value":"e{n}"}}"#)).collect::<Vec<_>>().join(",");
    let add = |from| format!(r#"{{"op":"add","path":"emails","value":[{}]}}"#, emails(from));
    assert!(ada(&format!("[{}]", add(0))).is_ok());
    let error = ada(&format!("[{},{}]", add(0), add(60))).err().unwrap();
    assert!(error.detail.contains("100 values"), "{}", error.detail);
    let text = "x".repeat(4_000);
    let roles = (0..20).map(|n| format!(r#"{{"op":"add","path":"roles","value":"{n}{text}"}}"#)).collect::<Vec<_>>();
    assert!(ada(&format!("[{}]", roles.join(","))).err().unwrap().detail.contains("65536 bytes"));
}

fn members(operations: &str) -> Result<Vec<MemberEdit<'static>>> {
    let (resource, outcome) = patch(&GROUP, r#"{"displayName":"G"}"#, operations)?;
    assert_eq!(resource, r#"{"displayName":"G"}"#);
    assert!(outcome.changed.is_empty());
    Ok(outcome.members)
}

fn ids(ids: &[&'static str]) -> Vec<Cow<'static, str>> {
    ids.iter().map(|id| Cow::Borrowed(*id)).collect()
}

#[test]
fn members_are_added_removed_and_replaced() {
    let ab = r#"[{"$ref":null,"value":"a"},{"value":"b","display":"B","type":"User"}]"#;
    for (operations, edits) in [
        (format!(r#"[{{"op":"Add","path":"members","value":{ab}}}]"#), vec![MemberEdit::Add(ids(&["a", "b"]))]),
        (format!(r#"[{{"op":"add","value":{{"members":{ab}}}}}]"#), vec![MemberEdit::Add(ids(&["a", "b"]))]),
        (format!(r#"[{{"op":"replace","path":"members","value":{ab}}}]"#), vec![MemberEdit::Replace(ids(&["a", "b"]))]),
        (format!(r#"[{{"op":"replace","value":{{"Members":{ab}}}}}]"#), vec![MemberEdit::Replace(ids(&["a", "b"]))]),
        (format!(r#"[{{"op":"Remove","path":"members","value":{ab}}}]"#), vec![MemberEdit::Remove(ids(&["a", "b"]))]),
        (r#"[{"op":"Remove","path":"members","value":{"value":"a"}}]"#.into(), vec![MemberEdit::Remove(ids(&["a"]))]),
        (
            r#"[{"op":"Remove","path":"members","value":[{"value":"a","type":"Group"}]}]"#.into(),
            vec![MemberEdit::Remove(ids(&["a"]))],
        ),
        (r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#.into(), vec![MemberEdit::Remove(ids(&["a"]))]),
        (
            r#"[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"].value"}]"#.into(),
            vec![MemberEdit::Remove(ids(&["a", "b"]))],
        ),
        (
            r#"[{"op":"add","path":"members[value eq \"a\"]","value":{"display":"A"}}]"#.into(),
            vec![MemberEdit::Add(ids(&["a"]))],
        ),
        (r#"[{"op":"add","path":"members.value","value":"a"}]"#.into(), vec![MemberEdit::Add(ids(&["a"]))]),
        (r#"[{"op":"remove","path":"members"}]"#.into(), vec![MemberEdit::RemoveAll]),
        (r#"[{"op":"remove","path":"members","value":null}]"#.into(), vec![MemberEdit::RemoveAll]),
        (r#"[{"op":"replace","path":"members","value":[]}]"#.into(), vec![MemberEdit::Replace(ids(&[]))]),
        (r#"[{"op":"replace","value":{"members":[]}}]"#.into(), vec![MemberEdit::Replace(ids(&[]))]),
        (r#"[{"op":"replace","path":"members","value":null}]"#.into(), vec![MemberEdit::Replace(ids(&[]))]),
        (r#"[{"op":"replace","value":{"members":null}}]"#.into(), vec![]),
        (r#"[{"op":"remove","path":"members","value":[]}]"#.into(), vec![]),
        (r#"[{"op":"add","path":"members","value":[]}]"#.into(), vec![]),
        (r#"[{"op":"add","path":"members","value":null}]"#.into(), vec![]),
        (r#"[{"op":"replace","path":"members[value eq \"a\"].display","value":"x"}]"#.into(), vec![]),
    ] {
        assert_eq!(members(&operations).unwrap(), edits, "{operations}");
    }
    let one_by_one = ["add", "add", "remove", "remove", "add"].iter().zip(["a", "b", "c", "a", "c"]);
    let one_by_one =
        one_by_one.map(|(op, id)| format!(r#"{{"op":"{op}","path":"members","value":[{{"value":"{id}"}}]}}"#));
    assert_eq!(
        members(&format!("[{}]", one_by_one.collect::<Vec<_>>().join(","))).unwrap(),
        [MemberEdit::Add(ids(&["a", "b"])), MemberEdit::Remove(ids(&["c", "a"])), MemberEdit::Add(ids(&["c"]))]
    );
    let odd = members(r#"[{"op":"remove","path":"members[type eq \"User\"]"}]"#).unwrap();
    assert!(matches!(odd.as_slice(), [MemberEdit::RemoveWhere(_)]));
}

#[test]
fn members_that_cannot_be_are_refused() {
    for (operation, scim_type) in [
        (r#"{"op":"add","path":"members","value":[{"value":"a","type":"Group"}]}"#, ScimType::InvalidValue),
        (
            r#"{"op":"replace","path":"members","value":[{"value":"a","$ref":"https://x/Groups/a"}]}"#,
            ScimType::InvalidValue,
        ),
        (r#"{"op":"add","path":"members","value":[{"display":"who?"}]}"#, ScimType::InvalidValue),
        (r#"{"op":"remove","path":"members","value":[{"display":"who?"}]}"#, ScimType::InvalidValue),
        (r#"{"op":"add","path":"members[type eq \"User\"]","value":{"value":"a"}}"#, ScimType::NoTarget),
        (r#"{"op":"replace","path":"members[value eq \"a\"].value","value":"b"}"#, ScimType::Mutability),
        (r#"{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}"#, ScimType::Mutability),
        (r#"{"op":"replace","path":"members.value","value":"b"}"#, ScimType::Mutability),
        (r#"{"op":"add","path":"members.type","value":"User"}"#, ScimType::Mutability),
        (r#"{"op":"remove","path":"members.value"}"#, ScimType::Mutability),
    ] {
        let error = members(&format!("[{operation}]")).unwrap_err();
        assert_eq!(error.scim_type, Some(scim_type), "{operation}: {}", error.detail);
    }
}

#[test]
fn groups_keep_their_members_and_their_id_when_they_are_renamed() {
    let rename = r#"[{"op":"replace","value":{"schemas":["urn:x"],"id":"7","displayName":"H","externalId":"e"}}]"#;
    let (resource, outcome) = patch(&GROUP, r#"{"displayName":"G"}"#, rename).unwrap();
    assert_eq!(resource, r#"{"displayName":"H","externalId":"e"}"#);
    assert_eq!(outcome, Outcome { changed: vec!["displayName", "externalId"], members: vec![] });
    let removal = patch(&GROUP, r#"{"displayName":"G"}"#, r#"[{"op":"remove","path":"displayName"}]"#);
    assert_eq!(removal.unwrap_err().scim_type, Some(ScimType::Mutability));
}

#[test]
fn the_largest_group_is_patched_in_one_go() {
    let list = (0..150_000).map(|n| format!(r#"{{"value":"{n}","$ref":null}}"#)).collect::<Vec<_>>().join(",");
    let edits = members(&format!(r#"[{{"op":"replace","path":"members","value":[{list}]}}]"#)).unwrap();
    assert!(matches!(edits.as_slice(), [MemberEdit::Replace(ids)] if ids.len() == 150_000));
}
