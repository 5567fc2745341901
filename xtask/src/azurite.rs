//! `cargo xtask azurite`

use std::fs;
use std::process::{Command, Stdio};

use simulator::azurite::{VERSION, folder, is_installed, marker};

use crate::cargo;

const NODE: u32 = 20;

#[cfg(windows)]
const NPM: &str = "npm.cmd";
#[cfg(not(windows))]
const NPM: &str = "npm";

/// Installs the Azurite of the tests with npm, once, in the versions that the lock file in simulator/azurite pins: it is
/// Microsoft's emulator of Azure Blob Storage, on which the tests keep the handler's state.
pub fn run() -> Result<(), String> {
    check_node()?;
    let folder = folder();
    if is_installed() {
        println!("Azurite {VERSION} is in {}", folder.display());
        return Ok(());
    }
    println!("Azurite {VERSION} is being installed into {}", folder.display());
    // What an older version or an interrupted installation left would be mixed in.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{} cannot be removed: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    for name in ["package.json", "package-lock.json"] {
        let source = cargo::root().join("simulator/azurite").join(name);
        let copied = fs::copy(&source, folder.join(name));
        copied.map_err(|error| format!("{} cannot be copied: {error}", source.display()))?;
    }
    let mut install = Command::new(NPM);
    install.current_dir(&folder);
    install.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    install.args(["--omit=dev", "--loglevel=error"]).stdin(Stdio::null());
    cargo::run(install).map_err(|reason| format!("Azurite cannot be installed with npm: {reason}"))?;
    fs::write(marker(), VERSION).map_err(|error| format!("{} cannot be written: {error}", marker().display()))
}

fn check_node() -> Result<(), String> {
    let missing = |what: &str| {
        format!(
            "{what} is missing. The tests keep state on Azurite, Microsoft's emulator of Azure Blob Storage, which runs on \
             Node: install Node {NODE} or newer with npm, and see that `node` and `npm` are on the PATH"
        )
    };
    let node = first_line("node").ok_or_else(|| missing("Node"))?;
    if first_line(NPM).is_none() {
        return Err(missing("npm"));
    }
    match major(&node) {
        Some(version) if version >= NODE => Ok(()),
        _ => Err(format!(
            "Node is too old: `node --version` says {node}, and Azurite, on which the tests keep state, is run with Node \
             {NODE} or newer"
        )),
    }
}

/// What `program --version` says; `None` where there is no such program.
fn first_line(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.trim().to_owned())
}

/// 20 of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::files;

    #[test]
    fn the_lock_file_pins_the_version_of_the_tests_with_a_hash() {
        let folder = cargo::root().join("simulator/azurite");
        let manifest: Value = files::json(&folder.join("package.json")).unwrap();
        assert_eq!(manifest["dependencies"]["azurite"], VERSION);
        let lock: Value = files::json(&folder.join("package-lock.json")).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert_eq!(packages["node_modules/azurite"]["version"], VERSION);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            let hash = package["integrity"].as_str().unwrap_or_default();
            assert!(hash.starts_with("sha512-"), "{name}");
        }
    }

    #[test]
    fn the_major_version_is_read_and_nothing_is_made_up() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.17.0"), Some(8));
        assert_eq!(major("no version"), None);
    }
}
