//! Every name that is a setting.

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
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const PINGONE_ENTERPRISE: SourceCatalog = SourceCatalog {
    name: "pingone-enterprise",
    title: "PingOne for Enterprise",
    prefix: "PINGONE_ENTERPRISE__",
    keys: &[
        "POLL_URL",
        "CLIENT_ID",
        "CLIENT_SECRET",
        "TOKEN_URL",
        "USERNAME",
        "PASSWORD",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const SENTINELONE: SourceCatalog = SourceCatalog {
    name: "sentinelone",
    title: "SentinelOne",
    prefix: "SENTINELONE__",
    keys: &[
        "URL",
        "API_TOKEN",
        "STREAMS",
        "PARSER_ALIASES",
        "AGENT_CHANGES_ONLY",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const ONELOGIN: SourceCatalog = SourceCatalog {
    name: "onelogin",
    title: "OneLogin",
    prefix: "ONELOGIN__",
    keys: &[
        "BEARER_TOKEN",
        "TABLES",
        "URL",
        "CLIENT_ID",
        "CLIENT_SECRET",
        "USERS_EVERY",
        "INGESTION_ENDPOINT",
        "RULE_ID",
    ],
};

pub(super) const SOURCES: [&SourceCatalog; 4] = [&PINGONE, &PINGONE_ENTERPRISE, &SENTINELONE, &ONELOGIN];

pub(super) const GROUPS: [Group; 5] = [
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
];

/// Settings without a prefix of ours.
const ALONE: [&str; 3] = ["DESTINATION_DIR", "STATE_URL", "LOG_FORMAT"];

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
