//! What is installed into the cache, once, and what may go wrong with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ort_runtime::library::{LibraryError, Origin, Places};
use ort_runtime::providers::Provider;

use crate::machine::{
    AARCH64, Machine, OTHER, elf, good_installer, installer_of, library_name, own_elf,
};

fn failure(machine: &Machine) -> String {
    let error = machine.places().find_or_install(Provider::Cpu, false);
    error.unwrap_err().to_string()
}

#[test]
fn installs_once_and_finds_it_ever_after() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let places = machine.places();
    assert!(places.find(Provider::Cpu).unwrap().is_none());

    let first = places.find_or_install(Provider::Cpu, false).unwrap();
    assert_eq!(first.origin, Origin::Installed);
    assert_eq!(first.version, Provider::Cpu.package().version);
    assert_eq!(fs::read(&first.path).unwrap(), b"library");
    assert_eq!(
        first.sha256.as_deref(),
        Some(files::sha256_bytes(b"library").as_str())
    );
    let folder = first.path.parent().unwrap();
    assert!(folder.join("libonnxruntime_providers_shared.so").is_file());
    assert!(!folder.join("onnxruntime_pybind11_state.so").exists());
    assert!(!folder.join("__init__.py").exists());

    // Offline too: the cache is enough.
    let second = places.find_or_install(Provider::Cpu, true).unwrap();
    assert_eq!(second.origin, Origin::Cache);
    assert_eq!(second.path, first.path);
    assert_eq!(machine.calls().len(), 1);
    assert_eq!(machine.installed().len(), 1, "no temporary folder stays");
}

#[test]
fn the_installer_gets_the_pinned_version_with_its_hash_and_no_dependencies() {
    let machine = Machine::new();
    let copy = machine.root.path().join("requirements");
    machine.program(
        "python3",
        &format!(
            "cp \"$requirements\" '{}' && {}",
            copy.display(),
            good_installer()
        ),
    );
    machine
        .places()
        .find_or_install(Provider::Cpu, false)
        .unwrap();
    let call = &machine.calls()[0];
    for part in [
        "-m pip install",
        "--no-deps",
        "--require-hashes",
        "--python-version 3.12",
    ] {
        assert!(call.contains(part), "{part} in {call}");
    }
    let package = Provider::Cpu.package();
    let expected = format!(
        "{}=={} --hash=sha256:{}\n",
        package.name,
        package.version,
        package.wheel().unwrap().sha256
    );
    assert_eq!(fs::read_to_string(copy).unwrap(), expected);
}

#[test]
fn eight_at_once_install_once() {
    let machine = Machine::new();
    machine.program("python3", &format!("sleep 0.3; {}", good_installer()));
    let found: Vec<_> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    machine
                        .places()
                        .find_or_install(Provider::Cpu, false)
                        .unwrap()
                })
            })
            .collect();
        jobs.into_iter().map(|j| j.join().unwrap()).collect()
    });
    assert_eq!(machine.calls().len(), 1);
    let installed = found
        .iter()
        .filter(|l| l.origin == Origin::Installed)
        .count();
    assert_eq!(installed, 1);
    assert!(found.iter().all(|l| l.path == found[0].path));
}

#[test]
fn what_a_killed_installation_left_is_cleared_away() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let left = machine
        .root
        .path()
        .join("cache/onnxruntime/.part-harness-killed");
    fs::create_dir_all(left.join("wheel/onnxruntime/capi")).unwrap();
    fs::write(
        left.join("wheel/onnxruntime/capi").join(library_name()),
        "hal",
    )
    .unwrap();

    let places = machine.places();
    assert!(places.find(Provider::Cpu).unwrap().is_none());
    let library = places.find_or_install(Provider::Cpu, false).unwrap();
    assert_eq!(fs::read(library.path).unwrap(), b"library");
    assert!(!left.exists());
    assert_eq!(machine.installed().len(), 1);
}

#[test]
fn a_damaged_cache_is_noticed_and_replaced() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let places = machine.places();
    let library = places.find_or_install(Provider::Cpu, false).unwrap();
    fs::write(&library.path, b"lib").unwrap();

    let error = places.find(Provider::Cpu).unwrap_err();
    assert!(matches!(error, LibraryError::Damaged { .. }));
    let offline = places.find_or_install(Provider::Cpu, true).unwrap_err();
    let message = offline.to_string();
    assert!(message.contains(library_name()), "{message}");
    assert!(message.contains("harness setup"), "{message}");

    let again = places.find_or_install(Provider::Cpu, false).unwrap();
    assert_eq!(again.origin, Origin::Installed);
    assert_eq!(fs::read(again.path).unwrap(), b"library");
    assert_eq!(machine.installed().len(), 1);
}

#[test]
fn offline_never_starts_the_installer_and_names_the_command() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let error = machine
        .places()
        .find_or_install(Provider::Cpu, true)
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("`harness setup`"), "{message}");
    assert!(machine.calls().is_empty());
    assert!(machine.installed().is_empty());
    assert_eq!(
        Provider::OpenVino.setup_command(),
        "harness setup --ep openvino"
    );
}

