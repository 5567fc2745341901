//! Sizes of functions, and names of types.

use std::collections::{BTreeMap, BTreeSet};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{FnArg, Item, Signature, Type};

use crate::modules::Crate;
use crate::source::SourceFile;

/// A function or method of production code.
#[derive(Debug)]
pub struct Function {
    /// Its file, relative to `src`.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// From `fn` to the closing brace, the signature among them.
    pub lines: usize,
    /// `self` aside.
    pub parameters: usize,
    /// Whether a parameter is a tuple, or a reference to one.
    pub has_tuple_parameter: bool,
}

/// All functions with a body, those in traits and inside of others too.
pub fn functions(of: &Crate) -> Vec<Function> {
    let found = of.files.iter().map(|file| {
        let mut visitor = Functions {
            file,
            found: Vec::new(),
        };
        visitor.visit_file(&file.syntax);
        visitor.found
    });
    found.flatten().collect()
}

/// Names of structs, enums, unions, traits and type aliases that are defined more than once, private ones among them, with
/// the places (`file:line`).
pub fn ambiguous_types(of: &Crate) -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &of.files {
        let mut visitor = TypeNames::default();
        visitor.visit_file(&file.syntax);
        for (name, line) in visitor.found {
            places.entry(name).or_default().push(format!("{}:{line}", file.path));
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}

/// Types whose own methods stand in several files, with the files. Types of one name count as one; `Server<A>` and
/// `Server<B>` are two.
pub fn spread_types(of: &Crate) -> BTreeMap<String, Vec<String>> {
    let mut impls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &of.files {
        let mut visitor = InherentImpls::default();
        visitor.visit_file(&file.syntax);
        for name in visitor.found {
            impls.entry(name).or_default().push(file.path.clone());
        }
    }
    impls.retain(|_, files| files.len() > 1);
    impls
}

struct Functions<'f> {
    file: &'f SourceFile,
    found: Vec<Function>,
}

impl Functions<'_> {
    fn add(&mut self, signature: &Signature, body: &syn::Block) {
        let (first, last) = (signature.span().start().line, body.span().end().line);
        let parameters = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(parameter) => Some(&*parameter.ty),
            FnArg::Receiver(_) => None,
        });
        self.found.push(Function {
            file: self.file.path.clone(),
            line: first,
            name: signature.ident.to_string(),
            lines: last + 1 - first,
            parameters: parameters.clone().count(),
            has_tuple_parameter: parameters.into_iter().any(is_tuple),
        });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn is_tuple(parameter: &Type) -> bool {
    match parameter {
        Type::Tuple(tuple) => tuple.elems.len() > 1,
        Type::Reference(reference) => is_tuple(&reference.elem),
        _ => false,
    }
}

#[derive(Default)]
struct TypeNames {
    found: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for TypeNames {
    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Enum(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        if let Some(name) = name {
            self.found.push((name.to_string(), name.span().start().line));
        }
        visit::visit_item(self, item);
    }
}

#[derive(Default)]
struct InherentImpls {
    found: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for InherentImpls {
    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        if let (None, Type::Path(path)) = (&block.trait_, &*block.self_ty)
            && let Some(last) = path.path.segments.last()
        {
            self.found.insert(name_of(last, &block.generics));
        }
        visit::visit_item_impl(self, block);
    }
}

/// The name of a type with its arguments, where these are types of their own and no parameters of the block.
fn name_of(last: &syn::PathSegment, generics: &syn::Generics) -> String {
    let is_parameter = |name: &syn::Ident| generics.type_params().any(|parameter| &parameter.ident == name);
    let mut name = last.ident.to_string();
    if let syn::PathArguments::AngleBracketed(arguments) = &last.arguments {
        for argument in &arguments.args {
            if let syn::GenericArgument::Type(Type::Path(path)) = argument
                && let Some(of) = path.path.segments.last().map(|segment| &segment.ident)
                && !is_parameter(of)
            {
                name.push_str(&format!("<{of}>"));
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_without_self_and_with_tuples_behind_references() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        let text =
            "struct A;\nimpl A {\n    fn f(&self, pair: &(u8, u8), unit: ()) {\n    }\n}\nmod inner { type A = u8; }\n";
        std::fs::write(folder.path().join("src/lib.rs"), text).unwrap();
        let read = Crate::read(folder.path()).unwrap();
        let found = &functions(&read)[0];
        assert_eq!(
            (found.line, found.lines, found.parameters, found.has_tuple_parameter),
            (3, 2, 2, true)
        );
        assert_eq!(ambiguous_types(&read)["A"], ["lib.rs:1", "lib.rs:6"]);
        assert!(spread_types(&read).is_empty());
        std::fs::write(folder.path().join("src/a.rs"), "impl S<A> {}\nimpl<T> G<T> {}\n").unwrap();
        std::fs::write(folder.path().join("src/b.rs"), "impl S<B> {}\nimpl<T> G<T> {}\n").unwrap();
        std::fs::write(folder.path().join("src/lib.rs"), "mod a;\nmod b;\n").unwrap();
        let spread = spread_types(&Crate::read(folder.path()).unwrap());
        assert_eq!(spread.keys().collect::<Vec<_>>(), ["G"]);
    }
}
