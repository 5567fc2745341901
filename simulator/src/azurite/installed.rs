//! Where Azurite is on this machine.

use std::path::{Path, PathBuf};

/// The version that the tests run against: the newest one that Node 20 can run.
pub const VERSION: &str = "3.35.0";

/// What has to be run where it is not installed.
pub const INSTALL_COMMAND: &str = "cargo xtask azurite";

/// The folder that npm installs into: `target/tools/azurite` in the checkout, or what `CONNECTOR_AZURITE_DIR` says.
#[allow(
    clippy::disallowed_methods,
    reason = "where a tool of the tests lies is the caller's choice, not a setting"
)]
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("CONNECTOR_AZURITE_DIR") {
        return folder.into();
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).join("target/tools/azurite")
}

/// The file that is written once an installation is whole. Its text is the version.
pub fn marker() -> PathBuf {
    folder().join("installed-version")
}

/// Whether the whole of the right version is there.
pub fn is_installed() -> bool {
    std::fs::read_to_string(marker()).is_ok_and(|version| version.trim() == VERSION)
}

/// The script that is the blob service alone.
pub(super) fn blob_service() -> PathBuf {
    assert!(
        is_installed(),
        "Azurite {VERSION} is not in {}: run `{INSTALL_COMMAND}` once (it needs Node 20 or newer with npm), or run the \
         tests with `cargo xtask test`, which does it first",
        folder().display()
    );
    folder().join("node_modules/azurite/dist/src/blob/main.js")
}