#[test]
fn the_environment_goes_first_and_must_name_a_file() {
    let machine = Machine::new();
    let own = machine.root.path().join("libonnxruntime.so");
    let mut places = machine.places();
    places.ort_dylib_path = Some(own.clone().into_os_string());
    let message = places.find(Provider::Cpu).unwrap_err().to_string();
    assert!(message.contains("ORT_DYLIB_PATH") && message.contains(&own.display().to_string()));
    assert!(places.find_or_install(Provider::Cpu, false).is_err());

    fs::write(&own, own_elf()).unwrap();
    let library = places.find_or_install(Provider::Cuda, true).unwrap();
    assert_eq!(library.path, own);
    assert_eq!(library.origin, Origin::Environment);
    assert!(library.version.contains("unknown"));
    assert!(
        library.before.is_empty(),
        "there is nothing that it may need"
    );
}

#[test]
fn a_library_of_another_machine_or_none_is_told_before_it_is_opened() {
    let machine = Machine::new();
    let own = machine.root.path().join("libonnxruntime.so");
    let mut places = machine.places();
    places.ort_dylib_path = Some(own.clone().into_os_string());
    let refused = |content: &[u8], words: &[&str]| {
        fs::write(&own, content).unwrap();
        let message = places.find(Provider::Cpu).unwrap_err().to_string();
        for word in words.iter().chain(&["unset ORT_DYLIB_PATH", &*path(&own)]) {
            assert!(message.contains(word), "{word} in {message}");
        }
    };
    let other = if OTHER == AARCH64 {
        "aarch64"
    } else {
        "x86_64"
    };
    let here = std::env::consts::ARCH;
    refused(
        &elf(OTHER),
        &[
            &format!("built for Linux on {other}"),
            "this machine is",
            here,
        ],
    );
    refused(b"MZ", &["not a shared library"]);
    refused(b"", &["not a shared library"]);
    refused(b"#!/bin/sh\n", &["not a shared library"]);
}

#[test]
fn a_cached_library_of_another_machine_is_replaced() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let places = machine.places();
    let library = places.find_or_install(Provider::Cpu, false).unwrap();
    // As a home folder shared by two kinds of machines would have it, with a record that fits.
    let folder = library.path.parent().unwrap();
    fs::write(&library.path, elf(OTHER)).unwrap();
    let record = fs::read_to_string(folder.join("library.json")).unwrap();
    let record = record.replace("\"bytes\": 7", "\"bytes\": 64");
    fs::write(folder.join("library.json"), record).unwrap();
    let error = places.find(Provider::Cpu).unwrap_err();
    assert!(matches!(error, LibraryError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("this machine is"), "{error}");
    let again = places.find_or_install(Provider::Cpu, false).unwrap();
    assert_eq!(fs::read(again.path).unwrap(), b"library");
    assert_eq!(machine.calls().len(), 2);
}

