//! One source file without its tests.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::{fs, io};

use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ImplItem, Item, Meta, Stmt, Token, TraitItem, punctuated::Punctuated};

/// Why the sources of a crate could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or folder cannot be read.
    #[error("{path} cannot be read: {error}", path = path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not Rust that `syn` understands.
    #[error("{path} cannot be parsed: {error}", path = path.display())]
    Syntax {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: syn::Error,
    },
    /// A `mod name;` has no file.
    #[error("the module {0} has no file")]
    NoFile(String),
}

/// A parsed file whose test-only items are gone.
pub struct SourceFile {
    /// Relative to the `src` folder of its crate, with `/` on every system.
    pub path: String,
    /// What was read, tests included.
    pub text: String,
    /// The production code.
    pub syntax: syn::File,
    /// The lines of what was left out, counted from 1.
    pub test_lines: Vec<RangeInclusive<usize>>,
}

impl SourceFile {
    pub(crate) fn read(folder: &Path, path: &Path) -> Result<Self, ReadError> {
        let text = fs::read_to_string(path).map_err(|error| ReadError::File {
            path: path.to_owned(),
            error,
        })?;
        let relative = path.strip_prefix(folder).unwrap_or(path);
        Self::parse(&relative.to_string_lossy().replace('\\', "/"), text)
    }

    pub(crate) fn parse(path: &str, text: String) -> Result<Self, ReadError> {
        let mut syntax = syn::parse_file(&text).map_err(|error| ReadError::Syntax {
            path: PathBuf::from(path),
            error,
        })?;
        let mut remover = TestRemover::default();
        remover.visit_file_mut(&mut syntax);
        Ok(Self {
            path: path.to_owned(),
            text,
            syntax,
            test_lines: remover.removed,
        })
    }

    /// The lines of production code with their numbers, comments and blank lines among them.
    pub fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(number, _)| !self.test_lines.iter().any(|lines| lines.contains(number)))
    }

    /// How many lines of production code are neither blank nor a comment.
    pub fn code_lines(&self) -> usize {
        let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        self.production_lines().filter(|(_, line)| is_code(line)).count()
    }
}

#[derive(Default)]
struct TestRemover {
    removed: Vec<RangeInclusive<usize>>,
}

impl TestRemover {
    fn keeps<T: Spanned>(&mut self, node: &T, attributes: &[Attribute]) -> bool {
        let is_test = attributes.iter().any(is_test_only);
        if is_test {
            let span = node.span();
            self.removed.push(span.start().line..=span.end().line);
        }
        !is_test
    }
}

impl VisitMut for TestRemover {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        if file.attrs.iter().any(is_test_only) {
            let span = file.span();
            self.removed.push(1..=span.end().line);
            file.items.clear();
        }
        file.items.retain(|item| self.keeps(item, item_attributes(item)));
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(|item| self.keeps(item, item_attributes(item)));
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(|item| match item {
            ImplItem::Const(inner) => self.keeps(item, &inner.attrs),
            ImplItem::Fn(inner) => self.keeps(item, &inner.attrs),
            ImplItem::Type(inner) => self.keeps(item, &inner.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_item_trait_mut(&mut self, block: &mut syn::ItemTrait) {
        block.items.retain(|item| match item {
            TraitItem::Fn(inner) => self.keeps(item, &inner.attrs),
            _ => true,
        });
        visit_mut::visit_item_trait_mut(self, block);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| match statement {
            Stmt::Item(item) => self.keeps(statement, item_attributes(item)),
            Stmt::Local(local) => self.keeps(statement, &local.attrs),
            _ => true,
        });
        visit_mut::visit_block_mut(self, block);
    }
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, ..))]`.
fn is_test_only(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.segments.last().is_some_and(|segment| segment.ident == "test") {
        return true;
    }
    path.is_ident("cfg")
        && attribute
            .parse_args::<Meta>()
            .is_ok_and(|condition| needs_test(&condition))
}

fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let inner = inner.unwrap_or_default();
    if list.path.is_ident("all") {
        return inner.iter().any(needs_test);
    }
    list.path.is_ident("any") && inner.iter().all(needs_test)
}
