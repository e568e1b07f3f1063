//! HyperQueue: the tasks of an array are counted from 0, and none is told of how many.

use super::{Engine, of_count};

const TASK: &str = "HQ_TASK_ID";

pub(super) const ENGINE: Engine = Engine {
    variables: &[TASK],
    shard: |variables| of_count(variables, TASK, 0),
};
