//! How many threads compute, and whether they wait by spinning.
//!
//! One thread a physical core: the matrix products of a graph keep a core's vector units busy, and a second thread of the
//! same core only waits for them. Logical processors that the process may not use (its affinity, a container's quota) do
//! not count. The priority of the process is left as it is: `nice harness ...` lowers that of all its threads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sysinfo::System;

/// Threads by default: the physical cores that this process may use, at least 1.
pub fn cores() -> usize {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    let physical = match cfg!(target_os = "linux") {
        true => allowed_cores(
            Path::new("/proc/self/status"),
            Path::new("/sys/devices/system/cpu"),
        ),
        false => System::physical_core_count(),
    };
    physical.map_or(allowed, |physical| physical.clamp(1, allowed))
}

/// Whether `threads` of this process and what else runs now want more processors than the machine has.
///
/// ONNX Runtime's threads wait for their next operator in a loop, which saves microseconds at each, and takes the
/// processor from whoever else wants it meanwhile. So they sleep when the machine is shared.
pub fn shared(threads: usize) -> bool {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let load = match cfg!(target_os = "linux") {
        true => fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| others(&text)),
        false => Some(System::load_average().one),
    };
    load.is_some_and(|load| is_crowded(load, threads, processors))
}

/// A load of a quarter comes and goes on any machine.
const NO_LOAD: f64 = 0.25;

fn is_crowded(load: f64, threads: usize, processors: usize) -> bool {
    load > NO_LOAD && load + threads as f64 > processors as f64 + NO_LOAD
}

/// Threads other than the one that asks which want to run, from `/proc/loadavg`: those of now or of the last minute,
/// whichever are fewer. What ran a minute ago may have ended, such as another run of this program; what runs now may be
/// gone in a moment.
fn others(loadavg: &str) -> Option<f64> {
    let mut fields = loadavg.split_whitespace();
    let of_a_minute: f64 = fields.next()?.parse().ok()?;
    let (running, _) = fields.nth(2)?.split_once('/')?;
    let running: f64 = running.parse().ok()?;
    Some(of_a_minute.min(running - 1.0))
}

/// Physical cores among the processors that `status` (`/proc/self/status`) allows, by the topology under `cpus`; `None`
/// where the system does not tell.
fn allowed_cores(status: &Path, cpus: &Path) -> Option<usize> {
    let status = fs::read_to_string(status).ok()?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut cores = BTreeSet::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        for cpu in first..=last {
            // The processors of a core, the same text in the folder of each; older kernels use the second name.
            let topology = cpus.join(format!("cpu{cpu}")).join("topology");
            let siblings = ["core_cpus_list", "thread_siblings_list"]
                .iter()
                .find_map(|name| fs::read_to_string(topology.join(name)).ok());
            // One that is switched off has no topology.
            cores.extend(siblings);
        }
    }
    match cores.len() {
        0 => None,
        cores => Some(cores),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine whose processors are those of the given cores, and a process that may use `allowed`.
    fn machine(name: &str, cores: &[&[u32]], allowed: &str) -> Option<usize> {
        let folder = tempfile::tempdir().unwrap();
        let status = folder.path().join("status");
        let text = format!("Name:\tharness\nCpus_allowed:\tff\nCpus_allowed_list:\t{allowed}\n");
        fs::write(&status, text).unwrap();
        for siblings in cores {
            let list: Vec<String> = siblings.iter().map(u32::to_string).collect();
            for cpu in *siblings {
                let topology = folder.path().join(format!("cpu{cpu}/topology"));
                fs::create_dir_all(&topology).unwrap();
                fs::write(topology.join(name), list.join(",") + "\n").unwrap();
            }
        }
        allowed_cores(&status, folder.path())
    }

    const FOUR_CORES: [&[u32]; 4] = [&[0, 4], &[1, 5], &[2, 6], &[3, 7]];

    #[test]
    fn two_processors_of_a_core_count_once() {
        assert_eq!(machine("core_cpus_list", &FOUR_CORES, "0-7"), Some(4));
        assert_eq!(machine("thread_siblings_list", &FOUR_CORES, "0-7"), Some(4));
        let plain: [&[u32]; 2] = [&[0], &[1]];
        assert_eq!(machine("core_cpus_list", &plain, "0-1"), Some(2));
    }

    #[test]
    fn only_processors_that_the_process_may_use_count() {
        assert_eq!(machine("core_cpus_list", &FOUR_CORES, "0,4"), Some(1));
        assert_eq!(machine("core_cpus_list", &FOUR_CORES, "0-1,6"), Some(3));
        // Allowed to use more than there are, as on most Linux machines.
        assert_eq!(machine("core_cpus_list", &FOUR_CORES, "0-63"), Some(4));
    }

    #[test]
    fn a_system_that_does_not_tell_is_not_guessed_at() {
        assert_eq!(machine("core_cpus_list", &[], "0-7"), None);
        assert_eq!(machine("core_cpus_list", &FOUR_CORES, "all"), None);
        let nowhere = Path::new("no such folder");
        assert_eq!(allowed_cores(nowhere, nowhere), None);
    }

    #[test]
    fn this_machine_has_cores() {
        let processors = std::thread::available_parallelism().unwrap().get();
        assert!((1..=processors).contains(&cores()));
    }

    #[test]
    fn others_are_those_that_run_and_ran() {
        assert_eq!(others("3.00 1.0 0.5 3/85 6928\n"), Some(2.0));
        // A run of this program that has ended.
        assert_eq!(others("2.00 1.0 0.5 1/85 6928\n"), Some(0.0));
        assert_eq!(others("0.10 1.0 0.5 5/85 6928\n"), Some(0.1));
        assert_eq!(others("0.10 1.0"), None);
        assert_eq!(others(""), None);
    }

    #[test]
    fn a_machine_is_shared_when_it_has_too_few_processors_for_all() {
        assert!(!is_crowded(0.2, 2, 2));
        assert!(is_crowded(1.0, 2, 2));
        assert!(!is_crowded(1.0, 1, 2));
        assert!(!is_crowded(4.0, 4, 8));
        assert!(is_crowded(5.0, 4, 8));
    }
}
