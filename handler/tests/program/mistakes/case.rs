//! One mistake or outage: what is set up, what is run, and what a person must read.

use super::stand_in::Answer;

/// A row of a table.
pub struct Case {
    pub name: &'static str,
    /// What is configured and works.
    pub sources: &'static [Source],
    /// Over the settings of the sources; an empty value takes a setting away. Placeholders: see [`Addresses`].
    ///
    /// [`Addresses`]: super::run::Addresses
    pub settings: &'static [(&'static str, &'static str)],
    /// What the stand-in answers on paths that contain a text; the first that fits.
    pub answers: &'static [(&'static str, Answer)],
    pub before: &'static [Before],
    /// The arguments, with placeholders too. `serve` is told to end once it listens.
    pub command: &'static [&'static str],
    pub code: i32,
    /// Texts that must be in the output, each of them.
    pub says: &'static [&'static str],
    pub never_says: &'static [&'static str],
    /// At most so many lines.
    pub lines: usize,
    /// Neither a file nor a folder may be made or changed.
    pub changes_nothing: bool,
}

/// A run that goes well and says so in a line per table and one for the run; cases name what differs.
pub const POLL: Case = Case {
    name: "",
    sources: &[],
    settings: &[],
    answers: &[],
    before: &[],
    command: &["poll"],
    code: 1,
    says: &[],
    never_says: &[],
    lines: 2,
    changes_nothing: false,
};

/// A check: a line for every part, the last one counts them.
pub const CHECK: Case = Case {
    command: &["check"],
    lines: 7,
    ..POLL
};

/// What a case builds on.
#[derive(Clone, Copy)]
pub enum Source {
    /// A PingOne environment with so many activities.
    PingOne(usize),
    /// A SentinelOne console, of which only the threats are read.
    Threats,
    /// A SentinelOne console with its five streams.
    FiveStreams,
    /// A poll subscription, read with an API client.
    EnterpriseClient,
    /// A poll subscription, read with user name and password.
    EnterpriseUser,
    /// The webhook of OneLogin.
    OneLoginPush,
    /// A data collection rule and a managed identity, both of the stand-in.
    Rule,
}

/// What happens before the command.
#[derive(Clone, Copy)]
pub enum Before {
    /// A poll with the settings of the sources alone, which must go well.
    PolledWell,
    /// A file with this text.
    File(&'static str, &'static str),
    /// A symbolic link, and where it leads.
    Link(&'static str, &'static str),
    /// PingOne's clock stands so many minutes from ours.
    VendorClock(i64),
    /// The watermarks of all checkpoints lie in the year 2999.
    WatermarkInTheFuture,
    /// A poll with the settings of the case, which fails.
    PolledInVain,
    /// Another `poll` with the settings of the case holds the lease.
    AnotherPollRuns,
}
