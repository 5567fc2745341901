//! `docs/deploy.md` against the template, and that of the content: every parameter and output that the page names exists, and every secret that a
//! deployment makes stands there. And what it has to say about releases.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ids;
use crate::infra::content;

/// Words of the page that look like parameters and are names of Azure's.
const OF_OTHERS: [&str; 10] = [
    "contentVersion",
    "dataConnectorDefinitions",
    "dateTime",
    "deploymentParameters",
    "enableProxyingHttpRequest",
    "keyToReferenceStatuses",
    "keyVault",
    "resourceGroups",
    "secretName",
    "standardColumns",
];

/// What a user has to find about releases: how to see who built one, and how to go back to one.
const OF_RELEASES: [&str; 4] = [
    "gh attestation verify released-package.zip",
    "gh attestation verify azuredeploy.json",
    "\n## Going back\n",
    "/releases/download/v<version>/",
];

/// What the page says that is not so, and what it leaves out.
pub fn problems(page: &str, template: &Value) -> Vec<String> {
    let of_content = content::of_whole(template).map(|content| &content["parameters"]);
    let known = [&template["parameters"], &template["outputs"]].into_iter();
    let known: BTreeSet<&str> = known
        .chain(of_content)
        .filter_map(Value::as_object)
        .flat_map(|members| members.keys().map(String::as_str))
        .chain(OF_OTHERS)
        .collect();
    let words = page.split(|next: char| !next.is_ascii_alphanumeric() && next != '_');
    let unknown: BTreeSet<&str> = words
        .filter(|word| is_parameter_like(word) && !known.contains(word))
        .collect();
    let unknown = unknown
        .iter()
        .map(|word| format!("{word} is neither a parameter nor an output of the template"));
    let secrets = template["resources"].as_array().into_iter().flatten();
    let secrets = secrets
        .filter(|resource| resource["type"] == "Microsoft.KeyVault/vaults/secrets")
        .filter_map(ids::of_resource)
        .filter_map(|id| Some(id.segments.get(1)?.trim_matches('\'').to_owned()));
    let untold = secrets
        .filter(|secret| !page.contains(&format!("`{secret}`")))
        .map(|secret| format!("the secret {secret} is not named"));
    unknown.chain(untold).chain(problems_with_releases(page)).collect()
}

/// An address of the newest release is another release tomorrow: template and package would differ in version.
fn problems_with_releases(page: &str) -> impl Iterator<Item = String> {
    let missing = OF_RELEASES.iter().filter(|text| !page.contains(**text));
    let missing = missing.map(|text| format!("{:?} is not on the page", text.trim()));
    let moving = page
        .contains("/releases/latest")
        .then(|| "an address with /releases/latest does not say which release it is: name the tag".to_owned());
    missing.chain(moving)
}

/// `workspaceName`: lower case first, letters and digits only, a capital in it.
fn is_parameter_like(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|next| next.is_ascii_alphanumeric())
        && word.chars().any(|next| next.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_that_does_not_exist_and_a_secret_that_is_left_out_are_told() {
        let secret =
            json!({"type": "Microsoft.KeyVault/vaults/secrets", "name": "[format('{0}/one-token', variables('n'))]"});
        let template = json!({
            "parameters": {"oneUrl": {}},
            "outputs": {"oneWebhook": {}},
            "resources": [secret],
        });
        let releases = OF_RELEASES.join("\n");
        let sound = format!("`oneUrl=x`, oneWebhook, `TimeGenerated`, max_of, `one-token` {releases}");
        assert_eq!(problems(&sound, &template), Vec::<String>::new());
        let page = format!("`oneURL=x`: \"oneWebhooks\" {releases}");
        assert_eq!(
            problems(&page, &template),
            [
                "oneURL is neither a parameter nor an output of the template",
                "oneWebhooks is neither a parameter nor an output of the template",
                "the secret one-token is not named"
            ]
        );
    }

    #[test]
    fn a_page_that_says_nothing_of_releases_or_means_a_moving_one_is_told() {
        let problems = |page: &str| problems_with_releases(page).collect::<Vec<_>>();
        assert_eq!(problems("").len(), OF_RELEASES.len());
        let page = format!(
            "{} https://github.com/o/r/releases/latest/download/x.zip",
            OF_RELEASES.join("\n")
        );
        let told = problems(&page);
        assert!(told.len() == 1 && told[0].contains("name the tag"), "{told:?}");
    }

    #[test]
    fn parameter_files_which_hold_secrets_are_ignored_by_git() {
        let is_ignored = |file: &str| {
            let mut command = std::process::Command::new("git");
            command.current_dir(crate::cargo::root());
            let status = command.args(["check-ignore", "--quiet", "--no-index", file]).status();
            status.unwrap().code() == Some(0)
        };
        for file in ["parameters.json", "parameters-acme.json", "infra/parameters.acme.json"] {
            assert!(is_ignored(file), "{file}");
        }
        assert!(!is_ignored("infra/template/parameters.json"));
    }
}
