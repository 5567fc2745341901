/// What the service said of rows that it does not take.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which table.
    pub table: String,
    /// How many rows.
    pub rows: usize,
    /// The HTTP status number.
    pub status: u16,
    /// The service's error code.
    pub code: Option<String>,
    /// What to do.
    pub remedy: String,
    /// What support asks for.
    pub request_id: Option<String>,
}

/// What the service did in place of an answer about the rows.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub struct CallFailure {
    /// With the status number if there was one, to follow the name of the service.
    pub what: String,
    /// Why, where that is known, and what to do.
    pub advice: String,
}

/// Why a batch was not taken. The rows are kept: the stream's position does not move.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Sending again would bring the same.
    #[error("the Logs Ingestion API answered {} for {} rows of {}: {}", .0.answer(), .0.rows, .0.table, .0.advice())]
    Refused(Refusal),
    /// No row of a batch was taken, each refused alone: whether the rows are at fault or the stream does not fit its
    /// table is not known, so none of them counts as refused.
    #[error("the Logs Ingestion API took none of {} rows of {} and answered {}: {}", .0.rows, .0.table, .0.answer(), .0.advice())]
    NothingTaken(Refusal),
    /// The tries are used up, or the time allowed ended after one that failed.
    #[error("the Logs Ingestion API {failure} for {rows} rows of {table}{tried}: {}. The rows are kept", .failure.advice, tried = times(*.tries))]
    Unavailable {
        /// Which table.
        table: String,
        /// How many rows.
        rows: usize,
        /// What the last try brought.
        failure: CallFailure,
        /// How often; 0 where the pause that another call was told to make left no time for this one.
        tries: u32,
    },
    /// The time allowed ended before the first try.
    #[error("{rows} rows of {table} were not taken in the time allowed{last}", last = last_try(.last))]
    OutOfTime {
        /// Which table.
        table: String,
        /// How many rows.
        rows: usize,
        /// What the last try brought.
        last: Option<String>,
    },
    /// No token.
    #[error("{rows} rows of {table} were not sent: {reason}")]
    Identity {
        /// Which table.
        table: String,
        /// How many rows.
        rows: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The local directory.
    #[error("{file} cannot be written ({reason}); check DESTINATION_DIR and the space on its disk")]
    Directory {
        /// The file.
        file: String,
        /// The system's error text.
        reason: String,
    },
}

/// Why a probe shows no table that takes rows.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProbeError {
    /// What is wrong and what to do.
    #[error("{0}")]
    Failed(String),
    /// What is wrong and what to do; the rule, or its stream of the table, is not there.
    #[error("{0}")]
    NoStream(String),
    /// There is no token for this audience, so that nothing is known of the table.
    #[error("not tried, because there is no access token for {0}")]
    NoToken(String),
}

impl DeliveryError {
    /// True if another row of the table that is taken would show that the rows are at fault, and not the stream.
    pub fn is_about_rows_or_stream(&self) -> bool {
        matches!(self, Self::NothingTaken(_))
    }

    /// The same of so many rows in all.
    pub fn of_rows(mut self, count: usize) -> Self {
        match &mut self {
            Self::Refused(Refusal { rows, .. })
            | Self::NothingTaken(Refusal { rows, .. })
            | Self::Unavailable { rows, .. }
            | Self::OutOfTime { rows, .. }
            | Self::Identity { rows, .. } => *rows = count,
            Self::Directory { .. } => {}
        }
        self
    }
}

impl Refusal {
    fn answer(&self) -> String {
        let code = self.code.as_ref().map(|code| format!(" ({code})"));
        format!("{}{}", self.status, code.unwrap_or_default())
    }

    fn advice(&self) -> String {
        let request = self.request_id.as_ref().map(|id| format!(" [x-ms-request-id {id}]"));
        format!("{}{}", self.remedy, request.unwrap_or_default())
    }
}

fn times(tries: u32) -> String {
    match tries {
        0 => String::new(),
        1 => " (tried once)".to_owned(),
        tries => format!(" (tried {tries} times)"),
    }
}

fn last_try(what: &Option<String>) -> String {
    what.as_ref()
        .map(|what| format!("; the last try {what}"))
        .unwrap_or_default()
}
