//! Whether Azure takes the names of resources, at their longest, and whether each resource has one of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::longest::{Scope, UNLIMITED};

/// What Azure takes as the name of a resource; of a child resource as the last part of it.
struct Limit {
    resource_type: &'static str,
    shortest: usize,
    longest: usize,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    /// Lower-case letters and digits.
    LowerCase,
    /// Letters, digits and hyphens, none of these at an end.
    Hyphenated,
    /// The same, with a letter first and no two hyphens together.
    FromLetter,
    /// Letters, digits and what is listed.
    With(&'static str),
    /// A GUID.
    Guid,
}

const fn limit(resource_type: &'static str, shortest: usize, longest: usize, form: Form) -> Limit {
    Limit {
        resource_type,
        shortest,
        longest,
        form,
    }
}

/// Names of rules that have an endpoint of their own (`kind` is `Direct`): the name is a part of its host name. Azure's
/// documents do not say so; it is what refuses them. Source: criblio/Cribl-Microsoft on GitHub, README of
/// CreateNativeTableDCRs ("Direct DCRs: 30 characters max").
const LONGEST_DIRECT_RULE: usize = 30;
const RULE_TYPE: &str = "Microsoft.Insights/dataCollectionRules";

/// Source, unless another is named: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
const LIMITS: [Limit; 26] = [
    limit("Microsoft.Storage/storageAccounts", 3, 24, Form::LowerCase),
    limit(
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        3,
        63,
        Form::FromLetter,
    ),
    limit("Microsoft.KeyVault/vaults", 3, 24, Form::FromLetter),
    limit("Microsoft.KeyVault/vaults/secrets", 1, 127, Form::Hyphenated),
    limit(
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        3,
        128,
        Form::With("-_"),
    ),
    limit("Microsoft.Web/serverfarms", 1, 60, Form::Hyphenated),
    // Azure takes 60. The Functions host knows an app by the first 32, and two apps that share them disturb each other:
    // learn.microsoft.com/azure/azure-functions/storage-considerations#host-id-considerations
    limit("Microsoft.Web/sites", 2, 32, Form::Hyphenated),
    limit(
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
        3,
        3,
        Form::LowerCase,
    ),
    limit("Microsoft.Web/sites/config", 1, 60, Form::LowerCase),
    limit("Microsoft.Web/sites/extensions", 1, 60, Form::LowerCase),
    limit("Microsoft.Insights/components", 1, 260, Form::With("-_.()")),
    limit("Microsoft.Insights/dataCollectionEndpoints", 3, 44, Form::Hyphenated),
    limit(RULE_TYPE, 3, 64, Form::Hyphenated),
    limit("Microsoft.Insights/diagnosticSettings", 1, 260, Form::With("-_.")),
    limit("Microsoft.Insights/scheduledQueryRules", 1, 260, Form::With("-_.()")),
    limit("Microsoft.Insights/workbooks", 36, 36, Form::Guid),
    // learn.microsoft.com/rest/api/loganalytics/tables/create-or-update
    limit(
        "Microsoft.OperationalInsights/workspaces/tables",
        4,
        63,
        Form::With("-_"),
    ),
    // No limit is documented; that of every other child of a workspace.
    limit(
        "Microsoft.OperationalInsights/workspaces/savedSearches",
        1,
        63,
        Form::With("-_"),
    ),
    limit(
        "Microsoft.SecurityInsights/dataConnectorDefinitions",
        1,
        63,
        Form::With("-_"),
    ),
    limit("Microsoft.SecurityInsights/alertRules", 36, 36, Form::Guid),
    limit("Microsoft.Network/privateDnsZones", 1, 63, Form::With("-_.")),
    limit(
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        1,
        80,
        Form::With("-_."),
    ),
    limit("Microsoft.Network/privateEndpoints", 2, 64, Form::With("-_.")),
    // No limit is documented; that of most things of a network.
    limit(
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        1,
        80,
        Form::With("-_."),
    ),
    limit("Microsoft.Authorization/roleAssignments", 36, 36, Form::Guid),
    limit("Microsoft.Resources/deployments", 1, 64, Form::With("-_.()")),
];

/// The parameter that decides of which kind a rule is, and so how long its name may be.
const DECIDES_KIND: &str = "useDataCollectionEndpoint";

/// What is wrong with the names in a template and in the deployments inside it. All are compared with all, because the
/// resource groups that they go to may be one.
pub fn problems(template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    for is_private in [false, true] {
        let mut names = Names::default();
        names.note(
            "template",
            &Scope::of_whole(template).assuming(DECIDES_KIND, is_private),
        );
        rules.push(names.rules);
        let new = names.problems.into_iter();
        let new: Vec<String> = new.filter(|problem| !problems.contains(problem)).collect();
        problems.extend(new);
    }
    if let [direct, private] = rules.as_slice() {
        problems.extend(kind_problems(direct, private));
    }
    problems
}

/// The endpoint of a Direct rule stays open beside that of the data collection endpoint, and a rule that is there already
/// cannot get an endpoint, nor another kind.
fn kind_problems(direct: &BTreeMap<String, String>, private: &BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, kind) in private {
        if kind == "Direct" {
            problems.push(format!("{name} is Direct, and behind a data collection endpoint"));
        }
        if direct.contains_key(name) {
            problems.push(format!(
                "{name} is the name of a rule with and without a data collection endpoint"
            ));
        }
    }
    problems
}

