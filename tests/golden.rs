//! Golden files: what was once found right, kept in `golden/`, and compared with ever after.

use std::path::Path;
use std::{env, fs};

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
