//! Third-party notices: what the executable is made of, and the license texts that have to go with every copy of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::compile::TARGET;
use crate::cargo::{cargo, output};
use crate::files::read;

/// How the files are called, in lower case, that crates keep their terms in.
const LICENSE_FILES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];
/// Shorter files only point to terms. The shortest license in use, ISC, has about 700 characters.
const LEAST_LICENSE: usize = 500;
const MIT_STARTS: &str = "Permission is hereby granted, free of charge";

/// Software in the executable: a crate, or a library of the toolchain.
#[derive(Debug, PartialEq, Eq)]
pub struct Component {
    /// Name and version, for people.
    pub title: String,
    /// SPDX expression, as the component states it.
    pub license: String,
    /// The license texts, whole.
    pub texts: Vec<String>,
}

/// A package as `cargo metadata` describes it.
#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    license: Option<String>,
    authors: Vec<String>,
    manifest_path: String,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
}

/// The crates of others in the handler's executable, in the order of their names: its normal dependencies on the
/// platform of the package. `mit` is the text of the MIT license, for crates that name it and carry no file.
pub fn crates(mit: &str) -> Result<Vec<Component>, String> {
    let metadata = output(cargo(&["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let wanted = dependencies()?;
    let of_handler = metadata.packages.iter().filter(|package| {
        let title = format!("{} {}", package.name, package.version);
        package.source.is_some() && wanted.contains(&title)
    });
    of_handler.map(|package| component(package, mit)).collect()
}

/// `name version` of every package in the handler's tree of normal dependencies, its own among them.
fn dependencies() -> Result<BTreeSet<String>, String> {
    let mut command = cargo(&["tree", "--locked", "--package", "handler", "--edges", "normal"]);
    command.args(["--target", TARGET, "--prefix", "none", "--format", "{p}"]);
    let tree = output(command)?;
    let title = |line: &str| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?);
        Some(format!("{name} {}", version.strip_prefix('v')?))
    };
    Ok(tree.lines().filter_map(title).collect())
}

fn component(package: &Crate, mit: &str) -> Result<Component, String> {
    let title = format!("{} {}", package.name, package.version);
    let license = package.license.clone().unwrap_or_default();
    let folder = Path::new(&package.manifest_path).parent().unwrap_or(Path::new("."));
    let mut texts = license_texts(folder)?;
    if texts.iter().all(|text| text.len() < LEAST_LICENSE) {
        if !is_mit_enough(&license) {
            return Err(format!(
                "{title} ({license}) carries no license text; the package must not be passed on without it"
            ));
        }
        texts.push(mit_of(&package.authors, mit));
    }
    Ok(Component { title, license, texts })
}

/// Whether the terms are kept with the MIT license alone: `MIT`, or a choice of which it is one.
fn is_mit_enough(license: &str) -> bool {
    let is_choice = !license.contains(" AND ") && !license.contains(" WITH ");
    let mut terms = license.split([' ', '/', '(', ')']);
    is_choice && terms.any(|term| term == "MIT")
}

/// The text of the MIT license in the name of these authors.
fn mit_of(authors: &[String], mit: &str) -> String {
    let terms = mit.find(MIT_STARTS).and_then(|start| mit.get(start..)).unwrap_or(mit);
    let authors = if authors.is_empty() {
        "its authors".to_owned()
    } else {
        authors.join(", ")
    };
    format!("MIT License\n\nCopyright (c) {authors}\n\n{terms}")
}

/// The license files of a folder and of those in it, in the order of their names.
fn license_texts(folder: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        if path.is_dir() {
            texts.extend(license_texts(&path)?);
        } else if is_license(&path) {
            let bytes = fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(texts)
}

fn is_license(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_text = path.extension().is_none_or(|ending| {
        !["rs", "py", "c", "h", "go", "json", "toml"]
            .iter()
            .any(|code| ending == *code)
    });
    is_text && LICENSE_FILES.iter().any(|start| name.starts_with(start))
}

/// What the linker adds: the C library and the runtime libraries that come with Zig.
pub fn zig_libraries(zig: &Path) -> Result<Vec<Component>, String> {
    let library = |title: &str, license: &str, file: &str| -> Result<Component, String> {
        Ok(Component {
            title: title.to_owned(),
            license: license.to_owned(),
            texts: vec![read(&zig.join(file))?],
        })
    };
    Ok(vec![
        library("musl libc", "MIT", "lib/libc/musl/COPYRIGHT")?,
        library(
            "LLVM libunwind",
            "Apache-2.0 WITH LLVM-exception",
            "lib/libunwind/LICENSE.TXT",
        )?,
        library("Zig compiler runtime", "MIT", "LICENSE")?,
    ])
}

/// The notices of the Rust standard library, as its authors ship them with the compiler (HTML).
pub fn standard_library() -> Result<String, String> {
    let mut command = Command::new("rustc");
    command.args(["--print", "sysroot"]).current_dir(crate::cargo::root());
    let sysroot = output(command)?;
    read(&Path::new(sysroot.trim()).join("share/doc/rust/COPYRIGHT-library.html"))
}

/// One text: every component with its license, then each license text once with those that it is for.
pub fn text(components: &[Component], standard_library_file: &str) -> String {
    let mut text = format!(
        "Third-party notices\n\nbin/handler contains the software below. The notices of the Rust standard library are in \
         {standard_library_file}. The terms of the program itself are in LICENSE.\n\n"
    );
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for component in components {
        text.push_str(&format!("{}: {}\n", component.title, component.license));
        for license in &component.texts {
            users.entry(license.trim()).or_default().insert(&component.title);
        }
    }
    for (license, titles) in users {
        let titles: Vec<&str> = titles.into_iter().collect();
        text.push_str(&format!("\n{}\n{}\n\n{license}\n", "=".repeat(100), titles.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::root;

    fn mit() -> String {
        read(&root().join("LICENSE")).unwrap()
    }

    #[test]
    fn every_crate_of_the_handler_is_named_with_its_terms() {
        let crates = crates(&mit()).unwrap();
        let text = text(&crates, "r.html");
        let mut command = cargo(&["tree", "--locked", "-p", "handler", "-e", "normal", "--target", TARGET]);
        command.args(["--prefix", "none", "--format", "{p}\t{l}"]);
        let mut seen = 0;
        for line in output(command).unwrap().lines() {
            let Some((package, license)) = line.trim_end_matches(" (*)").split_once('\t') else {
                continue;
            };
            // A path stands behind packages of this workspace.
            if package.contains(" (/") {
                continue;
            }
            let title = package.trim_end_matches(" (proc-macro)").replacen(" v", " ", 1);
            assert!(text.contains(&format!("\n{title}: {license}\n")), "{title}: {license}");
            seen += 1;
        }
        assert!(seen > 100, "{seen}");
        for component in &crates {
            let texts = &component.texts;
            assert!(
                texts.iter().any(|text| text.len() >= LEAST_LICENSE),
                "{}",
                component.title
            );
        }
    }

    #[test]
    fn a_text_stands_once_with_everyone_it_is_for() {
        let component = |title: &str| Component {
            title: title.to_owned(),
            license: "MIT".to_owned(),
            texts: vec!["The terms.\n".to_owned(), "The terms.".to_owned()],
        };
        let text = text(&[component("a 1"), component("b 2")], "r.html");
        assert_eq!(text.matches("The terms.").count(), 1);
        assert!(text.contains("\na 1: MIT\nb 2: MIT\n"), "{text}");
        assert!(text.contains("\na 1, b 2\n\nThe terms.\n"), "{text}");
    }

    #[test]
    fn a_crate_without_a_text_gets_that_of_its_mit_license_or_stops_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let package = |license: &str| Crate {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            license: Some(license.to_owned()),
            authors: vec!["Somebody".to_owned()],
            manifest_path: folder.path().join("Cargo.toml").to_string_lossy().into_owned(),
            source: None,
        };
        fs::write(folder.path().join("LICENSE"), "MIT OR Apache-2.0").unwrap();
        let text = component(&package("MIT OR Apache-2.0"), &mit())
            .unwrap()
            .texts
            .remove(1);
        assert!(
            text.contains("Copyright (c) Somebody\n\nPermission is hereby granted"),
            "{text}"
        );
        assert!(!text.contains("2026"), "{text}");
        for license in ["BSD-3-Clause", "MIT-0", "MIT AND ISC", ""] {
            assert!(
                component(&package(license), &mit())
                    .unwrap_err()
                    .contains("no license text"),
                "{license}"
            );
        }
    }
}
