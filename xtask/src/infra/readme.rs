//! The "Deploy to Azure" button in the README.

use super::released;

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

/// The button, or a sentence in its place where the repository is not known.
pub fn button(repository: Option<&str>) -> String {
    let Some(repository) = repository else {
        return "The *Deploy to Azure* button is here once `cargo xtask infra --repository https://github.com/OWNER/REPO` \
                has written it; until then, [docs/deploy.md](docs/deploy.md) has the ways without it."
            .to_owned();
    };
    let file = |name: &str| escaped(&released::template_uri(repository, name));
    format!(
        "[![Deploy to Azure](https://aka.ms/deploytoazurebutton)](https://portal.azure.com/#create/Microsoft.Template/uri/{}/createUIDefinitionUri/{})\n\n\
         It installs [release {}]({}); [docs/deploy.md](docs/deploy.md) says what it makes, which roles it needs, and the other ways.",
        file("azuredeploy.json"),
        file("createUiDefinition.json"),
        released::TAG,
        released::page(repository)
    )
}

fn escaped(url: &str) -> String {
    url.replace(':', "%3A").replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_leads_to_the_files_of_the_release() {
        let button = button(Some("https://github.com/o/r"));
        let file = |name: &str| {
            let tag = concat!("v", env!("CARGO_PKG_VERSION"));
            format!("https%3A%2F%2Fraw.githubusercontent.com%2Fo%2Fr%2F{tag}%2Finfra%2F{name}")
        };
        let address = format!(
            "uri/{}/createUIDefinitionUri/{})",
            file("azuredeploy.json"),
            file("createUiDefinition.json")
        );
        assert!(button.contains(&address), "{button}");
        assert!(!button.contains("latest") && !button.contains("%2Fmain%2F"), "{button}");
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
