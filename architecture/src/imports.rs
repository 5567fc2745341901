//! Which file of a crate uses which other file.

use std::collections::BTreeMap;

use crate::modules::Crate;
use crate::resolve::defining_module;

/// One file names something that another one defines.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The file that uses, relative to `src`.
    pub from: String,
    /// The file that defines, relative to `src`.
    pub to: String,
    /// Where the first use stands, and the path as it is written there: `line: path`.
    pub evidence: String,
}

/// Every pair of files once. A module that re-exports what its own submodules define does not use them.
pub fn edges(of: &Crate) -> Vec<Edge> {
    let mut edges = BTreeMap::new();
    for (index, module) in of.modules.iter().enumerate() {
        let imports = module.names.imports.iter();
        let imports = imports.filter(|import| import.name.is_some());
        let imports = imports.filter_map(|import| {
            let target = defining_module(of, index, &import.target.segments)?;
            let is_own = of.modules[target].path.starts_with(&module.path);
            (!import.is_reexport || !is_own).then_some((target, &import.target))
        });
        let references = module.names.references.iter();
        let references = references.filter_map(|path| Some((defining_module(of, index, &path.segments)?, path)));
        for (target, path) in imports.chain(references) {
            let pair = (module.file, of.modules[target].file);
            if pair.0 != pair.1 {
                edges.entry(pair).or_insert_with(|| path.to_string());
            }
        }
    }
    let named = edges.into_iter().map(|((from, to), evidence)| Edge {
        from: of.files[from].path.clone(),
        to: of.files[to].path.clone(),
        evidence,
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// `from -> to` of a crate with these files below `src`.
    fn edges_of(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join("src").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let read = Crate::read(Path::new(folder.path())).unwrap();
        edges(&read)
            .iter()
            .map(|edge| format!("{} -> {}", edge.from, edge.to))
            .collect()
    }

    #[test]
    fn a_use_of_a_sibling_through_the_parent_leads_to_the_sibling() {
        let edges = edges_of(&[
            ("lib.rs", "mod a; mod b; pub use a::Thing as Renamed; pub use b::*;"),
            ("a.rs", "pub struct Thing; fn f() -> crate::Other { todo!() }"),
            ("b.rs", "pub struct Other; fn g(_: super::Renamed) {}"),
        ]);
        assert_eq!(edges, ["a.rs -> b.rs", "b.rs -> a.rs"]);
    }

    #[test]
    fn a_parent_that_uses_what_its_submodule_defines_has_an_edge_and_one_that_re_exports_it_has_none() {
        let parts = [("m/part.rs", "pub struct Part;")];
        let re_exporting = [
            ("lib.rs", "mod m;"),
            ("m/mod.rs", "mod part; pub use part::Part;"),
            parts[0],
        ];
        assert!(edges_of(&re_exporting).is_empty());
        let using = [
            ("lib.rs", "mod m;"),
            ("m/mod.rs", "mod part; pub use part::Part; pub struct Whole(Part);"),
            parts[0],
        ];
        assert_eq!(edges_of(&using), ["m/mod.rs -> m/part.rs"]);
    }

    #[test]
    fn a_re_export_of_what_another_folder_defines_is_a_use() {
        let edges = edges_of(&[
            ("lib.rs", "mod low; mod high;"),
            ("low.rs", "pub const LIMIT: u8 = 1;"),
            ("high.rs", "pub use crate::low::LIMIT;"),
        ]);
        assert_eq!(edges, ["high.rs -> low.rs"]);
    }

    #[test]
    fn what_stands_in_macros_bodies_and_patterns_is_seen() {
        let edges = edges_of(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use super::*; fn f() { println!(\"{}\", b::text(1)); }"),
            ("b.rs", "pub fn text(_: u8) { match 1 { crate::c::ONE => {} _ => {} } }"),
            ("c.rs", "pub const ONE: u8 = 1; fn f() { use crate::d::call; call(); }"),
            ("d.rs", "pub fn call() {}"),
        ]);
        assert_eq!(edges, ["a.rs -> b.rs", "b.rs -> c.rs", "c.rs -> d.rs"]);
    }

    #[test]
    fn tests_are_not_seen() {
        let edges = edges_of(&[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod doubles;"),
            (
                "a.rs",
                "pub struct A; #[cfg(test)] use crate::b::B; #[cfg(all(test, unix))] mod tests { use crate::b::B; }",
            ),
            (
                "b.rs",
                "pub struct B; #[test] fn test() { crate::a::A; } impl B { #[cfg(test)] fn f(_: crate::a::A) {} }",
            ),
            ("doubles.rs", "use crate::a::A; use crate::b::B;"),
        ]);
        assert!(edges.is_empty(), "{edges:?}");
    }
}
