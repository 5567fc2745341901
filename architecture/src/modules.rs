//! The module tree of a crate: what every module defines, imports and names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::Item;

use crate::names::Names;
use crate::source::{ReadError, SourceFile};

/// A crate's production sources.
pub struct Crate {
    /// As other crates name it.
    pub name: String,
    /// All files that production code includes.
    pub files: Vec<SourceFile>,
    pub(crate) modules: Vec<Module>,
    sources: PathBuf,
}

/// A module, in a file of its own or inline.
pub(crate) struct Module {
    /// Names from the root down; empty for a root.
    pub(crate) path: Vec<String>,
    /// Index into the crate's files.
    pub(crate) file: usize,
    /// Index of the module around it; none for a root.
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    pub(crate) names: Names,
}

impl Crate {
    /// Reads the library and the binaries of the package in `folder`.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let sources = folder.join("src");
        let mut roots = vec![sources.join("lib.rs"), sources.join("main.rs")];
        if let Ok(entries) = fs::read_dir(sources.join("bin")) {
            roots.extend(entries.flatten().map(|entry| entry.path()));
        }
        roots.sort();
        let name = folder.file_name().unwrap_or_default();
        let mut read = Self {
            name: name.to_string_lossy().replace('-', "_"),
            files: Vec::new(),
            modules: Vec::new(),
            sources,
        };
        for root in roots.iter().filter(|root| root.is_file()) {
            let children = root.parent().unwrap_or(folder);
            read.add_file(root, children, Location::default())?;
        }
        Ok(read)
    }

    /// Reads a file and the files of its submodules, which lie in the folder `children`.
    fn add_file(&mut self, path: &Path, children: &Path, location: Location) -> Result<usize, ReadError> {
        let mut file = SourceFile::read(&self.sources, path)?;
        let items = std::mem::take(&mut file.syntax.items);
        let index = self.files.len();
        self.files.push(file);
        let location = Location {
            file: index,
            ..location
        };
        let module = self.add_module(&items, children, location)?;
        self.files[index].syntax.items = items;
        Ok(module)
    }

    fn add_module(&mut self, items: &[Item], children: &Path, location: Location) -> Result<usize, ReadError> {
        let index = self.modules.len();
        let path = location.path.clone();
        self.modules.push(Module {
            path: location.path,
            file: location.file,
            parent: location.parent,
            children: BTreeMap::new(),
            names: Names::of(items),
        });
        let submodules = items.iter().filter_map(|item| match item {
            Item::Mod(module) => Some(module),
            _ => None,
        });
        for submodule in submodules {
            let name = submodule.ident.to_string();
            let folder = children.join(&name);
            let location = Location {
                path: path.iter().chain([&name]).cloned().collect(),
                file: location.file,
                parent: Some(index),
            };
            let child = match &submodule.content {
                Some((_, items)) => self.add_module(items, &folder, location)?,
                None => {
                    let candidates = [folder.with_extension("rs"), folder.join("mod.rs")];
                    let file = candidates.iter().find(|file| file.is_file());
                    let file = file.ok_or_else(|| ReadError::NoFile(folder.display().to_string()))?;
                    self.add_file(file, &folder, location)?
                }
            };
            self.modules[index].children.insert(name, child);
        }
        Ok(index)
    }
}

/// Where a module stands: its path, its file and the module around it.
#[derive(Default)]
struct Location {
    path: Vec<String>,
    file: usize,
    parent: Option<usize>,
}
