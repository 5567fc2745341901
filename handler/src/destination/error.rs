/// Why a batch was not taken. The rows are kept: the stream's position does not move.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Sending again would bring the same.
    #[error("the Logs Ingestion API answered {status}{code} for {rows} rows of {table}: {remedy}{request}", code = in_brackets(.code), request = request(.request_id))]
    Refused {
        /// Which table.
        table: String,
        /// How many rows.
        rows: usize,
        /// The HTTP status number.
        status: u16,
        /// The service's error code.
        code: Option<String>,
        /// What to do.
        remedy: String,
        /// What support asks for.
        request_id: Option<String>,
    },
    /// No row of a batch was taken, each refused alone: whether the rows are at fault or the stream does not fit its
    /// table is not known, so none of them counts as refused.
    #[error("the Logs Ingestion API took none of {rows} rows of {table} and answered {status}{code}: {remedy}{request}", code = in_brackets(.code), request = request(.request_id))]
    NothingTaken {
        /// Which table.
        table: String,
        /// How many rows.
        rows: usize,
        /// The HTTP status number.
        status: u16,
        /// The service's error code.
        code: Option<String>,
        /// What to do.
        remedy: String,
        /// What support asks for.
        request_id: Option<String>,
    },
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
        matches!(self, Self::NothingTaken { .. })
    }

    /// The same of so many rows in all.
    pub fn of_rows(mut self, count: usize) -> Self {
        match &mut self {
            Self::Refused { rows, .. }
            | Self::NothingTaken { rows, .. }
            | Self::Unavailable { rows, .. }
            | Self::OutOfTime { rows, .. }
            | Self::Identity { rows, .. } => *rows = count,
            Self::Directory { .. } => {}
        }
        self
    }
}

fn in_brackets(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
}

fn request(id: &Option<String>) -> String {
    id.as_ref()
        .map(|id| format!(" [x-ms-request-id {id}]"))
        .unwrap_or_default()
}

fn last_try(what: &Option<String>) -> String {
    what.as_ref()
        .map(|what| format!("; the last try {what}"))
        .unwrap_or_default()
}
