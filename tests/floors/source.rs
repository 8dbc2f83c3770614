//! Which file of a source tree uses which.

use proc_macro2::{Ident, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Meta, UseTree, Visibility};

/// The files of a package, and which of them use others.
pub struct Tree {
    /// The docs of `lib.rs`.
    pub docs: String,
    pub files: Vec<File>,
    pub imports: Vec<Import>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Below the source folder.
    pub path: String,
    /// The module that it holds; nothing for `lib.rs`.
    pub module: Vec<String>,
}

/// That a file uses another one.
pub struct Import {
    pub from: usize,
    pub to: usize,
    pub line: usize,
    /// Whether it does so in tests alone.
    pub test: bool,
}

/// A path as it stands in a file.
struct Mention {
    file: usize,
    line: usize,
    /// The module in which it stands.
    scope: Vec<String>,
    path: Vec<String>,
    test: bool,
    /// Whether a name is handed on.
    public: bool,
    /// Whether it can start with the name of a module beside it.
    bare: bool,
}

/// What a module brings into its scope.
#[derive(Default)]
struct Scope {
    file: usize,
    /// Names, and the paths that they stand for.
    names: BTreeMap<String, Vec<String>>,
    /// Paths of which all names are brought in.
    globs: Vec<Vec<String>>,
    /// What is written in the module itself.
    items: BTreeSet<String>,
}

impl Tree {
    /// Reads a source folder, of a package whose library has this name.
    pub fn read(folder: &Path, library: &str) -> Result<Self, String> {
        let mut files = Vec::new();
        list(folder, "", &mut files)?;
        Self::of(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), library)
    }

    /// A tree of these files.
    pub fn of<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>, library: &str) -> Result<Self, String> {
        let (mut files, mut docs) = (Vec::new(), String::new());
        let mut reader = Reader::default();
        for (path, text) in texts {
            let parsed = syn::parse_file(text).map_err(|error| format!("{path}: {error}"))?;
            let module = module_of(path);
            if path == "lib.rs" {
                docs = doc_text(&parsed.attrs);
            }
            reader.file = files.len();
            // The program's root and the library's root are one here, as the modules of both lie in one folder.
            reader.scope = module.iter().filter(|name| *name != "main").cloned().collect();
            reader.enter(path == "main.rs");
            reader.visit_file(&parsed);
            files.push(File { path: path.to_owned(), module });
        }
        let Reader { scopes, mentions, tests, .. } = reader;
        let modules = Modules { scopes, library };
        let imports = mentions.into_iter().filter_map(|mention| {
            let Mention { file, line, scope, path, test, public, bare } = mention;
            let to = modules.target(&scope, &path, bare)?;
            // A module that hands on a name of what it is made of does not use it.
            let handed_on = public && files[to].module.len() > scope.len() && files[to].module.starts_with(&scope);
            let test = test || tests.iter().any(|tests| files[file].module.starts_with(tests));
            (to != file && !handed_on).then_some(Import { from: file, to, line, test })
        });
        Ok(Self { docs, imports: imports.collect(), files })
    }
}

fn list(folder: &Path, below: &str, files: &mut Vec<(String, String)>) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", folder.display());
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        if entry.path().is_dir() {
            list(&entry.path(), &format!("{path}/"), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            files.push((path, std::fs::read_to_string(entry.path()).map_err(failed)?));
        }
    }
    Ok(())
}

fn module_of(path: &str) -> Vec<String> {
    let mut names: Vec<_> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    names.pop_if(|last| last == "mod" || (path == "lib.rs" && last == "lib"));
    names
}

fn doc_text(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if let Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) = &meta.value
        {
            text.push_str(&line.value());
            text.push('\n');
        }
    }
    text
}

/// Whether something is there in tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string();
        let all = condition.strip_prefix("all").map_or("", |all| all.trim_start().trim_start_matches('('));
        list.path.is_ident("cfg") && (condition == "test" || all.split(',').any(|each| each.trim() == "test"))
    })
}

/// Goes through the files and takes note of paths.
#[derive(Default)]
struct Reader {
    file: usize,
    scope: Vec<String>,
    test: bool,
    scopes: BTreeMap<Vec<String>, Scope>,
    mentions: Vec<Mention>,
    /// Modules in files of their own that are there in tests alone.
    tests: Vec<Vec<String>>,
}

impl Reader {
    /// Goes into a module of this file. Where it only adds to one, what is asked of that is in the other file.
    fn enter(&mut self, adds: bool) {
        let (file, before) = (self.file, self.scopes.len());
        self.here();
        if self.scopes.len() > before || !adds {
            self.here().file = file;
        }
    }

    fn here(&mut self) -> &mut Scope {
        self.scopes.entry(self.scope.clone()).or_default()
    }

    fn mention(&mut self, line: usize, path: Vec<String>, public: bool, bare: bool) {
        let (file, scope, test) = (self.file, self.scope.clone(), self.test);
        self.mentions.push(Mention { file, line, scope, path, test, public, bare });
    }

