//! What was published of the contract stays as it is: in `golden/wit` there is a file for each version, with every item
//! that the version has, and the package in `wit/` must still have exactly these from that version or before. A version
//! without a file there is open: it may change until `USHER_PUBLISH=1` writes its file.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use wit_parser::{
    Function, Handle, PackageId, Resolve, Stability, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, WorldItem,
};

/// The environment variable that has the version of the package published, with the value 1.
const PUBLISH: &str = "USHER_PUBLISH";

#[test]
fn what_was_published_is_unchanged() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(tests().join("../wit")).expect("wit/ is valid");
    let now = Published::of(&resolve, package);
    let frozen = tests().join("golden/wit");

    let current = frozen.join(&now.version);
    if !current.exists() && env::var_os(PUBLISH).is_some_and(|value| value == "1") {
        // A file that is there is never written again: what is published is published.
        fs::create_dir_all(&frozen).expect("the folder can be made");
        fs::write(&current, now.up_to(&now.version)).expect("the file can be written");
    }
    if !frozen.exists() {
        println!("no version is published yet; {} is open", now.version);
        return;
    }
    for entry in fs::read_dir(&frozen).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let version = path.file_name().and_then(|name| name.to_str()).expect("it is named after the version");
        let published = fs::read_to_string(&path).expect("the file can be read");
        let differences = differences(&published, &now.up_to(version));
        assert!(
            differences.is_empty(),
            "version {version} is published and cannot change:\n{}",
            differences.join("\n")
        );
    }
}

#[test]
fn the_later_version_of_the_tests_is_the_contract_and_something_more() {
    let (mut now, mut later) = (Resolve::default(), Resolve::default());
    let (package, _) = now.push_dir(tests().join("../wit")).expect("wit/ is valid");
    let now = Published::of(&now, package);
    let (package, _) = later.push_dir(tests().join("later-host")).expect("later-host/ is valid");
    let later = Published::of(&later, package);
    assert_eq!(differences(&now.up_to(&now.version), &later.up_to(&now.version)), Vec::<String>::new());
    assert_ne!(later.up_to(&now.version), later.up_to(&later.version));
}

/// What the following tests change.
const CONTRACT: &str = "
    package a:contract@0.1.0;
    @since(version = 0.1.0)
    interface storage {
        @since(version = 0.1.0)
        enum access { read, write }
        @since(version = 0.1.0)
        record entry { key: string, value: option<string> }
        @since(version = 0.1.0)
        resource transaction {
            @since(version = 0.1.0)
            get: func(keys: list<string>) -> result<list<entry>, access>;
        }
        @since(version = 0.1.0)
        begin: func(access: access) -> transaction;
    }
    @since(version = 0.1.0)
    world guest {
        @since(version = 0.1.0)
        import storage;
    }
";

#[test]
fn a_change_of_what_was_published_is_found() {
    for (what, with) in [
        ("enum access { read, write }", "enum access { write, read }"),
        ("enum access { read, write }", "enum access { read, write, both }"),
        ("key: string,", "key: string, more: bool,"),
        ("key: string,", "name: string,"),
        ("option<string>", "option<u64>"),
        ("list<string>", "list<borrow<transaction>>"),
        ("get: func", "get: static func"),
        ("get: func", "get-all: func"),
        ("-> transaction", "-> option<transaction>"),
        ("begin: func(access: access) -> transaction;", "other: func();"),
        ("import storage;", "export storage;"),
    ] {
        assert!(CONTRACT.contains(what));
        let changed = CONTRACT.replace(what, with);
        assert!(!since_0_1_0(&changed).is_empty(), "{what} became {with}, which nobody noticed");
    }
}

#[test]
fn an_addition_counts_as_a_change_only_when_it_claims_to_have_been_there() {
    let with = |since: &str| {
        let addition = format!("@since(version = {since}) end: func(); @since(version = 0.1.0) begin:");
        CONTRACT.replace("@0.1.0;", "@0.1.1;").replace("@since(version = 0.1.0)\n        begin:", &addition)
    };
    assert_eq!(since_0_1_0(&with("0.1.1")), Vec::<String>::new());
    assert_eq!(since_0_1_0(&with("0.1.0")), ["+ 0.1.0 storage: end: func()"]);
}

/// In what a text differs from [`CONTRACT`], of which it is a later version.
fn since_0_1_0(text: &str) -> Vec<String> {
    let published = |text: &str| {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("contract.wit", text).expect("the text is valid");
        Published::of(&resolve, package).up_to("0.1.0")
    };
    differences(&published(CONTRACT), &published(text))
}

/// The lines that only one of two texts has.
fn differences(published: &str, now: &str) -> Vec<String> {
    let [published, now] = [published, now].map(|text| text.lines().collect::<BTreeSet<_>>());
    let gone = published.difference(&now).map(|line| format!("- {line}"));
    gone.chain(now.difference(&published).map(|line| format!("+ {line}"))).collect()
}

