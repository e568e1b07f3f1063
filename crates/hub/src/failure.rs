//! Why the hub did not answer, and whether it may yet.

use super::error::HubError;

/// Why an answer did not come.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again is no use.
    Final(HubError),
    /// It may pass.
    Passing {
        cause: String,
        status: Option<u16>,
        /// The hub was not spoken to at all.
        unreachable: bool,
    },
}
