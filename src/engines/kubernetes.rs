//! An Indexed Job of Kubernetes: its pods are counted from 0, and none is told of how many.

use super::{Engine, of_count};

const INDEX: &str = "JOB_COMPLETION_INDEX";

pub(super) const ENGINE: Engine = Engine {
    variables: &[INDEX],
    shard: |variables| of_count(variables, INDEX, 0),
};
