//! The table of OneLogin event types. A new type is one more line.

/// A group of keys that an event carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::generate) enum EventPart {
    Actor,
    User,
    UserAttributes,
    App,
    Role,
    Policy,
    Group,
    Browser,
    Risk,
    Factor,
    Device,
    ApiCredential,
    Privilege,
    Directory,
    Mapping,
    Task,
    /// `notes` on one line.
    Note,
    /// `notes` on several lines.
    LongNote,
}

/// One kind of event.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// `event_type_id`.
    pub id: u32,
    /// What happened, in our words; not part of the event.
    pub meaning: &'static str,
    pub(in crate::generate) parts: &'static [EventPart],
}

const fn event(id: u32, meaning: &'static str, parts: &'static [EventPart]) -> EventType {
    EventType { id, meaning, parts }
}

use EventPart::{
    Actor, ApiCredential, App, Browser, Device, Directory, Factor, Group, LongNote, Mapping, Note, Policy, Privilege,
    Risk, Role, Task, User, UserAttributes,
};

/// Every type the generator knows, in the order it walks them.
#[rustfmt::skip]
pub(in crate::generate) const EVENT_TYPES: &[EventType] = &[
    event(1, "app added to a role", &[Actor, App, Role]),
    event(3, "somebody acts as another user", &[Actor, User]),
    event(5, "signed in", &[Actor, User, Policy, Browser, Risk, LongNote]),
    event(6, "sign-in failed", &[Actor, User, UserAttributes, Note, Risk]),
    event(7, "signed out", &[Actor, User]),
    event(8, "opened an app", &[Actor, User, App, Browser]),
    event(11, "password changed", &[Actor, User, Policy, Note]),
    event(13, "user added", &[Actor, User, UserAttributes]),
    event(17, "user removed", &[Actor, User, UserAttributes, LongNote]),
    event(19, "user locked", &[Actor, User, Policy, Note]),
    event(24, "second factor registered", &[Actor, User, Device, Factor]),
    event(72, "privilege given", &[Actor, User, Privilege]),
    event(147, "role given by hand", &[Actor, User, Role]),
    event(172, "second factor removed", &[Actor, User, Factor]),
    event(179, "API credential made", &[Actor, ApiCredential, Note]),
    event(240, "password shown", &[Actor, User, App]),
    event(412, "event sender removed", &[Actor, Task, Note]),
    event(533, "mapping applied", &[Mapping, User, Directory, LongNote]),
    event(551, "user locked through the API", &[Actor, User, Group]),
    event(1801, "role made", &[Actor, Role, User]),
    event(2, "app taken from a role", &[Actor, App, Role]),
    event(9, "opening an app failed", &[Actor, User, App, Note]),
    event(12, "user unlocked", &[Actor, User]),
    event(14, "user changed", &[Actor, User, UserAttributes]),
    event(22, "second factor added", &[Actor, User, Device]),
    event(73, "privilege taken", &[Actor, User, Privilege]),
    event(148, "role taken by hand", &[Actor, User, Role]),
    event(410, "event sender made", &[Actor, Task]),
    event(411, "event sender changed", &[Actor, Task, LongNote]),
];