#[test]
fn what_a_provider_needs_beside_it_is_installed_once_for_both_that_need_it() {
    if Provider::Cuda.wheel().is_none() {
        return;
    }
    let machine = Machine::new();
    machine.program("python3", &installer_of(Provider::Cuda));
    let places = machine.places();
    let packages = 1 + Provider::Cuda.entry().beside.len();
    let all: u64 = Provider::Cuda
        .entry()
        .beside
        .iter()
        .map(|p| p.wheel().unwrap().bytes)
        .sum();
    let own = Provider::Cuda.wheel().unwrap().bytes;
    let to_download = |provider| {
        let inventory = places.inventory(provider).unwrap().unwrap();
        inventory.to_download(provider)
    };
    assert_eq!(to_download(Provider::Cuda), own + all);

    let library = places.find_or_install(Provider::Cuda, false).unwrap();
    assert_eq!(machine.calls().len(), packages);
    assert_eq!(machine.installed().len(), packages);
    assert_eq!(to_download(Provider::TensorRt), 0);
    let before: Vec<&str> = library
        .before
        .iter()
        .map(|found| found.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert!(
        library
            .before
            .iter()
            .all(|found| found.path.is_absolute() && found.path.is_file())
    );
    assert!(before[0].contains("cudart"), "{before:?}");
    assert!(before.last().unwrap().contains("cudnn"), "{before:?}");
    // cuBLAS is two libraries.
    assert_eq!(before.len(), packages);

    let second = places.find_or_install(Provider::TensorRt, true).unwrap();
    assert_eq!(second.origin, Origin::Cache);
    assert_eq!((second.path, second.before), (library.path, library.before));
}

#[test]
fn half_an_installation_is_told_and_only_the_missing_half_is_installed() {
    if Provider::Cuda.wheel().is_none() {
        return;
    }
    let machine = Machine::new();
    machine.program("python3", &installer_of(Provider::Cuda));
    let places = machine.places();
    let library = places.find_or_install(Provider::Cuda, false).unwrap();
    let calls = machine.calls().len();

    // A package that never came.
    let cudnn = &library.before.last().unwrap().path;
    fs::remove_dir_all(cudnn.parent().unwrap()).unwrap();
    assert!(places.find(Provider::Cuda).unwrap().is_none());
    let offline = places.find_or_install(Provider::Cuda, true).unwrap_err();
    let message = offline.to_string();
    for part in ["nvidia-cudnn-cu13", "harness setup --ep cuda"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(!message.contains("onnxruntime-gpu"), "{message}");
    places.find_or_install(Provider::Cuda, false).unwrap();
    assert_eq!(machine.calls().len(), calls + 1);

    // One of the wrong size, and one that is gone from its folder.
    for damage in [
        &(|p: &Path| fs::write(p, "x")) as &dyn Fn(&Path) -> std::io::Result<()>,
        &|p| fs::remove_file(p),
    ] {
        let calls = machine.calls().len();
        damage(&library.before[0].path).unwrap();
        let error = places.find(Provider::Cuda).unwrap_err();
        assert!(matches!(error, LibraryError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("cudart"), "{error}");
        let again = places.find_or_install(Provider::Cuda, false).unwrap();
        assert_eq!(again.origin, Origin::Installed);
        assert_eq!(again.before, library.before);
        assert_eq!(machine.calls().len(), calls + 1);
    }
}

#[test]
fn without_pip_uv_does_it() {
    let machine = Machine::new();
    machine.program(
        "python3",
        "echo '/usr/bin/python3: No module named pip' >&2; exit 1",
    );
    machine.program("uv", &good_installer());
    let library = machine
        .places()
        .find_or_install(Provider::Cpu, false)
        .unwrap();
    assert_eq!(fs::read(library.path).unwrap(), b"library");
    let calls = machine.calls();
    assert!(calls[1].starts_with("uv pip install"), "{calls:?}");
    assert!(calls[1].contains("--require-hashes"), "{calls:?}");
}

#[test]
fn a_machine_without_python_and_uv_is_told_what_to_install() {
    let machine = Machine::new();
    let message = failure(&machine);
    for part in [
        "`python3` was not found",
        "`uv` was not found",
        "pip",
        "ORT_DYLIB_PATH",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    machine.program("python3", "echo 'No module named pip' >&2; exit 1");
    let message = failure(&machine);
    assert!(message.contains("`python3` has no pip"), "{message}");
    assert!(machine.installed().is_empty());
}

#[test]
fn each_failure_of_the_installer_names_its_way_out() {
    let cases = [
        (
            "ERROR: No matching distribution found for onnxruntime==1.31.1",
            "check the network",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "another file than the pinned one",
        ),
        ("Segmentation fault", "the installer failed"),
    ];
    for (said, advice) in cases {
        let machine = Machine::new();
        machine.program("python3", &format!("echo '{said}' >&2; exit 1"));
        let message = failure(&machine);
        assert!(message.contains(advice), "{advice} in {message}");
        assert!(
            message.contains(said),
            "the installer's own words in {message}"
        );
        assert!(machine.installed().is_empty());
    }
}

#[test]
fn a_wheel_without_the_library_is_refused() {
    let machine = Machine::new();
    machine.program(
        "python3",
        "mkdir -p \"$target/onnxruntime/capi\" && printf x > \"$target/onnxruntime/capi/other.so\"",
    );
    let message = failure(&machine);
    assert!(message.contains(library_name()), "{message}");
    assert!(machine.installed().is_empty());
}

#[test]
fn a_cache_that_cannot_be_made_is_named() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let mut places = machine.places();
    let file = machine.root.path().join("file");
    fs::write(&file, "").unwrap();
    places.cache = file.join("cache");
    let error = places.find_or_install(Provider::Cpu, false).unwrap_err();
    assert!(error.to_string().contains(&*path(&file)), "{error}");
    assert!(machine.calls().is_empty());
}

fn path(p: &Path) -> std::borrow::Cow<'_, str> {
    p.to_string_lossy()
}

/// The test starts itself as a second process, and kills that one.
#[test]
fn a_process_killed_while_installing_costs_nothing_but_the_time() {
    const ROLE: &str = "HARNESS_TEST_KILLED_INSTALLER";
    if let Some(root) = std::env::var_os(ROLE) {
        let root = PathBuf::from(root);
        let places = Places {
            ort_dylib_path: None,
            cache: root.join("cache"),
            search_path: Some(root.join("bin").into_os_string()),
            elsewhere: Default::default(),
        };
        places.find_or_install(Provider::Cpu, false).unwrap();
        return;
    }
    let machine = Machine::new();
    // Half a library, then a long wait.
    machine.program("python3", &format!("{}; exec sleep 20", good_installer()));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "cache::a_process_killed_while_installing_costs_nothing_but_the_time",
        ])
        .env(ROLE, machine.root.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let give_up = Instant::now() + Duration::from_secs(30);
    while machine.calls().is_empty() {
        assert!(Instant::now() < give_up, "it never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(machine.places().find(Provider::Cpu).unwrap().is_none());
    assert_eq!(machine.installed().len(), 1, "its temporary folder");

    machine.program("python3", &good_installer());
    let library = machine
        .places()
        .find_or_install(Provider::Cpu, false)
        .unwrap();
    assert_eq!(library.origin, Origin::Installed);
    assert_eq!(machine.installed().len(), 1, "the library's folder");
}
