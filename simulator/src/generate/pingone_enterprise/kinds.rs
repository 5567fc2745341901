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

const fn kind(
    source: &'static str,
    action: &'static str,
    status: &'static str,
    message: &'static str,
    resources: Resources,
    day_before_month: bool,
) -> EventKind {
    EventKind {
        source,
        action,
        status,
        message,
        resources,
        day_before_month,
    }
}

use Resources::{EmptyList, List, Mail, None, Object};

/// Every kind the generator knows, in the order it walks them.
#[rustfmt::skip]
pub(super) const KINDS: &[EventKind] = &[
    kind("ADMINISTRATOR_LOGIN", "Password", "SUCCESS", "Password", EmptyList, true),
    kind("ADMINISTRATOR_LOGIN", "Password", "FAILURE", "The password was wrong", EmptyList, true),
    kind("ADMINISTRATOR_LOGIN", "PingID", "SUCCESS", "PingID", None, false),
    kind("PINGID", "authentication", "SUCCESS", "The device said yes", Object, false),
    kind("PINGID", "authentication", "SUCCESS", "The device said yes", List, true),
    kind("PINGID", "authentication", "FAILURE", "The code was wrong", List, true),
    kind("PINGID", "authentication", "delivery", "The message is delivered", Mail, false),
    kind("PINGID", "authentication", "queue", "The message waits", Mail, false),
    kind("PINGID", "device", "SUCCESS", "A device was paired", Object, false),
    kind("SSO", "sso", "SUCCESS", "Way to the app \"Ledger\" opened", EmptyList, false),
    kind("SSO", "sso", "FAILURE", "The app is not\nassigned", None, true),
    kind("ADMINISTRATOR_ACTIVITY", "update", "SUCCESS", "A group was changed", EmptyList, false),
];
