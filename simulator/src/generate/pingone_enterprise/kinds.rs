//! The table of event kinds. A new kind is one more line.

/// The form of `resources`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Resources {
    None,
    EmptyList,
    /// A list with a device.
    List,
    /// A device without a list around it.
    Object,
    /// A list with a message.
    Mail,
}

/// One kind of event.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventKind {
    pub(super) source: &'static str,
    /// `action.type`.
    pub(super) action: &'static str,
    /// `result.status`: not always a word for success or failure.
    pub(super) status: &'static str,
    /// `result.message`.
    pub(super) message: &'static str,
    pub(super) resources: Resources,
    pub(super) day_before_month: bool,
}

const fn kind(source: &'static str, action: &'static str, status: &'static str, message: &'static str) -> EventKind {
    EventKind {
        source,
        action,
        status,
        message,
        resources: None,
        day_before_month: false,
    }
}

impl EventKind {
    const fn with(self, resources: Resources) -> EventKind {
        EventKind { resources, ..self }
    }

    const fn day_first(self) -> EventKind {
        EventKind {
            day_before_month: true,
            ..self
        }
    }
}

use Resources::{EmptyList, List, Mail, None, Object};

/// Every kind the generator knows, in the order it walks them.
#[rustfmt::skip]
pub(super) const KINDS: &[EventKind] = &[
    kind("ADMINISTRATOR_LOGIN", "Password", "SUCCESS", "Password").with(EmptyList).day_first(),
    kind("ADMINISTRATOR_LOGIN", "Password", "FAILURE", "The password was wrong").with(EmptyList).day_first(),
    kind("ADMINISTRATOR_LOGIN", "PingID", "SUCCESS", "PingID"),
    kind("PINGID", "authentication", "SUCCESS", "The device said yes").with(Object),
    kind("PINGID", "authentication", "SUCCESS", "The device said yes").with(List).day_first(),
    kind("PINGID", "authentication", "FAILURE", "The code was wrong").with(List).day_first(),
    kind("PINGID", "authentication", "delivery", "The message is delivered").with(Mail),
    kind("PINGID", "authentication", "queue", "The message waits").with(Mail),
    kind("PINGID", "device", "SUCCESS", "A device was paired").with(Object),
    kind("SSO", "sso", "SUCCESS", "Way to the app \"Ledger\" opened").with(EmptyList),
    kind("SSO", "sso", "FAILURE", "The app is not\nassigned").day_first(),
    kind("ADMINISTRATOR_ACTIVITY", "update", "SUCCESS", "A group was changed").with(EmptyList),
];
