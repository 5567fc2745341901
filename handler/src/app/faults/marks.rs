//! Marks: `#p17#`, a text in an event that is found again in its rows.

/// A row with this text is never taken.
pub const POISON: &str = "!poison!";

/// Whose events a mark is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    PingOne,
    Enterprise,
    SentinelOne,
    OneLoginPushed,
    OneLoginEvents,
    OneLoginUsers,
}

impl Origin {
    const ALL: [Self; 6] = [
        Self::PingOne,
        Self::Enterprise,
        Self::SentinelOne,
        Self::OneLoginPushed,
        Self::OneLoginEvents,
        Self::OneLoginUsers,
    ];

    fn letter(self) -> char {
        match self {
            Self::PingOne => 'p',
            Self::Enterprise => 'e',
            Self::SentinelOne => 's',
            Self::OneLoginPushed => 'o',
            Self::OneLoginEvents => 'a',
            Self::OneLoginUsers => 'u',
        }
    }

    pub fn mark(self, number: usize) -> String {
        format!("#{}{number}#", self.letter())
    }

    pub fn has(self, mark: &str) -> bool {
        mark.strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(self.letter()))
    }
}

/// The marks in a text.
pub fn marks_in(text: &str) -> Vec<String> {
    let marks = text.split('#').filter(|part| is_mark(part));
    marks.map(|mark| format!("#{mark}#")).collect()
}

/// The first mark in a row.
pub fn mark_of(row: &str) -> String {
    let marks = marks_in(row).into_iter().next();
    marks.unwrap_or_else(|| panic!("a row without a mark: {row}"))
}

fn is_mark(text: &str) -> bool {
    let digits = text.strip_prefix(Origin::ALL.map(Origin::letter));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
