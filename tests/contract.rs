//! The built component must be what `wit/` promises, no more and no less, and `wit/` must explain itself.

use std::fmt::Display;
use std::path::Path;

use usher_tests::golden;
use wasm_metadata::Payload;
use wit_component::WitPrinter;
use wit_parser::{Docs, Resolve, Stability, Type, TypeDefKind};

/// What the component can reach. The list is the security claim: no files, sockets, environment or output.
const IMPORTS: [&str; 3] =
    ["usher:provisioning/storage@0.2.0", "wasi:clocks/wall-clock@0.2.0", "wasi:random/random@0.2.0"];

#[test]
fn the_component_imports_storage_clock_and_random_and_nothing_else() {
    let component = wit_component::decode(usher_host::EMBEDDED).expect("it is a component");
    let resolve = component.resolve();
    let (_, world) = resolve.worlds.iter().next().expect("it has a world");
    let imports: Vec<String> = world.imports.keys().map(|name| resolve.name_world_key(name)).collect();
    assert_eq!(imports, IMPORTS);
}

#[test]
fn the_component_has_the_interface_that_was_reviewed() {
    let component = wit_component::decode(usher_host::EMBEDDED).expect("it is a component");
    let mut printer = WitPrinter::default();
    let others: Vec<_> =
        component.resolve().packages.iter().map(|(id, _)| id).filter(|id| *id != component.package()).collect();
    printer.print(component.resolve(), component.package(), &others).expect("it can be printed");
    golden::compare("component.wit", &printer.output.to_string());
}

#[test]
fn the_component_says_what_it_is_and_of_which_version() {
    let component = Payload::from_binary(usher_host::EMBEDDED).expect("it is a component");
    let metadata = component.metadata();
    assert_eq!(metadata.name.as_deref(), Some("usher"));
    let text = |field: Option<String>| field.unwrap_or_default();
    assert_eq!(text(metadata.version.as_ref().map(ToString::to_string)), env!("CARGO_PKG_VERSION"));
    assert_eq!(text(metadata.licenses.as_ref().map(ToString::to_string)), env!("CARGO_PKG_LICENSE"));
    assert!(text(metadata.description.as_ref().map(ToString::to_string)).contains("SCIM"));
    assert!(metadata.producers.is_some(), "the tools that made it are named");
}

#[test]
fn every_item_of_the_contract_is_documented_and_says_since_when() {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(&folder).expect("wit/ is valid");
    let package = &resolve.packages[package];

    let mut review = Review::default();
    review.docs(&package.name, &package.docs);
    for (name, world) in &package.worlds {
        let world = &resolve.worlds[*world];
        review.docs(name, &world.docs);
        review.since(name, &world.stability);
        for (key, item) in world.imports.iter().chain(&world.exports) {
            review.since(resolve.name_world_key(key), item.stability(&resolve));
        }
    }
    for (name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        review.docs(name, &interface.docs);
        review.since(name, &interface.stability);
        for (function, item) in &interface.functions {
            let function = format!("{name}.{function}");
            review.docs(&function, &item.docs);
            review.since(&function, &item.stability);
        }
        for (type_name, item) in &interface.types {
            let type_name = format!("{name}.{type_name}");
            let item = &resolve.types[*item];
            // What is used from another interface is documented there.
            let is_used =
                matches!(&item.kind, TypeDefKind::Type(Type::Id(of)) if resolve.types[*of].owner != item.owner);
            if !is_used {
                review.docs(&type_name, &item.docs);
            }
            review.since(&type_name, &item.stability);
            for (member, docs) in members(&item.kind) {
                review.docs(format!("{type_name}.{member}"), docs);
            }
        }
    }
    assert!(review.lacks.is_empty(), "{}", review.lacks.join("\n"));
}

/// What is found wanting.
#[derive(Default)]
struct Review {
    lacks: Vec<String>,
}

impl Review {
    fn docs(&mut self, item: impl Display, docs: &Docs) {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            self.lacks.push(format!("{item} is not documented"));
        }
    }

    fn since(&mut self, item: impl Display, stability: &Stability) {
        if !matches!(stability, Stability::Stable { .. }) {
            self.lacks.push(format!("{item} has no @since"));
        }
    }
}

/// The fields or cases of a type.
fn members(kind: &TypeDefKind) -> Vec<(&str, &Docs)> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| (field.name.as_str(), &field.docs)).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| (flag.name.as_str(), &flag.docs)).collect(),
        _ => Vec::new(),
    }
}
