//! The modules that a file names: in `use` with any braces, by `crate::`, `self::` and `super::`,
//! and by imported names, also inside macros. Code that is compiled only for tests is ignored.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, Meta, UseRename, UseTree, VisRestricted, Visibility};

use super::source::{Module, Source};

/// A path in the code, made absolute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The segments of the path, from the root of this crate or of an outside crate.
    pub parts: Vec<String>,
    /// Line number, from 1.
    pub line: usize,
}

/// The paths that a file names.
#[derive(Debug, Default)]
pub struct Paths {
    /// Paths in this crate.
    pub inside: BTreeSet<Named>,
    /// Paths that start with the name of an outside crate or of anything else outside this crate.
    pub outside: BTreeSet<Named>,
    /// Re-exports of the file: the new path, and the path of the definition.
    pub exports: BTreeMap<String, Vec<String>>,
}

impl Paths {
    /// Collects the paths of `source`. `modules` are all modules of the crate.
    pub fn of(source: &Source, modules: &BTreeSet<Module>) -> Self {
        let mut imports = Imports { found: Vec::new() };
        imports.visit_file(&source.syntax);
        let mut reader =
            Reader { module: source.module(), modules, imports: BTreeMap::new(), paths: Paths::default() };
        for Import { parts, name, line, is_public } in imports.found {
            reader.import(parts, name, line, is_public);
        }
        reader.visit_file(&source.syntax);
        reader.paths
    }
}

/// Whether an item is compiled only for tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}

/// A name that a `use` imports.
struct Import {
    parts: Vec<String>,
    name: String,
    line: usize,
    is_public: bool,
}

/// Finds every `use`, including those inside functions.
struct Imports {
    found: Vec<Import>,
}

impl Imports {
    fn tree(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        let with = |name: String| [before, &[name]].concat();
        let line = |name: &proc_macro2::Ident| name.span().start().line;
        let (parts, name, line) = match tree {
            UseTree::Path(path) => return self.tree(&path.tree, &with(path.ident.to_string()), is_public),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.tree(tree, before, is_public));
            }
            UseTree::Name(name) if name.ident == "self" => {
                (before.to_vec(), before.last().cloned().unwrap_or_default(), line(&name.ident))
            }
            UseTree::Name(name) => {
                let text = name.ident.to_string();
                (with(text.clone()), text, line(&name.ident))
            }
            UseTree::Rename(UseRename { ident, rename, .. }) => {
                (with(ident.to_string()), rename.to_string(), line(ident))
            }
            UseTree::Glob(glob) => (before.to_vec(), "*".into(), glob.star_token.spans[0].start().line),
        };
        self.found.push(Import { parts, name, line, is_public });
    }
}

impl Visit<'_> for Imports {
    fn visit_item(&mut self, item: &Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        self.tree(&item.tree, &[], is_public);
    }
}

/// Finds all other paths.
struct Reader<'a> {
    module: Module,
    modules: &'a BTreeSet<Module>,
    imports: BTreeMap<String, Vec<String>>,
    paths: Paths,
}

impl Reader<'_> {
    /// Returns the path from the root of the crate if it leads into the crate.
    fn absolute(&self, parts: &[String]) -> Option<Vec<String>> {
        let (first, rest) = parts.split_first()?;
        match first.as_str() {
            "crate" | "$crate" => Some(rest.to_vec()),
            "shadegrad" if self.module == ["main"] => Some(rest.to_vec()),
            "self" => Some([&self.module, rest].concat()),
            "super" => {
                let ups = parts.iter().take_while(|part| *part == "super").count();
                let kept = self.module.len().checked_sub(ups)?;
                Some([&self.module[..kept], &parts[ups..]].concat())
            }
            _ => {
                let child = [&self.module, std::slice::from_ref(first)].concat();
                match self.imports.get(first) {
                    Some(import) => Some([import, rest].concat()),
                    None => self.modules.contains(&child).then(|| [&self.module, parts].concat()),
                }
            }
        }
    }

    fn import(&mut self, parts: Vec<String>, name: String, line: usize, is_public: bool) {
        match self.absolute(&parts) {
            Some(parts) => {
                self.imports.insert(name.clone(), parts.clone());
                if is_public {
                    self.paths.exports.insert(name, parts);
                } else {
                    self.paths.inside.insert(Named { parts, line });
                }
            }
            None => {
                self.paths.outside.insert(Named { parts, line });
            }
        }
    }

    fn name(&mut self, parts: Vec<String>, line: usize) {
        match self.absolute(&parts) {
            Some(parts) => self.paths.inside.insert(Named { parts, line }),
            None => self.paths.outside.insert(Named { parts, line }),
        };
    }

    /// Finds the paths among the tokens of a macro: names joined by `::`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for tree in tokens {
            match &tree {
                TokenTree::Ident(name) if path.is_empty() || colons == 2 => {
                    if path.is_empty() {
                        line = name.span().start().line;
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => colons += 1,
                _ => {
                    if path.len() > 1 {
                        self.name(std::mem::take(&mut path), line);
                    }
                    path.clear();
                    colons = 0;
                    match tree {
                        TokenTree::Ident(name) => {
                            line = name.span().start().line;
                            path.push(name.to_string());
                        }
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        _ => {}
                    }
                }
            }
        }
        if path.len() > 1 {
            self.name(path, line);
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item(&mut self, item: &Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    /// Visited by [`Imports`].
    fn visit_item_use(&mut self, _: &ItemUse) {}

    /// A visibility such as `pub(in path)` is not a use of the module.
    fn visit_vis_restricted(&mut self, _: &VisRestricted) {}

    fn visit_path(&mut self, path: &syn::Path) {
        if path.segments.len() > 1 {
            let line = path.segments[0].ident.span().start().line;
            self.name(path.segments.iter().map(|segment| segment.ident.to_string()).collect(), line);
        }
        visit::visit_path(self, path);
    }

    /// Attributes for derive macros contain paths: `#[command(help_template = super::HELP)]`.
    fn visit_attribute(&mut self, attribute: &Attribute) {
        visit::visit_attribute(self, attribute);
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_macro(&mut self, item: &Macro) {
        visit::visit_macro(self, item);
        self.tokens(item.tokens.clone());
    }
}
