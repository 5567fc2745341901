//! What each endpoint accepts (vendor: swagger of the API, parameters of the list endpoints).

use serde_json::Value;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Stream {
    /// `GET activities`.
    Activities,
    /// `GET agents`.
    Agents,
    /// `GET groups`.
    Groups,
    /// `GET threats`.
    Threats,
    /// `GET cloud-detection/alerts`.
    Alerts,
    /// `POST unifiedalerts/graphql`.
    UnifiedAlerts,
}

/// The path before that of each endpoint.
const BASE: &str = "/web/api/v2.1/";

/// A name in the API and where the value stands in an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) pointer: &'static str,
}

/// A time that can be filtered with `__gt`, `__gte`, `__lt` and `__lte`.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeColumn {
    pub(super) name: &'static str,
    pub(super) pointer: &'static str,
    /// Whether there is `__between` too.
    pub(super) between: bool,
}

/// One endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contract {
    path: &'static str,
    pub(super) largest_limit: usize,
    /// Where the id of an object stands.
    pub(super) id: &'static str,
    /// Where the time of a version stands.
    pub(super) updated_at: &'static str,
    pub(super) times: &'static [TimeColumn],
    /// Names of `sortBy`; the vendor has more for some.
    pub(super) sorts: &'static [Column],
    /// Lists of values, separated by commas, that an object must have one of.
    pub(super) lists: &'static [Column],
}

/// Where the type of an activity stands, by which some are hidden.
pub(super) const ACTIVITY_TYPE: &str = "/activityType";

/// Lists of `True` and `False` of agents (swagger: one, the other or both). Without them the agents that are out of
/// service or taken off are left out.
pub(super) const AGENT_FLAGS: [Column; 2] = [
    column("isDecommissioned", "/isDecommissioned"),
    column("isUninstalled", "/isUninstalled"),
];

const fn column(name: &'static str, pointer: &'static str) -> Column {
    Column { name, pointer }
}

const fn time(name: &'static str, pointer: &'static str) -> TimeColumn {
    TimeColumn {
        name,
        pointer,
        between: false,
    }
}

const fn with_between(name: &'static str, pointer: &'static str) -> TimeColumn {
    TimeColumn {
        name,
        pointer,
        between: true,
    }
}

const ACTIVITIES: Contract = Contract {
    path: "activities",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[with_between("createdAt", "/createdAt")],
    sorts: &[
        column("id", "/id"),
        column("activityType", "/activityType"),
        column("createdAt", "/createdAt"),
    ],
    lists: &[
        column("activityTypes", "/activityType"),
        column("ids", "/id"),
        column("accountIds", "/accountId"),
        column("siteIds", "/siteId"),
        column("groupIds", "/groupId"),
    ],
};

const AGENTS: Contract = Contract {
    path: "agents",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[
        with_between("createdAt", "/createdAt"),
        with_between("updatedAt", "/updatedAt"),
    ],
    sorts: &[
        column("id", "/id"),
        column("createdAt", "/createdAt"),
        column("updatedAt", "/updatedAt"),
        column("registeredAt", "/registeredAt"),
        column("lastActiveDate", "/lastActiveDate"),
        column("computerName", "/computerName"),
    ],
    lists: &[
        column("ids", "/id"),
        column("accountIds", "/accountId"),
        column("siteIds", "/siteId"),
        column("groupIds", "/groupId"),
    ],
};

const GROUPS: Contract = Contract {
    path: "groups",
    largest_limit: 300,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[time("updatedAt", "/updatedAt")],
    sorts: &[
        column("id", "/id"),
        column("name", "/name"),
        column("type", "/type"),
        column("rank", "/rank"),
        column("siteId", "/siteId"),
        column("createdAt", "/createdAt"),
        column("updatedAt", "/updatedAt"),
        column("description", "/description"),
    ],
    lists: &[
        column("groupIds", "/id"),
        column("siteIds", "/siteId"),
        column("types", "/type"),
    ],
};

const THREATS: Contract = Contract {
    path: "threats",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/threatInfo/updatedAt",
    times: &[
        time("createdAt", "/threatInfo/createdAt"),
        time("updatedAt", "/threatInfo/updatedAt"),
    ],
    sorts: &[
        column("id", "/id"),
        column("createdAt", "/threatInfo/createdAt"),
        column("updatedAt", "/threatInfo/updatedAt"),
        column("classification", "/threatInfo/classification"),
    ],
    lists: &[
        column("ids", "/id"),
        column("accountIds", "/agentRealtimeInfo/accountId"),
        column("siteIds", "/agentRealtimeInfo/siteId"),
        column("groupIds", "/agentRealtimeInfo/groupId"),
    ],
};

const ALERTS: Contract = Contract {
    path: "cloud-detection/alerts",
    largest_limit: 1000,
    id: "/alertInfo/alertId",
    updated_at: "/alertInfo/updatedAt",
    times: &[
        time("createdAt", "/alertInfo/createdAt"),
        time("reportedAt", "/alertInfo/reportedAt"),
    ],
    sorts: &[
        column("id", "/alertInfo/alertId"),
        column("alertInfoAlertId", "/alertInfo/alertId"),
        column("alertInfoCreatedAt", "/alertInfo/createdAt"),
        column("alertInfoReportedAt", "/alertInfo/reportedAt"),
        column("severity", "/ruleInfo/severity"),
    ],
    lists: &[
        column("ids", "/alertInfo/alertId"),
        column("accountIds", "/agentDetectionInfo/accountId"),
        column("siteIds", "/agentDetectionInfo/siteId"),
    ],
};

/// Times filter with `dateTimeRange`, and whatever can be filtered can be sorted on.
const UNIFIED_ALERTS: Contract = Contract {
    path: "unifiedalerts/graphql",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[
        time("detectedAt", "/detectedAt"),
        time("createdAt", "/createdAt"),
        time("updatedAt", "/updatedAt"),
    ],
    sorts: &[
        column("detectedAt", "/detectedAt"),
        column("createdAt", "/createdAt"),
        column("updatedAt", "/updatedAt"),
        column("severity", "/severity"),
        column("status", "/status"),
    ],
    lists: &[],
};

impl Stream {
    /// Every endpoint.
    pub const ALL: [Stream; 6] = [
        Stream::Activities,
        Stream::Agents,
        Stream::Groups,
        Stream::Threats,
        Stream::Alerts,
        Stream::UnifiedAlerts,
    ];

    /// The path of the endpoint on the console.
    pub fn path(self) -> String {
        format!("{BASE}{}", self.contract().path)
    }

    pub(super) fn of_path(path: &str) -> Option<Stream> {
        let path = path.strip_prefix(BASE)?;
        Stream::ALL.into_iter().find(|stream| stream.contract().path == path)
    }

    pub(super) fn contract(self) -> &'static Contract {
        match self {
            Stream::Activities => &ACTIVITIES,
            Stream::Agents => &AGENTS,
            Stream::Groups => &GROUPS,
            Stream::Threats => &THREATS,
            Stream::Alerts => &ALERTS,
            Stream::UnifiedAlerts => &UNIFIED_ALERTS,
        }
    }
}

impl Contract {
    pub(super) fn sort(&self, name: &str) -> Option<Column> {
        self.sorts.iter().copied().find(|column| column.name == name)
    }

    /// Where the values stand that an object is sorted and filtered by.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.sorts.iter().chain(self.lists).map(|column| column.pointer);
        columns
            .chain([ACTIVITY_TYPE])
            .chain(AGENT_FLAGS.map(|column| column.pointer))
    }
}

/// The text at a place of an object.
pub(super) fn text_at<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}
