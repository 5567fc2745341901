//! What is particular to each of the five REST endpoints.

use super::event::IdentityFields;

/// An endpoint under `/web/api/v2.1/`.
#[derive(Debug)]
pub struct EndpointSpec {
    /// Behind `/web/api/v2.1/`.
    pub path: &'static str,
    /// What it is, in words, for errors.
    pub asked: &'static str,
    /// The parameters that windows are cut by: the inclusive bound and the exclusive one.
    pub window_on: [&'static str; 2],
    /// The value of `sortBy` that orders by the same time.
    pub sort_by: &'static str,
    /// The largest page that it allows.
    pub page_size: usize,
    /// Filters that show what is hidden by default.
    pub show_all: &'static [(&'static str, &'static str)],
    /// Where an event's id, version and time stand.
    pub identity_fields: IdentityFields,
}

/// The activity log. Some types are hidden unless they are asked for.
pub const ACTIVITIES: EndpointSpec = EndpointSpec {
    path: "activities",
    asked: "the activities endpoint",
    window_on: ["createdAt__gte", "createdAt__lt"],
    sort_by: "createdAt",
    page_size: 1000,
    show_all: &[("includeHidden", "true")],
    identity_fields: IdentityFields {
        stream: "activities",
        id: &["id"],
        version: None,
        time: &["createdAt"],
    },
};

/// Agents, those that were decommissioned or uninstalled included: their last change is news too.
pub const AGENTS: EndpointSpec = EndpointSpec {
    path: "agents",
    asked: "the agents endpoint",
    window_on: ["updatedAt__gte", "updatedAt__lt"],
    sort_by: "updatedAt",
    page_size: 1000,
    show_all: &[("isDecommissioned", "True,False"), ("isUninstalled", "True,False")],
    identity_fields: IdentityFields {
        stream: "agents",
        id: &["id"],
        version: Some(&["updatedAt"]),
        time: &["updatedAt"],
    },
};

/// Cloud detection alerts, by the time at which they become visible.
pub const ALERTS: EndpointSpec = EndpointSpec {
    path: "cloud-detection/alerts",
    asked: "the alerts endpoint",
    window_on: ["reportedAt__gte", "reportedAt__lt"],
    sort_by: "alertInfoReportedAt",
    page_size: 1000,
    show_all: &[],
    identity_fields: IdentityFields {
        stream: "alerts",
        id: &["alertInfo", "alertId"],
        version: Some(&["alertInfo", "updatedAt"]),
        time: &["alertInfo", "reportedAt"],
    },
};

/// Groups.
pub const GROUPS: EndpointSpec = EndpointSpec {
    path: "groups",
    asked: "the groups endpoint",
    window_on: ["updatedAt__gte", "updatedAt__lt"],
    sort_by: "updatedAt",
    page_size: 300,
    show_all: &[],
    identity_fields: IdentityFields {
        stream: "groups",
        id: &["id"],
        version: Some(&["updatedAt"]),
        time: &["updatedAt"],
    },
};

/// Threats.
pub const THREATS: EndpointSpec = EndpointSpec {
    path: "threats",
    asked: "the threats endpoint",
    window_on: ["updatedAt__gte", "updatedAt__lt"],
    sort_by: "updatedAt",
    page_size: 1000,
    show_all: &[],
    identity_fields: IdentityFields {
        stream: "threats",
        id: &["id"],
        version: Some(&["threatInfo", "updatedAt"]),
        time: &["threatInfo", "updatedAt"],
    },
};
