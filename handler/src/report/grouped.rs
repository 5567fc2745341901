//! What has one cause for several streams of an account is said once, with the streams named.

use super::problem::{ErrorCode, Problem};
use super::subject::ReportSubject;
use crate::event::StreamName;

/// Something that is said of a subject.
#[derive(Clone, Debug)]
pub struct RunMessage {
    /// What it is said of.
    pub subject: ReportSubject,
    /// Of a failure.
    pub code: Option<ErrorCode>,
    /// As a line of its own, the subject in it.
    pub line: String,
    /// What of it is the same for all subjects with this cause.
    pub shared: String,
}

/// Messages with one cause.
#[derive(Clone, Debug)]
pub struct MessageGroup {
    /// What they are said of, each once.
    pub subjects: Vec<ReportSubject>,
    first: RunMessage,
    /// False if they differ in what is not shared.
    is_one_line: bool,
}

impl RunMessage {
    /// A line that begins with its subject.
    pub fn new(subject: &ReportSubject, line: String) -> Self {
        let shared = line.strip_prefix(&format!("{subject}: ")).unwrap_or(&line).to_owned();
        Self {
            subject: subject.clone(),
            code: None,
            line,
            shared,
        }
    }

    /// Of a failure.
    pub fn of_problem(subject: &ReportSubject, problem: &Problem) -> Self {
        let message = Self::new(subject, problem.message.clone());
        Self {
            code: Some(problem.code),
            shared: problem.shared.clone().unwrap_or(message.shared),
            ..message
        }
    }

    /// The state store is one for all accounts.
    fn has_cause_of(&self, other: &Self) -> bool {
        let is_everybodys = self.code == Some(ErrorCode::StateUnavailable);
        self.code == other.code
            && self.shared == other.shared
            && (is_everybodys || self.subject.account() == other.subject.account())
    }
}

impl MessageGroup {
    /// One line for all of them.
    pub fn line(&self) -> String {
        match self.is_one_line {
            true => self.first.line.clone(),
            false => format!("{}: {}", names(&self.subjects), self.first.shared),
        }
    }

    /// Of a failure.
    pub fn code(&self) -> Option<ErrorCode> {
        self.first.code
    }

    fn add(&mut self, message: RunMessage) {
        self.is_one_line &= message.line == self.first.line;
        if !self.subjects.contains(&message.subject) {
            self.subjects.push(message.subject);
        }
    }
}

/// In the order of the first message of each group.
pub fn grouped(messages: impl IntoIterator<Item = RunMessage>) -> Vec<MessageGroup> {
    let mut groups: Vec<MessageGroup> = Vec::new();
    for message in messages {
        match groups.iter_mut().find(|group| group.first.has_cause_of(&message)) {
            Some(group) => group.add(message),
            None => groups.push(MessageGroup {
                subjects: vec![message.subject.clone()],
                first: message,
                is_one_line: true,
            }),
        }
    }
    groups
}

/// `<source>/<instance> (<stream>, <stream>), spool`
pub fn names(subjects: &[ReportSubject]) -> String {
    let mut accounts: Vec<(&ReportSubject, Vec<&str>)> = Vec::new();
    for subject in subjects {
        let stream = subject.stream().map(|name| name.stream);
        let same = |first: &ReportSubject| first.account().is_some() && first.account() == subject.account();
        match accounts.iter_mut().find(|(first, _)| same(first)) {
            Some((_, streams)) => streams.extend(stream),
            None => accounts.push((subject, stream.into_iter().collect())),
        }
    }
    let names = accounts.iter().map(|(first, streams)| match first.stream() {
        Some(StreamName { source, instance, .. }) if streams.len() > 1 => {
            format!("{source}/{instance} ({})", streams.join(", "))
        }
        _ => first.to_string(),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(source: &'static str, stream: &'static str) -> ReportSubject {
        ReportSubject::Stream(StreamName {
            source,
            instance: "default".to_owned(),
            stream,
        })
    }

    fn problem(subject: &ReportSubject, code: ErrorCode, shared: &str) -> RunMessage {
        let message = format!("{subject}: its endpoint {shared}");
        RunMessage::of_problem(subject, &Problem::new(code, message).sharing(Some(shared.to_owned())))
    }

    #[test]
    fn one_cause_of_an_account_is_one_line_and_other_causes_and_accounts_keep_theirs() {
        let [agents, threats] = ["agents", "threats"].map(|name| stream("sentinelone", name));
        let events = stream("onelogin", "events");
        let rejected = ErrorCode::CredentialsRejected;
        let lines: Vec<String> = grouped([
            problem(&agents, rejected, "answered 401"),
            problem(&events, rejected, "answered 401"),
            problem(&threats, rejected, "answered 401"),
            problem(&threats, rejected, "answered 401"),
            problem(&threats, ErrorCode::PermissionDenied, "answered 403"),
        ])
        .iter()
        .map(MessageGroup::line)
        .collect();
        assert_eq!(
            lines,
            [
                "sentinelone/default (agents, threats): answered 401",
                "onelogin/default/events: its endpoint answered 401",
                "sentinelone/default/threats: its endpoint answered 403",
            ]
        );
    }

    #[test]
    fn two_tables_of_a_stream_with_one_cause_are_one_line_that_names_none_of_them() {
        let activities = stream("pingone", "activities");
        let messages = ["A_CL", "B_CL"].map(|table| {
            let message = format!("{activities} -> {table}: 7 rows of {table} were not sent: no identity");
            let problem = Problem::new(ErrorCode::IdentityUnavailable, message);
            RunMessage::of_problem(&activities, &problem.sharing(Some("no identity".to_owned())))
        });
        let lines: Vec<String> = grouped(messages).iter().map(MessageGroup::line).collect();
        assert_eq!(lines, ["pingone/default/activities: no identity"]);
    }

    #[test]
    fn the_state_store_is_one_for_all_accounts() {
        let failed = ErrorCode::StateUnavailable;
        let subjects = [
            stream("onelogin", "events"),
            stream("sentinelone", "agents"),
            stream("sentinelone", "threats"),
            ReportSubject::Spool,
        ];
        let groups = grouped(subjects.map(|subject| problem(&subject, failed, "no store")));
        let lines: Vec<String> = groups.iter().map(MessageGroup::line).collect();
        assert_eq!(
            lines,
            ["onelogin/default/events, sentinelone/default (agents, threats), spool: no store"]
        );
    }

    #[test]
    fn a_line_that_begins_with_its_subject_shares_the_rest() {
        let [agents, threats] = ["agents", "threats"].map(|name| stream("sentinelone", name));
        let messages =
            [agents, threats].map(|subject| RunMessage::new(&subject, format!("{subject}: the clock is wrong")));
        let lines: Vec<String> = grouped(messages).iter().map(MessageGroup::line).collect();
        assert_eq!(lines, ["sentinelone/default (agents, threats): the clock is wrong"]);
    }
}