    /// The paths of a `use`.
    fn import(&mut self, tree: &UseTree, before: &[String], public: bool) {
        let with = |name: &Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident), public),
            UseTree::Name(name) if name.ident == "self" => {
                let known = before.last().cloned().unwrap_or_default();
                self.bring(known, before.to_vec(), name.ident.span().start().line, public);
            }
            UseTree::Name(name) => {
                self.bring(name.ident.to_string(), with(&name.ident), name.ident.span().start().line, public);
            }
            UseTree::Rename(name) if name.ident == "self" => {
                self.bring(name.rename.to_string(), before.to_vec(), name.ident.span().start().line, public);
            }
            UseTree::Rename(name) => {
                self.bring(name.rename.to_string(), with(&name.ident), name.ident.span().start().line, public);
            }
            UseTree::Glob(star) => {
                self.here().globs.push(before.to_vec());
                self.mention(star.star_token.span.start().line, before.to_vec(), public, true);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before, public)),
        }
    }

    fn bring(&mut self, name: String, path: Vec<String>, line: usize, public: bool) {
        self.here().names.insert(name, path.clone());
        self.mention(line, path, public, true);
    }

    /// The paths in what a macro is given, which has no syntax of its own.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(head) if is_head(&head.to_string()) => {
                    let (line, mut path) = (head.span().start().line, vec![head.to_string()]);
                    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(name), ..] =
                        &tokens[at + 1..]
                        && one.as_char() == ':'
                        && two.as_char() == ':'
                    {
                        path.push(name.to_string());
                        at += 3;
                    }
                    if path.len() > 1 {
                        self.mention(line, path, false, false);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

fn is_head(name: &str) -> bool {
    matches!(name, "crate" | "super" | "self")
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name): (&[Attribute], Option<&Ident>) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Mod(item) => (&item.attrs, None),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Use(item) => (&item.attrs, None),
            _ => (&[], None),
        };
        if let Some(name) = name {
            self.here().items.insert(name.to_string());
        }
        let before = self.test;
        self.test |= is_test(attributes);
        visit::visit_item(self, item);
        self.test = before;
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Fn(item) => &item.attrs,
            _ => &[],
        };
        let before = self.test;
        self.test |= is_test(attributes);
        visit::visit_impl_item(self, item);
        self.test = before;
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.scope.push(item.ident.to_string());
        if item.content.is_some() {
            self.enter(false);
        } else if self.test {
            self.tests.push(self.scope.clone());
        }
        visit::visit_item_mod(self, item);
        self.scope.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 && path.leading_colon.is_none() && is_head(&names[0]) {
            self.mention(path.segments[0].ident.span().start().line, names, false, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }

    /// Who may see something is no use of it.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// All modules of a tree.
struct Modules<'a> {
    scopes: BTreeMap<Vec<String>, Scope>,
    library: &'a str,
}

impl Modules<'_> {
    /// The file in which what a path names is written; nothing where it belongs to another crate.
    fn target(&self, scope: &[String], path: &[String], bare: bool) -> Option<usize> {
        self.resolve(scope, path, bare, 0)
    }

    fn resolve(&self, scope: &[String], path: &[String], bare: bool, depth: usize) -> Option<usize> {
        let (head, mut rest) = path.split_first()?;
        let mut at = scope.to_vec();
        match head.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
                while let Some((head, after)) = rest.split_first()
                    && head == "super"
                {
                    at.pop();
                    rest = after;
                }
            }
            name if name == self.library => at.clear(),
            name if bare && self.scopes.contains_key(&child(scope, name)) => rest = path,
            _ => return None,
        }
        self.walk(at, rest, depth)
    }

    fn walk(&self, mut at: Vec<String>, path: &[String], depth: usize) -> Option<usize> {
        // Names that stand for each other would go round for ever.
        if depth > 8 {
            return None;
        }
        for (index, name) in path.iter().enumerate() {
            let below = child(&at, name);
            if self.scopes.contains_key(&below) {
                at = below;
                continue;
            }
            let scope = self.scopes.get(&at)?;
            let rest = &path[index + 1..];
            let through = |target: &[String]| {
                let path: Vec<_> = target.iter().chain(rest).cloned().collect();
                self.resolve(&at, &path, true, depth + 1)
            };
            if let Some(file) = scope.names.get(name).and_then(|target| through(target)) {
                return Some(file);
            }
            let globs = scope.globs.iter().filter(|_| !scope.items.contains(name));
            let named = globs.map(|glob| glob.iter().chain([name]).cloned().collect::<Vec<_>>());
            for path in named {
                if let Some(file) = through(&path)
                    && file != scope.file
                {
                    return Some(file);
                }
            }
            return Some(scope.file);
        }
        self.scopes.get(&at).map(|scope| scope.file)
    }
}

fn child(module: &[String], name: &str) -> Vec<String> {
    module.iter().cloned().chain([name.to_owned()]).collect()
}
