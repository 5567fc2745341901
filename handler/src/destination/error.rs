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
    /// Tries are used up.
    #[error(
        "the Logs Ingestion API {what} for {rows} rows of {table}; tries so far: {tries}; the rows are read and sent again by the next run"
    )]
    Unavailable {
        /// Which table.
        table: String,
        /// How many rows.
        rows: usize,
        /// What it did, with the status number if there was one.
        what: String,
        /// How often.
        tries: u32,
    },
    /// The time allowed is over.
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

fn last_try(what: &Option<String>) -> String {
    what.as_ref()
        .map(|what| format!("; the last try {what}"))
        .unwrap_or_default()
}
