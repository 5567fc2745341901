//! Names of app settings: those that Flex Consumption takes, and those that the handler knows.

use crate::infra::settings_table::Catalog;

/// Set, they make Flex Consumption refuse the app or a publication.
/// Source: learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
const NOT_ON_FLEX: [&str; 10] = [
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "TZ",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_TIME_ZONE",
];
/// Settings of the platform and of the Azure libraries.
const OF_OTHERS: [&str; 4] = [
    "APPLICATIONINSIGHTS_",
    "AzureFunctionsJobHost__",
    "AzureWebJobsStorage__",
    "AZURE_CLIENT_ID",
];

/// What is wrong with the names.
pub fn problems<'n>(names: impl Iterator<Item = &'n str>, catalog: &Catalog) -> Vec<String> {
    names.filter_map(|name| problem(name, catalog)).collect()
}

fn problem(name: &str, catalog: &Catalog) -> Option<String> {
    if NOT_ON_FLEX.contains(&name) {
        return Some(format!("{name} must not be set on Flex Consumption"));
    }
    let is_known = OF_OTHERS.iter().any(|prefix| name.starts_with(prefix)) || catalog.has(name);
    (!is_known).then(|| format!("{name} is no setting of infra/settings.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::root;

    #[test]
    fn known_names_are_sound_and_others_are_refused() {
        let catalog = Catalog::read(&root().join("infra/settings.json")).unwrap();
        let said = |name: &str| problems([name].into_iter(), &catalog).join("; ");
        for known in ["POLL_SCHEDULE", "AzureWebJobsStorage__accountName", "PINGONE__RULE_ID"] {
            assert_eq!(said(known), "", "{known}");
        }
        assert!(said("POLL_SHEDULE").contains("no setting"));
        assert!(said("WEBSITE_RUN_FROM_PACKAGE").contains("Flex"));
    }
}
