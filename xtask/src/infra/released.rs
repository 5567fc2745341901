//! Addresses of what a release holds. Each names the release's tag: a button, a template and a package that were pressed,
//! kept or deployed later are still those of one release.

/// The tag of this version's release. The version in Cargo.toml is raised in the commit that gets the tag.
pub const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The files of `infra/` that a release carries beside the package, and whether each names the package.
pub const TEMPLATES: [(&str, bool); 3] = [
    ("azuredeploy.json", true),
    ("createUiDefinition.json", true),
    ("content.json", false),
];

/// Where the release keeps the package. `repository` is `https://github.com/OWNER/REPO`.
pub fn package_uri(repository: &str) -> String {
    format!("{repository}/releases/download/{TAG}/released-package.zip")
}

/// The page of the release.
pub fn page(repository: &str) -> String {
    format!("{repository}/releases/tag/{TAG}")
}

/// A file of `infra/` as it is in the release's commit, readable for the portal.
pub fn template_uri(repository: &str, name: &str) -> String {
    let raw = repository.replacen("https://github.com/", "https://raw.githubusercontent.com/", 1);
    format!("{raw}/{TAG}/infra/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_names_the_tag_of_the_version() {
        let repository = "https://github.com/o/r";
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            package_uri(repository),
            format!("https://github.com/o/r/releases/download/v{version}/released-package.zip")
        );
        assert_eq!(
            template_uri(repository, "azuredeploy.json"),
            format!("https://raw.githubusercontent.com/o/r/v{version}/infra/azuredeploy.json")
        );
        assert_eq!(
            page(repository),
            format!("https://github.com/o/r/releases/tag/v{version}")
        );
    }
}
