//! Imports go down only: in each source tree, a floor uses those below it and none above, and files of one floor do not use
//! each other in a circle.
//!
//! The order of the floors stands in the docs of the tree's `lib.rs`, as a table whose first heading is `floor`: the top
//! row is the top floor, and a row names its modules in backticks. What a row does not name belongs to the row of the
//! nearest module around it.

mod floors {
    pub mod source;
    pub mod table;

    use source::{File, Tree};
    use std::collections::{BTreeMap, BTreeSet};
    use table::Table;

    /// What is wrong in a tree, a line for each use that is: `file:line: what it is`.
    pub fn check(tree: &Tree) -> Vec<String> {
        let table = match Table::read(&tree.docs) {
            Ok(table) => table,
            Err(error) => return vec![format!("lib.rs: {error}")],
        };
        let mut wrong = table.unknown(&tree.files);
        let mut edges: BTreeMap<&File, BTreeMap<&File, usize>> = BTreeMap::new();
        for import in &tree.imports {
            let (from, to) = (&tree.files[import.from], &tree.files[import.to]);
            let (Some(floor), Some(other)) = (table.floor_of(from), table.floor_of(to)) else { continue };
            if other < floor {
                let (above, below) = (table.name(other), table.name(floor));
                wrong.push(format!(
                    "{}:{}: {below} uses {}, which is {above}, above it",
                    from.path, import.line, to.path
                ));
            } else if !import.test {
                edges.entry(from).or_default().entry(to).or_insert(import.line);
            }
        }
        wrong.extend(circles(&edges));
        wrong
    }

    /// One circle through each file that is in any, and not in one that was found before.
    fn circles(edges: &BTreeMap<&File, BTreeMap<&File, usize>>) -> Vec<String> {
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        for start in edges.keys() {
            if seen.contains(start) {
                continue;
            }
            let Some(way) = way_back(edges, start) else { continue };
            let steps = way.iter().map(|(from, line, to)| format!("{}:{line} uses {}", from.path, to.path));
            found.push(format!("a circle: {}", steps.collect::<Vec<_>>().join(", ")));
            seen.extend(way.into_iter().map(|(from, ..)| from));
        }
        found
    }

