//! The table of SentinelOne activity types. A new type is one more line.

/// A group of keys that the `data` of an activity carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// `username`.
    Person,
    /// `role`, `userScope`, `ipAddress`, `source`.
    Login,
    /// `computerName`, `externalIp`.
    Computer,
    /// The file and its classification.
    File,
    /// `ruleName`, `ruleId`, `ruleQueryDetails`, `status`.
    Rule,
    /// The keys of an alert of a custom rule, in lower case.
    StarAlert,
    /// `exclusionType`, `value`, `osFamily`.
    Exclusion,
    /// `fileContentHash` that stands in the list of blocked hashes.
    Hash,
    /// `newStatus`, `originalStatus`.
    Status,
    /// `newValue` that is a truth value.
    Switch,
    /// `newValue` that is an object.
    Setting,
    /// `oldGroupName`, `newGroupName` and their ids.
    Move,
    /// The keys of a plugged-in device; `ruleName` null.
    Device,
    /// `status` and `createdAt` of a scan.
    Scan,
}

/// One kind of activity.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActivityType {
    /// `activityType`.
    pub(super) id: u32,
    /// `primaryDescription`; holds `{user}`, `{computer}`, `{file}`, `{rule}`, `{address}`, `{group}`, `{value}`.
    pub(super) description: &'static str,
    pub(super) parts: &'static [Part],
}

const fn activity(id: u32, description: &'static str, parts: &'static [Part]) -> ActivityType {
    ActivityType { id, description, parts }
}

use Part::{
    Computer, Device, Exclusion, File, Hash, Login, Move, Person, Rule, Scan, Setting, StarAlert, Status, Switch,
};

/// Every type the generator knows, in the order it walks them.
#[rustfmt::skip]
pub(super) const ACTIVITY_TYPES: &[ActivityType] = &[
    activity(19, "{file} was found on {computer} and is taken for malicious", &[Computer, File]),
    activity(23, "{user} added the user {value}", &[Person, Setting]),
    activity(25, "{user} removed the user {value}", &[Person]),
    activity(27, "{user} opened the console from IP Address {address}.", &[Person, Login]),
    activity(31, "{user} asked {computer} to take its agent off", &[Person, Computer]),
    activity(47, "{computer} got a new agent version", &[Computer]),
    activity(51, "The agent left {computer}", &[Computer]),
    activity(64, "{user} looked at the passphrase of {computer}", &[Person, Computer]),
    activity(71, "A scan of every disk was asked of {computer} ({address})", &[Person, Computer]),
    activity(90, "{computer} began to scan every disk", &[Computer, Scan]),
    activity(92, "{computer} is through with every disk", &[Computer, Scan]),
    activity(128, "The agent on {computer} works in part only", &[Computer]),
    activity(1501, "The console talked to itself about {computer}", &[Computer]),
    activity(2001, "{computer} stopped {file}", &[Computer, File]),
    activity(2004, "{computer} locked {file} away", &[Computer, File]),
    activity(3001, "{user} added the exclusion {value}", &[Person, Exclusion]),
    activity(3016, "{user} took back the exclusion {value}", &[Person, Exclusion]),
    activity(3020, "{user} took a hash off the list of blocked ones", &[Person, Hash]),
    activity(3600, "{user} wrote the rule {rule}", &[Person, Rule]),
    activity(3602, "{user} removed the rule {rule}", &[Person, Rule]),
    activity(3603, "{user} put the rule {rule} to sleep", &[Person, Rule]),
    activity(3608, "Alert created for {file} from Custom Rule: {rule} in Group {group}, detected on {computer}.",
        &[Computer, StarAlert]),
    activity(3784, "{rule} met {file} on {computer}", &[StarAlert]),
    activity(4003, "{computer} took {file} for a threat", &[Computer, File]),
    activity(4008, "{file} on {computer} has another status", &[Computer, File, Status]),
    activity(5009, "{computer} went to the group {group}", &[Computer, Move]),
    activity(5126, "Something was plugged into {computer}", &[Computer, Device]),
    activity(5232, "{user} turned the firewall of {group} over", &[Person, Switch]),
    activity(5020, "The site {value} was opened by {user}", &[Person, Switch]),
];
