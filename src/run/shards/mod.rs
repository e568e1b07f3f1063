//! Shares of a run, computed apart and put together: which items a share has, where it writes, and how a run takes what its
//! shares finished.
//!
//! A process that computes a share writes into a folder of its own, `shards/3-of-16/<attempt>`, which no other process writes
//! to: no lock is needed, and a second copy of a task does no harm. What an attempt finished is known from its journal, as in
//! a run.

mod attempt;
mod host;
mod join;
mod share;
pub mod status;

pub(super) use attempt::{
    Attempt, Header, How, Own, Taken, attempts, check_count, has_others, now,
};
pub(super) use host::Host;
pub(super) use join::{check_alike, take};
pub(super) use share::{Share, Work};

/// The folder of a run's shares, in its folder.
pub(super) const SHARDS: &str = "shards";
