//! The static executable, the same on every machine with the same version of Rust: musl, linked by Zig, without paths of
//! this machine in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cargo, output, root, run};
use crate::files::read;

/// What the package runs on.
pub const TARGET: &str = "x86_64-unknown-linux-musl";
/// From the Python package index, by version and hash: the linker and C compiler, and cargo's way to it.
const REQUIREMENTS: &str = "xtask/package/requirements.txt";

/// Builds the handler in release mode into `target_folder` and gives its path.
pub fn static_handler(target_folder: &Path) -> Result<PathBuf, String> {
    add_target()?;
    let tools = zig_tools()?;
    let folder = root().join(target_folder);
    let mut command = cargo(&[
        "zigbuild",
        "--release",
        "--locked",
        "--package",
        "handler",
        "--bin",
        "handler",
    ]);
    command.args(["--target", TARGET, "--target-dir"]).arg(&folder);
    command.env("PATH", path_with(&tools)?);
    let maps = path_maps(&folder)?;
    let for_rust = maps.iter().map(|map| format!("--remap-path-prefix={map}"));
    let for_c = maps.iter().map(|map| format!("-ffile-prefix-map={map}"));
    command.env("CARGO_ENCODED_RUSTFLAGS", for_rust.collect::<Vec<_>>().join("\u{1f}"));
    command.env(
        format!("CFLAGS_{}", TARGET.replace('-', "_")),
        for_c.collect::<Vec<_>>().join(" "),
    );
    run(command)?;
    Ok(folder.join(TARGET).join("release/handler"))
}

fn add_target() -> Result<(), String> {
    let mut command = Command::new("rustup");
    command.args(["target", "add", TARGET]).current_dir(root());
    run(command).map_err(|reason| format!("{reason}; the target {TARGET} is added by rustup"))
}

/// A virtual environment of Python under `target/tools`, made anew when the requirements change. Gives the folder of its
/// programs.
fn zig_tools() -> Result<PathBuf, String> {
    let folder = root().join("target/tools/zigbuild");
    let programs = folder.join("bin");
    let requirements = root().join(REQUIREMENTS);
    let wanted = read(&requirements)?;
    let marker = folder.join("installed-requirements");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    run(make)?;
    let mut install = Command::new(programs.join("python3"));
    install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
    install.arg("--require-hashes").arg("--requirement").arg(&requirements);
    run(install)?;
    fs::write(&marker, wanted).map_err(|error| format!("{} cannot be written: {error}", marker.display()))?;
    Ok(programs)
}

/// The folder of Zig, with its libraries and their terms.
pub fn zig() -> Result<PathBuf, String> {
    let mut command = Command::new(zig_tools()?.join("python3"));
    command.args(["-c", "import ziglang; print(ziglang.__path__[0])"]);
    Ok(output(command)?.trim().into())
}

/// Which paths of this machine become which, in debug information and panic messages. A later one wins.
fn path_maps(target_folder: &Path) -> Result<Vec<String>, String> {
    let home = variable("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cargo")));
    let home = home.ok_or("neither CARGO_HOME nor HOME is set")?;
    let maps = [
        (home, "/cargo"),
        (root(), "/connector"),
        (target_folder.to_owned(), "/connector/target"),
    ];
    Ok(maps
        .iter()
        .map(|(from, to)| format!("{}={to}", from.display()))
        .collect())
}

fn path_with(programs: &Path) -> Result<std::ffi::OsString, String> {
    let old = variable("PATH").unwrap_or_default();
    let paths = std::iter::once(programs.to_owned()).chain(std::env::split_paths(&old));
    std::env::join_paths(paths).map_err(|error| format!("PATH: {error}"))
}

#[allow(
    clippy::disallowed_methods,
    reason = "a build tool, which has no settings of its own"
)]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_pinned_by_version_and_hash() {
        let text = read(&root().join(REQUIREMENTS)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let (hashes, tools): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with(' '));
        assert_eq!(tools.len(), 2);
        assert!(tools.iter().all(|tool| tool.contains("==")), "{tools:?}");
        for line in &hashes {
            let hash = line
                .trim()
                .trim_end_matches(" \\")
                .strip_prefix("--hash=sha256:")
                .unwrap();
            assert!(
                hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()),
                "{line}"
            );
        }
        assert!(hashes.len() >= tools.len());
    }
}
