//! The "Deploy to Azure" button in the README.

use super::template::package_uri;

const BEGIN: &str = "<!-- deploy-button -->";
const END: &str = "<!-- /deploy-button -->";
const BRANCH: &str = "main";

/// The README with what belongs between its markers.
pub fn with_button(readme: &str, repository: Option<&str>) -> Result<String, String> {
    let parts = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("README.md has no {BEGIN} ... {END}"))?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", text(repository)))
}

/// Accepts `https://github.com/OWNER/REPO`.
pub fn accept_repository(url: &str) -> Result<String, String> {
    let url = url.trim().trim_end_matches('/').trim_end_matches(".git");
    let path = url.strip_prefix("https://github.com/").unwrap_or_default();
    let names: Vec<&str> = path.split('/').collect();
    let is_name = |name: &&str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|next| next.is_ascii_alphanumeric() || b"-_.".contains(&next))
    };
    if names.len() != 2 || !names.iter().all(is_name) {
        return Err(format!("{url} is no https://github.com/OWNER/REPO"));
    }
    Ok(url.to_owned())
}

fn text(repository: Option<&str>) -> String {
    let Some(repository) = repository else {
        return "The *Deploy to Azure* button stands here once `cargo xtask infra --repository https://github.com/OWNER/REPO` \
                has written it; until then, [docs/deploy.md](docs/deploy.md) has the roads without it."
            .to_owned();
    };
    let raw = repository.replacen("https://github.com/", "https://raw.githubusercontent.com/", 1);
    let file = |name: &str| escaped(&format!("{raw}/{BRANCH}/infra/{name}"));
    format!(
        "[![Deploy to Azure](https://aka.ms/deploytoazurebutton)](https://portal.azure.com/#create/Microsoft.Template/uri/{}/createUIDefinitionUri/{})\n\n\
         It installs [the newest release]({}); [docs/deploy.md](docs/deploy.md) says what it makes, which roles it needs, and the other roads.",
        file("azuredeploy.json"),
        file("createUiDefinition.json"),
        package_uri(repository)
    )
}

fn escaped(url: &str) -> String {
    url.replace(':', "%3A").replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_stands_between_the_markers_and_can_be_written_again() {
        let readme = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let written = with_button(&readme, Some("https://github.com/o/r")).unwrap();
        assert!(written.starts_with("a\n") && written.ends_with("\nb\n"));
        assert!(written.contains("uri/https%3A%2F%2Fraw.githubusercontent.com%2Fo%2Fr%2Fmain%2Finfra%2Fazuredeploy.json/createUIDefinitionUri/"));
        assert_eq!(with_button(&written, Some("https://github.com/o/r")).unwrap(), written);
    }

    #[test]
    fn a_readme_without_markers_is_refused() {
        assert!(with_button("text", None).is_err());
    }

    #[test]
    fn only_a_repository_is_accepted() {
        assert_eq!(
            accept_repository("https://github.com/o/r.git").unwrap(),
            "https://github.com/o/r"
        );
        for bad in [
            "https://github.com/o",
            "http://github.com/o/r",
            "https://github.com/o/r/tree/x",
            "https://github.com/o/r\"x",
        ] {
            assert!(accept_repository(bad).is_err(), "{bad}");
        }
    }
}