#[derive(Default)]
struct Names {
    /// Where a name was met first: by type, what it extends, and the whole name, as Azure compares them.
    met: BTreeMap<(String, String, String), String>,
    /// The kind of each data collection rule that may be behind an endpoint.
    rules: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Names {
    fn note(&mut self, path: &str, scope: &Scope<'_>) {
        for resource in scope.template()["resources"].as_array().into_iter().flatten() {
            let written = resource["name"].as_str().unwrap_or_default();
            let path = format!("{path} > {written}");
            let name = scope.longest(written);
            let kind = scope.longest(resource["kind"].as_str().unwrap_or_default());
            if !resource["properties"]["dataCollectionEndpointId"].is_null() {
                self.rules.insert(name.clone(), kind.clone());
            }
            self.problems
                .extend(problem(resource, &kind, &name).map(|problem| format!("{path}: {problem}")));
            self.note_whole(&path, scope, resource, &name);
            if !resource["properties"]["template"].is_null() {
                self.note(&path, &scope.inside(resource));
            }
        }
    }

    fn note_whole(&mut self, path: &str, scope: &Scope<'_>, resource: &Value, name: &str) {
        let extended = scope.longest(resource["scope"].as_str().unwrap_or_default());
        let resource_type = resource["type"].as_str().unwrap_or_default();
        let key = (
            resource_type.to_lowercase(),
            extended.to_lowercase(),
            name.to_lowercase(),
        );
        if let Some(first) = self.met.insert(key, path.to_owned()) {
            let problem = format!("{path}: a {resource_type} of the same name as {first}: {name}");
            self.problems.push(problem);
        }
    }
}

fn problem(resource: &Value, kind: &str, whole_name: &str) -> Option<String> {
    let resource_type = resource["type"].as_str().unwrap_or_default();
    let Some(limit) = LIMITS.iter().find(|limit| limit.resource_type == resource_type) else {
        return Some(format!(
            "how long the name of a {resource_type} may be is not known here"
        ));
    };
    let name = whole_name.rsplit('/').next().unwrap_or_default();
    if whole_name.split('/').count() != resource_type.split('/').count() - 1 {
        // The parts of what nobody can know are not told apart.
        let is_known = !whole_name.contains(UNLIMITED);
        return is_known.then(|| format!("{whole_name} has other parts than {resource_type}"));
    }
    if name.contains(UNLIMITED) {
        return Some(format!("nothing limits the length of this name of a {resource_type}"));
    }
    let is_direct = kind == "Direct" && resource_type == RULE_TYPE;
    let longest = if is_direct { LONGEST_DIRECT_RULE } else { limit.longest };
    let length = name.chars().count();
    let kind = if is_direct { " of kind Direct" } else { "" };
    if !(limit.shortest..=longest).contains(&length) {
        return Some(format!(
            "{name} has {length} characters at its longest, Azure takes {} to {longest} for a {resource_type}{kind}",
            limit.shortest
        ));
    }
    let is_taken = limit.form.takes(name);
    (!is_taken).then(|| format!("{name} has characters that Azure does not take in the name of a {resource_type}"))
}

impl Form {
    fn takes(self, name: &str) -> bool {
        let all = |more: &str| {
            name.chars()
                .all(|character| character.is_ascii_alphanumeric() || more.contains(character))
        };
        let has_ends = !name.starts_with('-') && !name.ends_with('-');
        match self {
            Self::LowerCase => all("") && name.to_lowercase() == name,
            Self::Hyphenated => all("-") && has_ends,
            Self::FromLetter => {
                all("-") && has_ends && !name.contains("--") && name.starts_with(|first: char| first.is_alphabetic())
            }
            Self::With(more) => all(more) && has_ends,
            Self::Guid => {
                let parts: Vec<usize> = name.split('-').map(str::len).collect();
                parts == [8, 4, 4, 4, 12]
                    && name
                        .chars()
                        .all(|character| character == '-' || character.is_ascii_hexdigit())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems_of(resources: &Value) -> String {
        let template = json!({
            "parameters": {
                "prefix": {"type": "string", "maxLength": 10},
                "free": {"type": "string"},
            },
            "variables": {"unique": "[uniqueString(resourceGroup().id)]"},
            "resources": resources,
        });
        problems(&template).join("; ")
    }

    fn one(resource_type: &str, name: &str) -> String {
        problems_of(&json!([{"type": resource_type, "name": name}]))
    }

    #[test]
    fn a_direct_rule_has_at_most_thirty_characters_with_the_longest_prefix() {
        let rule = |kind: &str, name: &str| {
            problems_of(&json!([{"type": "Microsoft.Insights/dataCollectionRules", "kind": kind, "name": name}]))
        };
        let long = "[format('dcr-{0}-{1}-pingone', parameters('prefix'), variables('unique'))]";
        assert_eq!(rule("Linux", long), "");
        let problem = rule("Direct", long);
        assert!(
            problem.contains("has 36 characters at its longest, Azure takes 3 to 30"),
            "{problem}"
        );
        assert_eq!(
            rule("Direct", "[format('dcr-{0}-sentinelone', variables('unique'))]"),
            ""
        );
    }

    #[test]
    fn a_rule_behind_an_endpoint_is_not_direct_and_has_another_name() {
        let rule = |kind: &str, name: &str| {
            let properties = json!({"dataCollectionEndpointId": "[parameters('free')]"});
            let rule = json!({"type": RULE_TYPE, "kind": kind, "name": name, "properties": properties});
            problems_of(&json!([rule]))
        };
        let kind = "[if(parameters('useDataCollectionEndpoint'), null(), 'Direct')]";
        let name = "[if(parameters('useDataCollectionEndpoint'), 'dcr-of-more-than-thirty-characters', 'dcr-direct')]";
        assert_eq!(rule(kind, name), "");
        assert!(rule(kind, "dcr-a").contains("is the name of a rule with and without"));
        assert!(rule("Direct", name).contains("is Direct, and behind"));
    }

    #[test]
    fn every_name_keeps_within_the_limit_of_its_type() {
        for (resource_type, good, bad, said) in [
            (
                "Microsoft.Storage/storageAccounts",
                "[concat(toLower(parameters('prefix')), variables('unique'))]",
                "[concat(toLower(parameters('prefix')), variables('unique'), 'ab')]",
                "has 25 characters",
            ),
            (
                "Microsoft.Storage/storageAccounts",
                "abc",
                "[concat(parameters('prefix'), variables('unique'))]",
                "does not take",
            ),
            ("Microsoft.KeyVault/vaults", "a-b", "a--b", "does not take"),
            ("Microsoft.KeyVault/vaults", "ab1", "1ab", "does not take"),
            (
                "Microsoft.Web/sites",
                "[format('{0}-{1}', parameters('prefix'), variables('unique'))]",
                "[format('{0}-{1}-function', parameters('prefix'), variables('unique'))]",
                "has 33 characters",
            ),
            (
                "Microsoft.Authorization/roleAssignments",
                "[guid('a', 'b')]",
                "[concat('role-', variables('unique'))]",
                "has 18 characters",
            ),
            (
                "Microsoft.OperationalInsights/workspaces/tables",
                "[format('{0}/T_CL', parameters('free'))]",
                "[format('w/{0}', parameters('free'))]",
                "nothing limits",
            ),
            ("Microsoft.KeyVault/vaults/secrets", "v/s", "s", "has other parts"),
        ] {
            assert_eq!(one(resource_type, good), "", "{good}");
            let problem = one(resource_type, bad);
            assert!(problem.contains(said), "{bad}: {problem}");
        }
        assert!(one("Microsoft.Web/unknown", "a").contains("is not known here"));
    }

    #[test]
    fn two_resources_of_one_name_are_refused_wherever_they_stand() {
        let rule = json!({"type": "Microsoft.Insights/dataCollectionRules", "name": "[parameters('name')]"});
        let deployment = |name: &str, rule_name: &str| {
            json!({
                "type": "Microsoft.Resources/deployments",
                "name": name,
                "properties": {
                    "parameters": {"name": {"value": rule_name}},
                    "template": {"parameters": {"name": {"type": "string"}}, "resources": [rule]},
                },
            })
        };
        assert_eq!(
            problems_of(&json!([deployment("a", "dcr-a"), deployment("b", "dcr-b")])),
            ""
        );
        let problem = problems_of(&json!([deployment("a", "dcr-a"), deployment("b", "DCR-a")]));
        assert!(problem.contains("of the same name as template > a"), "{problem}");

        let role = |scope: &str| json!({"type": "Microsoft.Authorization/roleAssignments", "name": "[guid('a')]", "scope": scope});
        assert_eq!(problems_of(&json!([role("x"), role("y")])), "");
        assert!(problems_of(&json!([role("x"), role("X")])).contains("of the same name"));
    }
}
