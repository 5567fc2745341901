//! What each endpoint accepts (vendor: swagger of the API, parameters of the list endpoints).

use std::ops::RangeInclusive;

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

/// How precise a time of a parameter or an object may be (swagger: `2018-02-27T04:49:26.257525Z`).
pub(super) const FRACTION_DIGITS: RangeInclusive<usize> = 1..=6;

/// The path before that of each endpoint.
const BASE: &str = "/web/api/v2.1/";

/// A name in the API and where the value stands in an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) pointer: &'static str,
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
    /// Times that can be filtered with `__gt`, `__gte`, `__lt` and `__lte`.
    pub(super) times: &'static [Column],
    /// Names of `sortBy`; the vendor has more for some.
    pub(super) sorts: &'static [Column],
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

const ACTIVITIES: Contract = Contract {
    path: "activities",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[column("createdAt", "/createdAt")],
    sorts: &[
        column("id", "/id"),
        column("activityType", "/activityType"),
        column("createdAt", "/createdAt"),
    ],
};

const AGENTS: Contract = Contract {
    path: "agents",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[column("createdAt", "/createdAt"), column("updatedAt", "/updatedAt")],
    sorts: &[
        column("id", "/id"),
        column("createdAt", "/createdAt"),
        column("updatedAt", "/updatedAt"),
        column("registeredAt", "/registeredAt"),
        column("lastActiveDate", "/lastActiveDate"),
        column("computerName", "/computerName"),
    ],
};

const GROUPS: Contract = Contract {
    path: "groups",
    largest_limit: 300,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[column("updatedAt", "/updatedAt")],
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
};

const THREATS: Contract = Contract {
    path: "threats",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/threatInfo/updatedAt",
    times: &[
        column("createdAt", "/threatInfo/createdAt"),
        column("updatedAt", "/threatInfo/updatedAt"),
    ],
    sorts: &[
        column("id", "/id"),
        column("createdAt", "/threatInfo/createdAt"),
        column("updatedAt", "/threatInfo/updatedAt"),
        column("classification", "/threatInfo/classification"),
    ],
};

const ALERTS: Contract = Contract {
    path: "cloud-detection/alerts",
    largest_limit: 1000,
    id: "/alertInfo/alertId",
    updated_at: "/alertInfo/updatedAt",
    times: &[
        column("createdAt", "/alertInfo/createdAt"),
        column("reportedAt", "/alertInfo/reportedAt"),
    ],
    sorts: &[
        column("id", "/alertInfo/alertId"),
        column("alertInfoAlertId", "/alertInfo/alertId"),
        column("alertInfoCreatedAt", "/alertInfo/createdAt"),
        column("alertInfoReportedAt", "/alertInfo/reportedAt"),
        column("severity", "/ruleInfo/severity"),
    ],
};

/// Times filter with `dateTimeRange`, and whatever can be filtered can be sorted on.
const UNIFIED_ALERTS: Contract = Contract {
    path: "unifiedalerts/graphql",
    largest_limit: 1000,
    id: "/id",
    updated_at: "/updatedAt",
    times: &[
        column("detectedAt", "/detectedAt"),
        column("createdAt", "/createdAt"),
        column("updatedAt", "/updatedAt"),
    ],
    sorts: &[
        column("detectedAt", "/detectedAt"),
        column("createdAt", "/createdAt"),
        column("updatedAt", "/updatedAt"),
        column("severity", "/severity"),
        column("status", "/status"),
    ],
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
        let columns = self.sorts.iter().map(|column| column.pointer);
        columns
            .chain([ACTIVITY_TYPE])
            .chain(AGENT_FLAGS.map(|column| column.pointer))
    }
}

/// The text at a place of an object.
pub(super) fn text_at<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}
