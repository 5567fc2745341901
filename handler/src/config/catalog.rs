//! Every name that is a setting.

use super::instance::InstanceName;

/// The settings of one source; each of its instances has all of them.
#[derive(Debug)]
pub(super) struct SourceCatalog {
    /// The source in state paths, commands and messages.
    pub(super) name: &'static str,
    /// The product's name, for messages.
    pub(super) title: &'static str,
    /// What all names start with.
    pub(super) prefix: &'static str,
    /// What comes after the prefix, or after the instance's name.
    pub(super) keys: &'static [&'static str],
    /// The key that holds the token of its pushes, where it is pushed.
    pub(super) push_key: Option<&'static str>,
}

/// Settings that exist once, under a prefix that belongs to this program.
#[derive(Debug)]
pub(super) struct Group {
    /// What all names start with.
    pub(super) prefix: &'static str,
    /// What comes after the prefix.
    pub(super) keys: &'static [&'static str],
}

pub(super) const PINGONE: SourceCatalog = SourceCatalog {
    name: "pingone",
    title: "PingOne",
    prefix: "PINGONE__",
    push_key: Some("PUSH_TOKEN"),
    keys: &[
        "ENVIRONMENT_ID",
        "CLIENT_ID",
        "CLIENT_SECRET",
        "REGION",
        "AUTH_ENVIRONMENT_ID",
        "API_URL",
        "AUTH_URL",
        "TABLES",
        "PUSH_TOKEN",
        "REQUESTS_PER_SECOND",
        "ADDITIONAL_FIELDS",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const PINGONE_ENTERPRISE: SourceCatalog = SourceCatalog {
    name: "pingone-enterprise",
    title: "PingOne for Enterprise",
    prefix: "PINGONE_ENTERPRISE__",
    push_key: None,
    keys: &[
        "POLL_URL",
        "CLIENT_ID",
        "CLIENT_SECRET",
        "TOKEN_URL",
        "USERNAME",
        "PASSWORD",
        "ADDITIONAL_FIELDS",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const SENTINELONE: SourceCatalog = SourceCatalog {
    name: "sentinelone",
    title: "SentinelOne",
    prefix: "SENTINELONE__",
    push_key: None,
    keys: &[
        "URL",
        "API_TOKEN",
        "STREAMS",
        "PARSER_ALIASES",
        "AGENT_CHANGES_ONLY",
        "ADDITIONAL_FIELDS",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const ONELOGIN: SourceCatalog = SourceCatalog {
    name: "onelogin",
    title: "OneLogin",
    prefix: "ONELOGIN__",
    push_key: Some("BEARER_TOKEN"),
    keys: &[
        "BEARER_TOKEN",
        "TABLES",
        "URL",
        "CLIENT_ID",
        "CLIENT_SECRET",
        "USERS_EVERY",
        "ADDITIONAL_FIELDS",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const SOURCES: [&SourceCatalog; 4] = [&PINGONE, &PINGONE_ENTERPRISE, &SENTINELONE, &ONELOGIN];

pub(super) const GROUPS: [Group; 8] = [
    Group {
        prefix: "LOGS_INGESTION__",
        keys: &["ENDPOINT", "RULE_ID", "AUDIENCE"],
    },
    Group {
        prefix: "HEALTH__",
        keys: &["ENABLED", "INGESTION_ENDPOINT", "RULE_ID"],
    },
    Group {
        prefix: "POLL_",
        keys: &["SCHEDULE", "LOOKBACK", "OVERLAP", "SETTLE", "BUDGET", "CONCURRENCY"],
    },
    Group {
        prefix: "PUSH_",
        keys: &["LINGER", "DEADLINE"],
    },
    Group {
        prefix: "SPOOL_",
        keys: &["MAX_BYTES"],
    },
    Group {
        prefix: "DEAD_LETTERS_",
        keys: &["MAX_BYTES"],
    },
    // No setting of this version: a name under these prefixes is of a newer template.
    Group {
        prefix: "IDENTITIES_",
        keys: &[],
    },
    Group {
        prefix: "LOGS_QUERY__",
        keys: &[],
    },
];

/// What the names of all settings of a source's instance start with, e.g. `PINGONE__ACME__`; `None` for a source that has
/// no settings.
pub fn setting_prefix(source: &str, instance: &str) -> Option<String> {
    let source = SOURCES.iter().find(|known| known.name == source)?;
    Some(format!("{}{}", source.prefix, InstanceName::infix_of(instance)))
}

/// Settings without a prefix of ours.
pub(super) const ALONE: [&str; 4] = ["DESTINATION_DIR", "STATE_URL", "LOG_FORMAT", "MEMORY_BUDGET"];

/// Whether a name is a setting of ours, or would be one if it were spelt right.
pub(super) fn is_ours(name: &str) -> bool {
    let mut prefixes = SOURCES
        .iter()
        .map(|source| source.prefix)
        .chain(GROUPS.iter().map(|group| group.prefix));
    ALONE.contains(&name) || prefixes.any(|prefix| name.starts_with(prefix))
}

/// Every name that `load` reads, the keys of each source for the unnamed instance and for `named`.
#[cfg(test)]
pub(super) fn every_name(named: &str) -> Vec<String> {
    let mut names: Vec<String> = ALONE.map(str::to_owned).into();
    names.push("WEBSITE_SITE_NAME".to_owned());
    names.push("WEBSITE_KEYVAULT_REFERENCES".to_owned());
    for group in &GROUPS {
        names.extend(group.keys.iter().map(|key| format!("{}{key}", group.prefix)));
    }
    for source in SOURCES {
        for key in source.keys {
            names.push(format!("{}{key}", source.prefix));
            names.push(format!("{}{named}__{key}", source.prefix));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_an_instance_share_a_prefix() {
        let unnamed = setting_prefix("pingone-enterprise", "default");
        assert_eq!(unnamed.as_deref(), Some("PINGONE_ENTERPRISE__"));
        assert_eq!(setting_prefix("pingone", "acme2").as_deref(), Some("PINGONE__ACME2__"));
        assert_eq!(setting_prefix("another", "default"), None);
    }
}
