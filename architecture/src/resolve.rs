//! From a path as it is written to the module that defines what it names, through every re-export.

use std::collections::BTreeSet;

use crate::modules::Crate;

/// What a path leads to within the crate.
#[derive(Clone, Copy)]
enum Found {
    /// A module itself.
    Module(usize),
    /// Something that this module defines.
    ItemOf(usize),
}

/// The module that defines what a path in `module` names. None for what other crates, the prelude or a function define,
/// and for a path to a module by itself, which uses nothing yet.
pub(crate) fn defining_module(of: &Crate, module: usize, path: &[String]) -> Option<usize> {
    let mut resolver = Resolver {
        of,
        visited: BTreeSet::new(),
    };
    match resolver.follow(module, path)? {
        Found::ItemOf(target) => Some(target),
        Found::Module(_) => None,
    }
}

struct Resolver<'c> {
    of: &'c Crate,
    /// Names that are being looked up, so that re-exports that lead to each other end.
    visited: BTreeSet<(usize, String)>,
}

impl Resolver<'_> {
    fn follow(&mut self, module: usize, path: &[String]) -> Option<Found> {
        let (first, mut rest) = path.split_first()?;
        let mut found = match first.as_str() {
            "crate" => Found::Module(self.root_of(module)),
            "self" => Found::Module(module),
            "super" => Found::Module(self.of.modules[module].parent?),
            name => self.look_up(module, name, rest.is_empty())?,
        };
        while let (Found::Module(inside), Some((next, after))) = (found, rest.split_first()) {
            found = match next.as_str() {
                "super" => Found::Module(self.of.modules[inside].parent?),
                name => self.look_up(inside, name, after.is_empty())?,
            };
            rest = after;
        }
        Some(found)
    }

    /// A module and an item may share a name: what more follows leads through the module.
    fn look_up(&mut self, module: usize, name: &str, is_last: bool) -> Option<Found> {
        let here = &self.of.modules[module];
        let child = here.children.get(name).map(|child| Found::Module(*child));
        if child.is_some() && !is_last {
            return child;
        }
        if here.names.definitions.contains(name) {
            return Some(Found::ItemOf(module));
        }
        if !self.visited.insert((module, name.to_owned())) {
            return None;
        }
        let imports = here.names.imports.iter();
        let mut named = imports.clone().filter(|import| import.name.as_deref() == Some(name));
        let imported = named.find_map(|import| self.follow(module, &import.target.segments));
        if let Some(found) = imported.or(child) {
            return Some(found);
        }
        let mut globs = imports.filter(|import| import.name.is_none());
        globs.find_map(|glob| match self.follow(module, &glob.target.segments)? {
            Found::Module(inside) => self.look_up(inside, name, is_last),
            Found::ItemOf(_) => None,
        })
    }

    fn root_of(&self, module: usize) -> usize {
        let mut module = module;
        while let Some(parent) = self.of.modules[module].parent {
            module = parent;
        }
        module
    }
}
