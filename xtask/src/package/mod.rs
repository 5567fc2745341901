//! `cargo xtask package`: the release package for Azure, `dist/released-package.zip`.

mod archive;
mod compile;
mod elf;
mod notices;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::Args;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cargo::root;
use crate::files;
use archive::Entry;

/// The name that the `onedeploy` extension of Flex Consumption wants.
const PACKAGE: &str = "released-package.zip";
/// What the Functions host reads, besides the executable, and the terms that go with every copy.
const BESIDES: [&str; 4] = [
    "LICENSE",
    "function-http/function.json",
    "function-timer/function.json",
    "host.json",
];

/// The terms of what the executable is made of.
const NOTICES: &str = "THIRD-PARTY-NOTICES.txt";
/// The same for the Rust standard library, as it comes with the compiler.
const RUST_NOTICES: &str = "THIRD-PARTY-NOTICES-rust.html";

/// What follows `package`.
#[derive(Args)]
pub struct PackageArguments {
    /// Builds everything a second time, in another folder, and compares.
    #[arg(long)]
    twice: bool,
}

/// Builds the static executable and packs it with what the Functions host reads.
pub fn run(arguments: &PackageArguments) -> Result<(), String> {
    let package = pack(Path::new("target/package"))?;
    let folder = root().join("dist");
    let path = folder.join(PACKAGE);
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, &package));
    written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    println!("dist/{PACKAGE}: {} bytes, sha256 {}", package.len(), digest(&package));

    if arguments.twice {
        let second = pack(Path::new("target/package-again"))?;
        if second != package {
            return Err(format!("the second build is another: sha256 {}", digest(&second)));
        }
        println!("the second build is the same, byte for byte");
    }
    Ok(())
}

/// The bytes of the package; everything is compiled into `target_folder`, relative to the root.
fn pack(target_folder: &Path) -> Result<Vec<u8>, String> {
    let executable = compile::static_handler(target_folder)?;
    let program = read(&executable)?;
    elf::refuse_dynamic(&program).map_err(|reason| format!("{}: {reason}", executable.display()))?;

    let mut entries = vec![Entry {
        name: executable_name(&read(&root().join("host.json"))?)?,
        mode: 0o755,
        content: program,
    }];
    entries.extend(besides()?);
    entries.extend(terms(&compile::zig()?)?);
    archive::zip(entries)
}

/// The terms of all software of others in the executable. `zig` is the folder of the linker and its libraries.
fn terms(zig: &Path) -> Result<[Entry; 2], String> {
    let mit = files::read(&root().join("LICENSE"))?;
    let mut components = notices::crates(&mit)?;
    components.extend(notices::zig_libraries(zig)?);
    let entry = |name: &str, text: String| Entry {
        name: name.to_owned(),
        mode: 0o644,
        content: text.into_bytes(),
    };
    Ok([
        entry(NOTICES, notices::text(&components, RUST_NOTICES)),
        entry(RUST_NOTICES, notices::standard_library()?),
    ])
}

/// The files that are packed as they are.
fn besides() -> Result<Vec<Entry>, String> {
    let entry = |name: &&str| {
        Ok(Entry {
            name: (*name).to_owned(),
            mode: 0o644,
            content: read(&root().join(name))?,
        })
    };
    BESIDES.iter().map(entry).collect()
}

/// Where the host looks for the executable, from the root of the package. The name in the archive has to be the same
/// text: the host's tools set the right to execute for exactly that.
fn executable_name(host: &[u8]) -> Result<String, String> {
    let host: Value = serde_json::from_slice(host).map_err(|error| format!("host.json: {error}"))?;
    let name = host["customHandler"]["description"]["defaultExecutablePath"]
        .as_str()
        .unwrap_or_default();
    let is_plain = !name.is_empty()
        && name
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    if !is_plain {
        return Err(format!(
            "host.json: defaultExecutablePath must be a plain path like bin/handler, not {name:?}"
        ));
    }
    Ok(name.to_owned())
}

fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(path: &str) -> Vec<u8> {
        format!(r#"{{"customHandler":{{"description":{{"defaultExecutablePath":"{path}"}}}}}}"#).into()
    }

    #[test]
    fn the_executable_stands_where_the_host_looks_for_it() {
        assert_eq!(executable_name(&host("bin/handler")).unwrap(), "bin/handler");
        let own = read(&root().join("host.json")).unwrap();
        assert_eq!(executable_name(&own).unwrap(), "bin/handler");
    }

    #[test]
    fn what_the_host_reads_and_the_license_are_packed() {
        let entries = besides().unwrap();
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        for wanted in [
            "LICENSE",
            "host.json",
            "function-http/function.json",
            "function-timer/function.json",
        ] {
            assert!(names.contains(&wanted), "{names:?}");
        }
        assert!(entries.iter().all(|entry| !entry.content.is_empty()));
    }

    #[test]
    fn the_terms_of_others_are_packed_beside_the_executable() {
        let zig = tempfile::tempdir().unwrap();
        for file in ["lib/libc/musl/COPYRIGHT", "lib/libunwind/LICENSE.TXT", "LICENSE"] {
            let path = zig.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("terms of {file}")).unwrap();
        }
        let [notices, rust] = terms(zig.path()).unwrap();
        let text = String::from_utf8(notices.content).unwrap();
        for wanted in [
            "\nmusl libc: MIT\n",
            "terms of lib/libc/musl/COPYRIGHT",
            "\nrustls ",
            &rust.name,
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
        // The host takes a folder with a function.json for a function, so that everything else lies in the root.
        assert!(!notices.name.contains('/') && !rust.name.contains('/'));
        assert!(rust.content.len() > 1000);
    }

    #[test]
    fn core_tools_upload_the_same_files() {
        let let_through = files::read(&root().join(".funcignore")).unwrap();
        let packed = ["bin/handler", NOTICES, RUST_NOTICES].into_iter().chain(BESIDES);
        for name in packed {
            let line = format!("!{name}");
            assert!(let_through.lines().any(|known| known == line), "{line}");
        }
    }

    #[test]
    fn a_path_that_is_no_name_in_the_archive_is_refused() {
        for path in ["", "./handler", "/handler", "bin//handler", "../handler"] {
            assert!(executable_name(&host(path)).is_err(), "{path}");
        }
    }
}
