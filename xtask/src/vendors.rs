//! What the tools know of the vendors: which source fills which tables, how it is called in the template, and who reads
//! the tables.

/// One rule of the template.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// What the template's names of it begin with.
    pub name: &'static str,
    /// The end of the names of its rule and its deployment: no more than 12 characters, see `check/names.rs`.
    pub short: &'static str,
    /// The settings that take its rule.
    pub endpoint_setting: &'static str,
    /// The settings that take its rule.
    pub rule_setting: &'static str,
    /// Its connector page in `infra/content/connectors`.
    pub connector: Option<&'static str>,
    /// Tables that are there whenever the source is on.
    pub always: &'static [&'static str],
    /// Tables that are there if `<name>TablesUsed` lists them.
    pub on_request: &'static [&'static str],
}

/// The health table: its rule is the default of all that have none.
pub const HEALTH: &str = "health";

/// A rule for each.
pub const SOURCES: [Source; 5] = [
    Source {
        name: "pingOne",
        short: "pingone",
        connector: Some("PingOne"),
        endpoint_setting: "PINGONE__INGESTION_ENDPOINT",
        rule_setting: "PINGONE__RULE_ID",
        always: &[],
        on_request: &["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"],
    },
    Source {
        name: "pingOneEnterprise",
        short: "pingone-ent",
        connector: Some("PingOneEnterprise"),
        endpoint_setting: "PINGONE_ENTERPRISE__INGESTION_ENDPOINT",
        rule_setting: "PINGONE_ENTERPRISE__RULE_ID",
        always: &["PingOneEnterprise_AuditEvents_CL"],
        on_request: &[],
    },
    Source {
        name: "sentinelOne",
        short: "sentinelone",
        connector: Some("SentinelOne"),
        endpoint_setting: "SENTINELONE__INGESTION_ENDPOINT",
        rule_setting: "SENTINELONE__RULE_ID",
        // Microsoft's parser fails when one of the five is absent, whatever is read.
        always: &[
            "SentinelOneActivities_CL",
            "SentinelOneAgents_CL",
            "SentinelOneAlerts_CL",
            "SentinelOneGroups_CL",
            "SentinelOneThreats_CL",
        ],
        on_request: &["SentinelOneAlertsV2_CL"],
    },
    Source {
        name: "oneLogin",
        short: "onelogin",
        connector: Some("OneLogin"),
        endpoint_setting: "ONELOGIN__INGESTION_ENDPOINT",
        rule_setting: "ONELOGIN__RULE_ID",
        always: &[],
        on_request: &["OneLogin_CL", "OneLoginEventsV2_CL", "OneLoginUsersV2_CL"],
    },
    Source {
        name: HEALTH,
        short: "health",
        connector: None,
        endpoint_setting: "LOGS_INGESTION__ENDPOINT",
        rule_setting: "LOGS_INGESTION__RULE_ID",
        always: &["SentinelConnectorHealth_CL"],
        on_request: &[],
    },
];

/// Tables that are made on request only: whatever else asks for them must do it in a fuzzy union.
pub const TABLES_ON_REQUEST: [&str; 4] = [
    "PingOne_AuditActivities_CL",
    "SentinelOneAlertsV2_CL",
    "OneLoginEventsV2_CL",
    "OneLoginUsersV2_CL",
];

/// A table that a retired function app made with other types: its ids may be of type guid.
pub const RETIRED_TABLE: &str = "OneLogin_CL";
/// Whether the ids of [`RETIRED_TABLE`] are of type guid.
pub const HAS_GUIDS: &str = "parameters('oneLoginTableHasGuidColumns')";

/// Which tables a saved function must read to the last column.
pub const FUNCTION_TABLES: [(&str, &[&str]); 3] = [
    (
        "PingOneAudit",
        &["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"],
    ),
    ("PingOneEnterpriseAudit", &["PingOneEnterprise_AuditEvents_CL"]),
    (
        "OneLoginEvents",
        &["OneLogin_CL", "OneLoginEventsV2_CL", "OneLoginUsersV2_CL"],
    ),
];

/// Names that Microsoft's solutions give their own functions in the same workspace.
pub const FUNCTION_NAMES_OF_MICROSOFT: [&str; 2] = ["OneLogin", "SentinelOne"];

/// The connector pages that there may be, each with the variable that says whether its source is on.
pub fn connectors() -> impl Iterator<Item = (&'static str, String)> {
    let sources = SOURCES.iter();
    sources.filter_map(|source| Some((source.connector?, source.flag())))
}

impl Source {
    /// All its tables.
    pub fn tables(&self) -> impl Iterator<Item = &'static str> {
        self.always.iter().chain(self.on_request).copied()
    }

    /// The condition under which anything of it is deployed, none where it always is.
    pub fn condition(&self) -> Option<String> {
        (self.name != HEALTH).then(|| format!("variables('{}')", self.flag()))
    }

    fn flag(&self) -> String {
        format!("{}On", self.name)
    }

    /// The variable with the resource id of its deployment.
    pub fn deployment_variable(&self) -> String {
        format!("{}Deployment", self.name)
    }

    /// Its value from `expression` if it is on, else `otherwise`.
    pub fn if_on(&self, expression: &str, otherwise: &str) -> String {
        match self.condition() {
            Some(condition) => format!("if({condition}, {expression}, {otherwise})"),
            None => expression.to_owned(),
        }
    }
}
