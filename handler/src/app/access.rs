//! What a process may do outside of itself.

/// Whether state and rows may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For everything that runs.
    ReadWrite,
    /// For the status: nothing is made, repaired or written, and no secret is needed or asked for.
    ReadOnly,
}
