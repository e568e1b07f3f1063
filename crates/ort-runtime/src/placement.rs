//! Where the nodes of a graph ran, from the profile of its first run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use process::progress;
use serde::Deserialize;

use super::providers::Provider;

/// A graph in more parts than this pays for what is handed over between them.
const FEW_ISLANDS: usize = 3;

/// Where the nodes of an optimised graph ran; empty before its first run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    /// Nodes by the provider that they ran on, in ONNX Runtime's words.
    pub nodes: BTreeMap<String, usize>,
    /// Operators that did not run on the provider that was asked for, and how often each.
    pub elsewhere: BTreeMap<String, usize>,
    /// Stretches of the run, in its order, that the provider was at work without another between.
    pub islands: usize,
}

/// An event of the profile, which is in the order of the run.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    name: String,
    #[serde(default)]
    args: Arguments,
}

#[derive(Deserialize, Default)]
struct Arguments {
    provider: Option<String>,
    op_name: Option<String>,
}

impl Placement {
    /// From a profile in JSON, for the provider that ONNX Runtime calls `asked`.
    ///
    /// # Errors
    /// When it was cut off, as on a full disk, or is no profile.
    pub fn read(profile: &[u8], asked: &str) -> Result<Self, serde_json::Error> {
        let events: Vec<Event> = serde_json::from_slice(profile)?;
        let mut placement = Self::default();
        let mut at_work = false;
        for event in events {
            let Some(provider) = event.args.provider else {
                continue;
            };
            if !event.name.ends_with("_kernel_time") {
                continue;
            }
            let operator = event.args.op_name.unwrap_or_default();
            let here = provider == asked;
            if !here {
                *placement.elsewhere.entry(operator).or_default() += 1;
            } else if !at_work || is_compiled(&operator) {
                placement.islands += 1;
            }
            at_work = here;
            *placement.nodes.entry(provider).or_default() += 1;
        }
        Ok(placement)
    }

    /// What to tell of the graph at `path`, when it was split into more than a few parts.
    fn warning(&self, path: &Path, provider: Provider) -> Option<String> {
        if self.islands == 0 && !self.elsewhere.is_empty() {
            return Some(format!(
                "{provider} took no node of {}: all of it runs on the CPU",
                path.display()
            ));
        }
        if self.islands <= FEW_ISLANDS || self.elsewhere.is_empty() {
            return None;
        }
        let elsewhere: Vec<String> = self
            .elsewhere
            .iter()
            .map(|(operator, nodes)| format!("{nodes} {operator}"))
            .collect();
        Some(format!(
            "{} runs on {provider} in {} parts, with these between them elsewhere: {}; it takes longer than it could, and \
             no result depends on it",
            path.display(),
            self.islands,
            elsewhere.join(", "),
        ))
    }

    /// Tell once for every graph file that was split into more than a few parts.
    pub fn warn(&self, path: &Path, provider: Provider) {
        static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        let Some(warning) = self.warning(path, provider) else {
            return;
        };
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(path.to_owned()) {
            progress::note(warning);
        }
    }
}

/// Providers that compile name what they compiled, with an underscore (`OpenVINOExecutionProvider_OpenVINO-EP-subgraph_1`);
/// no operator of ONNX or ONNX Runtime has one. Each is a part of its own, also next to another.
fn is_compiled(operator: &str) -> bool {
    operator.contains('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: &str = "CPUExecutionProvider";
    const CUDA: &str = "CUDAExecutionProvider";
    const OPENVINO: &str = "OpenVINOExecutionProvider";

    /// A profile of nodes `(operator, provider)`, with the other events that ONNX Runtime writes.
    fn profile(nodes: &[(&str, &str)]) -> Vec<u8> {
        let mut events = vec![
            serde_json::json!({"cat": "Session", "name": "model_loading_uri", "args": {}}),
            serde_json::json!({"cat": "Session", "name": "session_initialization"}),
        ];
        for (operator, provider) in nodes {
            let args = serde_json::json!({"op_name": operator, "provider": provider});
            events.push(
                serde_json::json!({"name": format!("n_{operator}_kernel_time"), "args": args}),
            );
        }
        serde_json::to_vec(&events).unwrap()
    }

    #[test]
    fn nodes_are_counted_where_they_ran() {
        let nodes = [
            ("MatMul", CUDA),
            ("Shape", CPU),
            ("MatMul", CUDA),
            ("Add", CUDA),
        ];
        let placement = Placement::read(&profile(&nodes), CUDA).unwrap();
        assert_eq!(
            placement.nodes,
            BTreeMap::from([(CPU.into(), 1), (CUDA.into(), 3)])
        );
        assert_eq!(placement.elsewhere, BTreeMap::from([("Shape".into(), 1)]));
        assert_eq!(placement.islands, 2);
    }

    #[test]
    fn on_the_cpu_everything_is_one_island() {
        let placement = Placement::read(&profile(&[("MatMul", CPU), ("Add", CPU)]), CPU).unwrap();
        assert_eq!(placement.islands, 1);
        assert_eq!(placement.elsewhere, BTreeMap::new());
        assert_eq!(placement.warning(Path::new("a.onnx"), Provider::Cpu), None);
    }

    #[test]
    fn what_is_compiled_apart_is_an_island_each() {
        let fused = |i: usize| format!("OpenVINOExecutionProvider_OpenVINO-EP-subgraph_{i}");
        let [one, two] = [fused(1), fused(2)];
        let nodes = [(one.as_str(), OPENVINO), (&two, OPENVINO)];
        let placement = Placement::read(&profile(&nodes), OPENVINO).unwrap();
        assert_eq!((placement.islands, placement.nodes[OPENVINO]), (2, 2));
    }

    #[test]
    fn a_graph_in_many_parts_is_told_with_its_operators() {
        let nodes = [("MatMul", CUDA), ("Range", CPU)].repeat(4);
        let warning = |nodes: &[(&str, &str)]| {
            let placement = Placement::read(&profile(nodes), CUDA).unwrap();
            placement.warning(Path::new("d.onnx"), Provider::Cuda)
        };
        assert_eq!(
            warning(&nodes).unwrap(),
            "d.onnx runs on cuda in 4 parts, with these between them elsewhere: 4 Range; it takes longer than it could, \
             and no result depends on it"
        );
        assert_eq!(warning(&nodes[..6]), None);
    }

    #[test]
    fn a_profile_that_was_cut_off_is_not_taken_for_one_without_nodes() {
        let whole = profile(&[("MatMul", CPU), ("Add", CPU)]);
        for cut in 0..whole.len() {
            assert!(Placement::read(&whole[..cut], CPU).is_err(), "{cut}");
        }
        for broken in ["{}", "[1]"] {
            assert!(Placement::read(broken.as_bytes(), CPU).is_err(), "{broken}");
        }
    }
}
