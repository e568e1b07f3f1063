//! Any engine: the job says the share itself.

use foreign::{Words, words};

use super::Engine;
use crate::shard::Shard;

const SHARD: &str = "HARNESS_SHARD";

pub(super) const ENGINE: Engine = Engine {
    variables: &[SHARD],
    shard: |variables| {
        let shard = variables.get(SHARD).map(|text| text.parse::<Shard>());
        shard
            .transpose()
            .map_err(|message: Words| words!("{}: {}", SHARD, message))
    },
};
