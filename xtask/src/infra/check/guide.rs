//! `docs/deploy.md` against the template: every parameter and output that the page names exists, and every secret that a
//! deployment makes stands there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ids;

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

/// What the page says that is not so, and what it leaves out.
pub fn problems(page: &str, template: &Value) -> Vec<String> {
    let known: BTreeSet<&str> = ["parameters", "outputs"]
        .iter()
        .filter_map(|part| template[part].as_object())
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
    unknown.chain(untold).collect()
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
        let sound = "`oneUrl=x`, oneWebhook, `TimeGenerated`, max_of, `one-token`";
        assert_eq!(problems(sound, &template), Vec::<String>::new());
        let page = "`oneURL=x`: \"oneWebhooks\"";
        assert_eq!(
            problems(page, &template),
            [
                "oneURL is neither a parameter nor an output of the template",
                "oneWebhooks is neither a parameter nor an output of the template",
                "the secret one-token is not named"
            ]
        );
    }
}
