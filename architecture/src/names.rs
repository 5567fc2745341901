//! What the items of one module define, import and name.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Item, UseTree, Visibility};

/// The names of one module, those of inline submodules aside.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) definitions: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    pub(crate) references: Vec<Reference>,
}

/// One name, or all names, that a `use` brings into a module.
pub(crate) struct Import {
    /// Its name here; none for `*`.
    pub(crate) name: Option<String>,
    pub(crate) target: Reference,
    /// `pub`, or visible in a part of the crate.
    pub(crate) is_reexport: bool,
}

/// A path as it is written.
#[derive(Clone)]
pub(crate) struct Reference {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

impl Names {
    pub(crate) fn of(items: &[Item]) -> Self {
        let mut names = Self::default();
        for item in items {
            names.visit_item(item);
        }
        names
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            _ => return,
        };
        self.definitions.insert(name.to_string());
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String], is_reexport: bool) {
        let with = |name: &syn::Ident| -> Vec<String> { prefix.iter().cloned().chain([name.to_string()]).collect() };
        let (name, segments) = match tree {
            UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), is_reexport),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, is_reexport);
                }
                return;
            }
            UseTree::Name(name) if name.ident == "self" => (prefix.last().cloned(), prefix.to_vec()),
            UseTree::Name(name) => (Some(name.ident.to_string()), with(&name.ident)),
            UseTree::Rename(name) if name.ident == "self" => (Some(name.rename.to_string()), prefix.to_vec()),
            UseTree::Rename(name) => (Some(name.rename.to_string()), with(&name.ident)),
            UseTree::Glob(_) => (None, prefix.to_vec()),
        };
        let target = Reference {
            segments,
            line: tree.span().start().line,
        };
        self.imports.push(Import {
            name,
            target,
            is_reexport,
        });
    }

    /// Single lower-case names are variables most of the time; only calls say that they are functions.
    fn refer(&mut self, segments: Vec<String>, line: usize, is_called: bool) {
        let is_type_like = segments
            .first()
            .is_some_and(|first| first.starts_with(char::is_uppercase));
        if segments.len() > 1 || is_type_like || is_called {
            self.references.push(Reference { segments, line });
        }
    }

    /// Paths in the arguments of a macro, which are no syntax tree.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            match token {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(first)
                    if !is_punct(next.checked_sub(1).and_then(|before| tokens.get(before)), '.') =>
                {
                    let line = first.span().start().line;
                    let mut segments = vec![first.to_string()];
                    while let (true, true, Some(TokenTree::Ident(segment))) = (
                        is_punct(tokens.get(next + 1), ':'),
                        is_punct(tokens.get(next + 2), ':'),
                        tokens.get(next + 3),
                    ) {
                        segments.push(segment.to_string());
                        next += 3;
                    }
                    let is_called = matches!(tokens.get(next + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                    self.refer(segments, line, is_called);
                }
                _ => {}
            }
            next += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        self.define(item);
        // A submodule has names of its own.
        if !matches!(item, Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            let is_reexport = !matches!(item.vis, Visibility::Inherited);
            self.import(&item.tree, &[], is_reexport);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.refer(segments, path.span().start().line, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = &*call.func
            && let Some(name) = function.path.get_ident()
        {
            self.refer(vec![name.to_string()], name.span().start().line, true);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        visit::visit_macro(self, invocation);
        self.scan(invocation.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

impl std::fmt::Display for Reference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.line, self.segments.join("::"))
    }
}
