//! What went wrong with a stream, in a word for rules and in a sentence for people.

use std::fmt;

/// Why a stream failed, or what else somebody should look at. The words stand in health rows, in the status and in
/// alert rules: they are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The vendor did not accept the credential.
    CredentialsRejected,
    /// The vendor knows the credential, and it may not read this.
    PermissionDenied,
    /// The vendor refused the request itself.
    VendorRefused,
    /// The vendor did not answer, or answered that it cannot now.
    VendorUnavailable,
    /// The vendor answered with a page that cannot be read.
    VendorBadPage,
    /// A link of the vendor led away from the configured API.
    ForeignLink,
    /// The destination does not take the rows.
    DestinationRefused,
    /// The destination cannot take the rows now.
    DestinationUnavailable,
    /// No token for the destination.
    IdentityUnavailable,
    /// The state store cannot be used.
    StateUnavailable,
    /// Somebody else took over in the middle of the run.
    LeaseLost,
    /// A Key Vault reference was not resolved.
    SecretUnresolved,
    /// A setting of the instance is bad, missing or misspelt.
    BadSetting,
    /// Events may be lost that nobody can read again.
    PossibleLoss,
    /// The spool takes no more.
    SpoolFull,
    /// Events could not become rows, or rows were refused; they are kept.
    DeadLetters,
    /// Our own counts do not add up.
    LedgerImbalance,
    /// The run's time ended before the work did.
    BudgetEnded,
    /// The Functions host invokes the timer no more; a wake polled in its place.
    TimerSilent,
    /// A defect of ours.
    Internal,
}

impl ErrorCode {
    /// Whether another secret might help: the credential, or what it may read.
    pub fn is_about_credential(self) -> bool {
        matches!(self, Self::CredentialsRejected | Self::PermissionDenied)
    }

    /// The word: `credentials_rejected`.
    pub fn word(self) -> &'static str {
        match self {
            Self::CredentialsRejected => "credentials_rejected",
            Self::PermissionDenied => "permission_denied",
            Self::VendorRefused => "vendor_refused",
            Self::VendorUnavailable => "vendor_unavailable",
            Self::VendorBadPage => "vendor_bad_page",
            Self::ForeignLink => "foreign_link",
            Self::DestinationRefused => "destination_refused",
            Self::DestinationUnavailable => "destination_unavailable",
            Self::IdentityUnavailable => "identity_unavailable",
            Self::StateUnavailable => "state_unavailable",
            Self::LeaseLost => "lease_lost",
            Self::SecretUnresolved => "secret_unresolved",
            Self::BadSetting => "bad_setting",
            Self::PossibleLoss => "possible_loss",
            Self::SpoolFull => "spool_full",
            Self::DeadLetters => "dead_letters",
            Self::LedgerImbalance => "ledger_imbalance",
            Self::BudgetEnded => "budget_ended",
            Self::TimerSilent => "timer_silent",
            Self::Internal => "internal",
        }
    }

    /// What to do where the message has nothing more exact.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::CredentialsRejected => {
                "renew the credential at the vendor and put it into the settings of this source"
            }
            Self::PermissionDenied => "give the vendor's account the role that may read this",
            Self::VendorRefused => "check the settings of this source: its address, and what it is to read",
            Self::VendorUnavailable => "nothing now; if it lasts, look at the vendor's status page and the network",
            Self::VendorBadPage => "nothing now; if it lasts, report it with the message",
            Self::ForeignLink => "check that the settings name the right region or API address",
            Self::DestinationRefused => {
                "check the data collection rule, its streams, and the role Monitoring Metrics Publisher on it"
            }
            Self::DestinationUnavailable => {
                "nothing now; if it lasts, look at the status of Azure Monitor and the network"
            }
            Self::IdentityUnavailable => "check the identity of the app (AZURE_CLIENT_ID), or sign in with az login",
            Self::StateUnavailable => "check that STATE_URL can be reached and written",
            Self::LeaseLost => "nothing: the next run goes on from what is saved",
            Self::SecretUnresolved => "check the Key Vault reference and the role Key Vault Secrets User",
            Self::BadSetting => "correct the setting that the message names, then restart the app",
            Self::PossibleLoss => "compare with the vendor's own log around that time",
            Self::SpoolFull => "bring the destination back, or raise SPOOL_MAX_BYTES",
            Self::DeadLetters => "read the reasons under dead-letters/ in the state, then run handler replay",
            Self::LedgerImbalance | Self::Internal => "please report it with the message",
            Self::BudgetEnded => "nothing: the next run goes on; if it lasts, raise POLL_BUDGET",
            Self::TimerSilent => {
                "go on calling GET /api/wake and restart the function app; if function-timer stays silent, open a support \
                 case for it"
            }
        }
    }
}

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// For rules.
    pub code: ErrorCode,
    /// For people: what failed, on what, and what to do.
    pub message: String,
    /// What to do, where it stands alone in the error.
    remedy: Option<String>,
    /// What of the message is the same for all streams that fail for one reason, where that is known.
    pub shared: Option<String>,
    /// The HTTP status number, where an answer was the problem.
    status: Option<u16>,
    /// The setting of the credential to renew, if that is what to do.
    credential_setting: Option<String>,
}

impl Problem {
    /// With the code's own remedy.
    pub fn new(code: ErrorCode, message: String) -> Self {
        Self {
            code,
            message,
            remedy: None,
            shared: None,
            status: None,
            credential_setting: None,
        }
    }

    /// With a more exact remedy, if there is one.
    pub fn with_remedy(self, remedy: Option<&str>) -> Self {
        Self {
            remedy: remedy.map(str::to_owned),
            ..self
        }
    }

    /// With what of the message is the same for all streams that fail for one reason.
    pub fn sharing(self, shared: Option<String>) -> Self {
        Self { shared, ..self }
    }

    /// With the HTTP status number of the answer that was the problem, if one was.
    pub fn with_status(self, status: Option<u16>) -> Self {
        Self { status, ..self }
    }

    /// With the setting of the credential to renew, if that is what to do.
    pub fn with_credential_setting(self, setting: Option<&str>) -> Self {
        Self {
            credential_setting: setting.map(str::to_owned),
            ..self
        }
    }

    /// The setting of the credential to renew, if that is what to do.
    pub fn credential_setting(&self) -> Option<&str> {
        self.credential_setting.as_deref()
    }

    /// The HTTP status number, where an answer was the problem.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What to do.
    pub fn remedy(&self) -> &str {
        self.remedy.as_deref().unwrap_or_else(|| self.code.remedy())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// At most `limit` bytes of a text, cut between characters, with a mark that says so.
pub fn shortened(text: &str, limit: usize) -> String {
    const MARK: &str = " ...";
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub(MARK.len()));
    format!("{}{MARK}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(shortened("äöü", 6), "äöü");
        assert_eq!(shortened("äöüß", 7), "ä ...");
    }
}