/// The folder of the tests.
fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The items of a package, each with all that those who use it rely on.
struct Published<'a> {
    resolve: &'a Resolve,
    package: PackageId,
    version: String,
    /// Since when, and what.
    items: Vec<(&'a Stability, String)>,
}

impl<'a> Published<'a> {
    fn of(resolve: &'a Resolve, package: PackageId) -> Self {
        let version = resolve.packages[package].name.version.as_ref().expect("the package has a version").to_string();
        let mut published = Self { resolve, package, version, items: Vec::new() };
        for (name, interface) in &resolve.packages[package].interfaces {
            let interface = &resolve.interfaces[*interface];
            published.add(&interface.stability, format!("interface {name}"));
            for (type_name, id) in &interface.types {
                let item = &resolve.types[*id];
                published.add(&item.stability, format!("{name}: {type_name} = {}", published.definition(item)));
            }
            for function in interface.functions.values() {
                published.add(&function.stability, format!("{name}: {}", published.function(function)));
            }
        }
        for (name, world) in &resolve.packages[package].worlds {
            let world = &resolve.worlds[*world];
            published.add(&world.stability, format!("world {name}"));
            for (direction, items) in [("import", &world.imports), ("export", &world.exports)] {
                for item in items.values() {
                    published
                        .add(item.stability(resolve), format!("world {name}: {direction} {}", published.item(item)));
                }
            }
        }
        published
    }

    fn add(&mut self, stability: &'a Stability, item: String) {
        self.items.push((stability, item));
    }

    /// What has been there since a version or before, one item a line.
    fn up_to(&self, version: &str) -> String {
        let version = version.parse().expect("it is a version");
        let line = |(stability, item): &(&Stability, String)| match stability {
            Stability::Stable { since, .. } if *since <= version => Some(format!("{since} {item}\n")),
            Stability::Stable { .. } => None,
            _ => panic!("{item} has no @since"),
        };
        self.items.iter().filter_map(line).collect()
    }

    /// What a world imports or exports. Packages other than this one come with their version.
    fn item(&self, item: &WorldItem) -> String {
        match item {
            WorldItem::Interface { id, .. } => {
                let interface = &self.resolve.interfaces[*id];
                let name = interface.name.as_deref().expect("the interface has a name");
                match interface.package.filter(|package| *package != self.package) {
                    Some(other) => self.resolve.packages[other].name.interface_id(name),
                    None => name.to_owned(),
                }
            }
            WorldItem::Function(function) => self.function(function),
            WorldItem::Type { id, .. } => self.named(*id),
        }
    }

    fn function(&self, function: &Function) -> String {
        let params: Vec<_> =
            function.params.iter().map(|param| format!("{}: {}", param.name, self.ty(&param.ty))).collect();
        let result = function.result.as_ref().map(|result| format!(" -> {}", self.ty(result))).unwrap_or_default();
        let kind = if function.kind.is_async() { "async func" } else { "func" };
        format!("{}: {kind}({}){result}", function.name, params.join(", "))
    }

    /// A type as it is used: by its name where it has one.
    fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => self.named(*id),
            primitive => format!("{primitive:?}").to_lowercase(),
        }
    }

    fn named(&self, id: TypeId) -> String {
        let item = &self.resolve.types[id];
        let Some(name) = &item.name else { return self.definition(item) };
        match item.owner {
            TypeOwner::Interface(owner) => {
                let owner = self.resolve.interfaces[owner].name.as_deref().unwrap_or_default();
                format!("{owner}.{name}")
            }
            _ => name.clone(),
        }
    }

    fn definition(&self, item: &TypeDef) -> String {
        let maybe = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.ty(ty));
        match &item.kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, self.ty(&field.ty)));
                format!("record {{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| format!("{}({})", case.name, maybe(&case.ty)));
                format!("variant {{ {} }}", cases.collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Enum(cases) => {
                let cases = cases.cases.iter().map(|case| case.name.as_str());
                format!("enum {{ {} }}", cases.collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Flags(flags) => {
                let flags = flags.flags.iter().map(|flag| flag.name.as_str());
                format!("flags {{ {} }}", flags.collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Tuple(tuple) => {
                format!("tuple<{}>", tuple.types.iter().map(|ty| self.ty(ty)).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Resource => "resource".to_owned(),
            TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", self.named(*id)),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", self.named(*id)),
            TypeDefKind::Option(ty) => format!("option<{}>", self.ty(ty)),
            TypeDefKind::Result(result) => format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err)),
            TypeDefKind::List(ty) => format!("list<{}>", self.ty(ty)),
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", self.ty(key), self.ty(value)),
            TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", self.ty(ty)),
            TypeDefKind::Future(ty) => format!("future<{}>", maybe(ty)),
            TypeDefKind::Stream(ty) => format!("stream<{}>", maybe(ty)),
            TypeDefKind::Type(ty) => self.ty(ty),
            TypeDefKind::Unknown => unreachable!("the package is resolved"),
        }
    }
}