    /// The shortest way from a file back to it.
    fn way_back<'a>(
        edges: &BTreeMap<&'a File, BTreeMap<&'a File, usize>>,
        start: &'a File,
    ) -> Option<Vec<(&'a File, usize, &'a File)>> {
        let mut ways = vec![(start, Vec::new())];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for (at, way) in ways {
                for (&to, &line) in edges.get(at).into_iter().flatten() {
                    let way: Vec<_> = way.iter().copied().chain([(at, line, to)]).collect();
                    if to == start {
                        return Some(way);
                    }
                    if seen.insert(to) {
                        longer.push((to, way));
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

use floors::check;
use floors::source::Tree;
use std::path::Path;

/// The tree of a package of this workspace, by its folder and the name of its library.
fn holds(folder: &str, library: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("src");
    let tree = Tree::read(&source, library).unwrap_or_else(|error| panic!("{folder}: {error}"));
    assert!(tree.imports.len() > 20, "{folder}: hardly anything was read");
    let wrong = check(&tree);
    assert!(wrong.is_empty(), "{folder}/src:\n{}", wrong.join("\n"));
}

#[test]
fn in_the_engine_imports_go_down() {
    holds("guest", "usher_engine");
}

#[test]
fn in_the_host_imports_go_down() {
    holds("host-harness", "usher_host");
}

/// What is wrong in a made-up tree: `files` after a `lib.rs` with this table of floors.
fn wrong(rows: &[&str], files: &[(&str, &str)]) -> Vec<String> {
    let rows: String = rows.iter().flat_map(|row| ["//! | ", row, " | |\n"]).collect();
    let face = format!("//! A house.\n//!\n//! | floor | what it is |\n//! |---|---|\n{rows}\npub use top::Top;\n");
    let files = files.iter().copied().chain([("lib.rs", face.as_str())]);
    check(&Tree::of(files, "house").expect("it can be read"))
}

const TWO: [&str; 2] = ["`top`", "`bottom`"];

#[test]
fn down_is_no_fault() {
    let files =
        [("top.rs", "use crate::bottom::Bottom;\npub struct Top(Bottom);"), ("bottom.rs", "pub struct Bottom;")];
    assert!(wrong(&TWO, &files).is_empty());
}

#[test]
fn up_is_one_and_the_line_is_named() {
    let bottom = "use std::fmt;\n\nuse crate::top::Top;\n";
    let expected = ["bottom.rs:3: `bottom` uses top.rs, which is `top`, above it"];
    assert_eq!(wrong(&TWO, &[("top.rs", "pub struct Top;"), ("bottom.rs", bottom)]), expected);
    for bottom in [
        "\n\nuse super::top::Top;",
        "\n\nuse super::{top};",
        "\n\nuse super::{\ntop::{Top as Other}};",
        "\n\nuse crate::Top;",
        "\n\nuse house::Top;",
        "\n\npub use super::top::*;",
        "\n\nfn new() -> crate::top::Top { loop {} }",
        "fn new() {\n\nsuper::top::new() }",
        "fn new() {\nassert!(\ncrate::top::new()) }",
        "mod inner {\n\nuse super::super::top::Top; }",
        "#[cfg(test)]\nmod tests {\nuse crate::top::Top; }",
    ] {
        let found = wrong(&TWO, &[("top.rs", "pub struct Top;"), ("bottom.rs", bottom)]);
        assert!(found.len() == 1 && found[0].starts_with("bottom.rs:"), "{bottom}: {found:?}");
    }
}

#[test]
fn a_circle_is_a_fault_on_one_floor() {
    let files = [
        ("top.rs", "pub struct Top;"),
        ("bottom/mod.rs", "mod one;\nmod two;\nmod three;\npub use one::One;"),
        ("bottom/one.rs", "use super::two::Two;\npub struct One;"),
        ("bottom/two.rs", "\nuse super::three::Three;\npub struct Two;"),
        ("bottom/three.rs", "\n\nuse super::One;\npub struct Three;"),
    ];
    let expected = "a circle: bottom/one.rs:1 uses bottom/two.rs, bottom/two.rs:2 uses bottom/three.rs, \
                    bottom/three.rs:3 uses bottom/one.rs";
    assert_eq!(wrong(&TWO, &files), [expected], "through the name that the face hands on, too");
}

#[test]
fn a_module_and_what_it_is_made_of_can_be_a_circle() {
    let parent = ("bottom/mod.rs", "mod child;\nuse child::Child;\npub struct Bottom(Child);");
    let child = ("bottom/child.rs", "use super::Bottom;\npub struct Child;");
    let top = ("top.rs", "pub struct Top;");
    assert_eq!(wrong(&TWO, &[top, parent, child]).len(), 1);
    let face = ("bottom/mod.rs", "mod child;\npub use child::Child;\npub struct Bottom;");
    assert!(wrong(&TWO, &[top, face, child]).is_empty(), "a face that only hands on uses nothing");
}

#[test]
fn tests_may_use_what_is_beside_them() {
    let one = "#[cfg(test)]\nmod tests {\nuse super::*;\nuse crate::bottom::two::Two; }\npub struct One;";
    let files = [
        ("top.rs", "pub struct Top;"),
        ("bottom/mod.rs", "mod one;\nmod two;\n#[cfg(test)]\nmod tests;"),
        ("bottom/one.rs", one),
        ("bottom/two.rs", "use super::one::One;\npub struct Two;"),
        ("bottom/tests.rs", "use super::*;\nuse super::two::Two;"),
    ];
    assert!(wrong(&TWO, &files).is_empty());
}

#[test]
fn a_row_takes_what_no_other_row_names() {
    let rows = ["`top`", "`shop::till`, `shop::door`", "`shop`"];
    let files = [
        ("top.rs", "use crate::shop::till::Till;\npub struct Top;"),
        ("shop/mod.rs", "mod till;\nmod door;\nmod shelf;"),
        ("shop/till.rs", "use super::shelf::Shelf;\npub struct Till;"),
        ("shop/door.rs", "use super::till::Till;"),
        ("shop/shelf.rs", "use super::till::Till;\npub struct Shelf;"),
    ];
    let expected = ["shop/shelf.rs:1: `shop` uses shop/till.rs, which is `shop::till`, `shop::door`, above it"];
    assert_eq!(wrong(&rows, &files), expected);
}

#[test]
fn every_module_has_its_floor_and_every_floor_its_modules() {
    let files = [("top.rs", "pub struct Top;"), ("attic.rs", "")];
    assert_eq!(
        wrong(&TWO, &files),
        ["lib.rs: no row of the table names attic.rs", "lib.rs: the table names `bottom`, which is not there"]
    );
    let bare = Tree::of([("lib.rs", "//! A house.")], "house").expect("it can be read");
    assert_eq!(check(&bare), ["lib.rs: its docs have no table whose first heading is `floor`"]);
}

#[test]
fn other_crates_are_no_floors() {
    let bottom = "use top_of_the_pops::Hit;\nuse ::top::Top;\nuse std::top::Top;";
    assert!(wrong(&TWO, &[("top.rs", "pub struct Top;"), ("bottom.rs", bottom)]).is_empty());
}
