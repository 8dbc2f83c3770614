//! Golden files: what was once found right, kept in `golden/`, and compared with ever after.

use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

use regex::Regex;

use crate::server::Response;

/// The environment variable that has the files rewritten instead of compared with, when it is set to 1.
pub const BLESS: &str = "USHER_BLESS";

/// Compares `actual` with the file of that name.
///
/// # Panics
/// Where they differ, with the first line that does, or where the file cannot be read or written.
pub fn compare(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if env::var_os(BLESS).is_some_and(|value| value == "1") {
        return fs::write(&path, actual).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    if expected == actual {
        return;
    }
    let same = expected.lines().zip(actual.lines()).take_while(|(expected, actual)| expected == actual).count();
    panic!(
        "{name} differs from line {}:\n  expected: {}\n  actual:   {}\nIf the change is meant, {BLESS}=1 rewrites the file.",
        same + 1,
        expected.lines().nth(same).unwrap_or("(the end)"),
        actual.lines().nth(same).unwrap_or("(the end)"),
    );
}

/// What differs from run to run, and what stands for it.
static VARIABLE: LazyLock<[(Regex, &str); 8]> = LazyLock::new(|| {
    let pattern = |pattern: &str| Regex::new(pattern).expect("the pattern is one");
    [
        (pattern(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
        (pattern(r"\b[0-9a-v]{20}\.[0-9a-v]{20}\.[\w-]+"), "<token>"),
        (pattern(r"\b[0-9a-v]{20}\.[\w-]+"), "<key>"),
        (pattern(r"\b[0-9a-v]{20}\b"), "<id>"),
        (pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+0000)"), "<time>"),
        (pattern(r"\d\d/[A-Z][a-z]{2}/\d\d \d{1,2}:\d\d [AP]M"), "<time>"),
        (pattern(r"\b1\d{12}\b"), "<milliseconds>"),
        (pattern(r"\b[0-9a-f]{8}-[0-9a-f]+\b"), "<request>"),
    ]
});

/// Header fields that say nothing of what was asked for.
const OF_EVERY_RESPONSE: [&str; 4] = ["connection", "content-length", "date", "x-request-id"];

/// Compares a response, header fields and all, with the file of that name.
///
/// # Panics
/// As [`compare`], or where a body is no JSON.
pub fn compare_response(name: &str, response: &Response) {
    let mut text = format!("{}\n", response.status);
    for (field, value) in &response.headers {
        if !OF_EVERY_RESPONSE.contains(&field.as_str()) {
            text.extend([field, ": ", value, "\n"]);
        }
    }
    text.push('\n');
    if !response.body.is_empty() {
        text += &serde_json::to_string_pretty(&response.json()).expect("JSON is written");
        text.push('\n');
    }
    for (pattern, name) in VARIABLE.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    compare(name, &text);
}
