//! What the program's own wheel brought into its Python environment: several wheels of ONNX Runtime fill one folder there.

use std::fs;
use std::path::{Path, PathBuf};

use ort_runtime::elsewhere::Elsewhere;
use ort_runtime::library::{Library, Origin, Places};
use ort_runtime::providers::Provider;

use crate::machine::{Machine, good_installer, library_name, linked};

/// The packages of the environment that the program is in.
struct Packages(PathBuf);

impl Packages {
    fn new(machine: &Machine) -> Self {
        Self(
            machine
                .root
                .path()
                .join("venv/lib/python3.12/site-packages"),
        )
    }

    fn capi(&self) -> PathBuf {
        self.0.join("onnxruntime/capi")
    }

    /// Put a wheel there over what is there, with its record. Files of two wheels differ in their sizes.
    fn install(&self, wheel: &str, version: &str, providers: &[&str]) {
        let capi = self.capi();
        fs::create_dir_all(&capi).unwrap();
        let own = providers
            .iter()
            .map(|it| format!("libonnxruntime_providers_{it}.so"));
        let names = [format!("libonnxruntime.so.{version}")]
            .into_iter()
            .chain(own);
        let mut record = String::new();
        for name in names {
            let content = linked(&["libc.so.6", "libcudart.so.13", wheel]);
            record += &format!("onnxruntime/capi/{name},sha256=x,{}\n", content.len());
            fs::write(capi.join(name), content).unwrap();
        }
        let info = self.0.join(format!("{wheel}-{version}.dist-info"));
        fs::create_dir_all(&info).unwrap();
        fs::write(info.join("RECORD"), record).unwrap();
    }

    fn places(&self, machine: &Machine) -> Places {
        Places {
            elsewhere: Elsewhere {
                with_program: vec![self.0.clone()],
                ..Elsewhere::default()
            },
            ..machine.places()
        }
    }
}

fn name(library: &Library) -> &str {
    library.path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn the_cpu_s_library_of_the_program_s_own_environment_is_used_and_nothing_is_installed() {
    let machine = Machine::new();
    let packages = Packages::new(&machine);
    packages.install("onnxruntime", "1.31.1", &[]);
    let places = packages.places(&machine);
    let library = places.find_or_install(Provider::Cpu, true).unwrap();
    assert_eq!(library.origin, Origin::Python);
    assert_eq!(library.version, "1.31.1");
    assert_eq!(library.path, packages.capi().join(library_name()));
    assert_eq!(library.sha256, None);
    assert!(library.before.is_empty());
    assert!(machine.calls().is_empty() && machine.installed().is_empty());
    // The harness's own is asked for.
    assert_eq!(places.own().find(Provider::Cpu).unwrap(), None);
}

#[test]
fn an_environment_that_is_only_active_does_not_change_the_cpu_s_library() {
    let machine = Machine::new();
    let packages = Packages::new(&machine);
    packages.install("onnxruntime", "1.31.1", &["openvino"]);
    let places = Places {
        elsewhere: Elsewhere {
            environments: vec![machine.root.path().join("venv")],
            ..Elsewhere::default()
        },
        ..machine.places()
    };
    for provider in [Provider::Cpu, Provider::OpenVino] {
        assert_eq!(places.find(provider).unwrap(), None);
    }
}

#[test]
fn of_several_versions_the_pinned_one_counts_then_the_newest() {
    let machine = Machine::new();
    let packages = Packages::new(&machine);
    let places = packages.places(&machine);
    let found = || places.find(Provider::Cpu).unwrap().unwrap().version;
    packages.install("onnxruntime_openvino", "1.24.1", &["openvino"]);
    assert_eq!(found(), "1.24.1");
    packages.install("onnxruntime", "1.99.0", &[]);
    assert_eq!(found(), "1.99.0");
    packages.install("onnxruntime_gpu", "1.31.1", &["cuda"]);
    assert_eq!(found(), "1.31.1");
}

#[test]
fn the_cache_goes_before_the_environment() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let packages = Packages::new(&machine);
    packages.install("onnxruntime", "1.31.1", &[]);
    let places = packages.places(&machine);
    let own = places.clone().own();
    let installed = own.find_or_install(Provider::Cpu, false).unwrap();
    let found = places.find(Provider::Cpu).unwrap().unwrap();
    assert_eq!(
        (found.origin, &found.path),
        (Origin::Cache, &installed.path)
    );
    // Of a damaged cache nobody needs to know who has another library.
    fs::write(&installed.path, "cut").unwrap();
    let found = places.find_or_install(Provider::Cpu, true).unwrap();
    assert_eq!(found.origin, Origin::Python);
}

#[test]
fn one_that_is_too_old_or_not_there_is_told_with_what_to_install_where() {
    let machine = Machine::new();
    machine.program("python3", &good_installer());
    let packages = Packages::new(&machine);
    let places = packages.places(&machine);
    let offline = || {
        let error = places.find_or_install(Provider::Cpu, true).unwrap_err();
        error.to_string()
    };
    let advice = format!("install onnxruntime==1.31.1 into {}", packages.0.display());
    let message = offline();
    assert!(message.contains(&advice), "{message}");
    assert!(!message.contains("not used"), "{message}");

    packages.install("onnxruntime", "1.23.2", &[]);
    let message = offline();
    let old = packages.capi().join("libonnxruntime.so.1.23.2");
    for part in [
        advice.as_str(),
        &format!("found and not used: {}", old.display()),
        "it is ONNX Runtime 1.23.2, and 1.24 or newer is needed",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(!message.contains('\n'), "{message}");
    // With a network, what is needed is installed beside.
    let library = places.find_or_install(Provider::Cpu, false).unwrap();
    assert_eq!(library.origin, Origin::Installed);
}

#[test]
fn each_provider_gets_the_library_that_came_with_it() {
    let machine = Machine::new();
    let packages = Packages::new(&machine);
    packages.install("onnxruntime", "1.31.1", &[]);
    let places = packages.places(&machine);
    assert_eq!(places.find(Provider::OpenVino).unwrap(), None);
    packages.install("onnxruntime_openvino", "1.24.1", &["openvino"]);
    let of = |provider| places.find(provider).unwrap().unwrap();
    let openvino = of(Provider::OpenVino);
    assert_eq!(name(&openvino), "libonnxruntime.so.1.24.1");
    assert_eq!(
        (openvino.origin, openvino.version.as_str()),
        (Origin::Python, "1.24.1")
    );
    assert_eq!(name(&of(Provider::Cpu)), library_name());
}

/// What of CUDA's provider is passed over, and whether it is found.
fn cuda(places: &Places) -> (Vec<String>, Option<PathBuf>) {
    let inventory = places.inventory(Provider::Cuda).unwrap().unwrap();
    let told = inventory.passed_over.iter().map(|(_, why)| why.clone());
    (told.collect(), inventory.main.map(|main| main.path))
}

#[test]
fn a_library_that_another_wheel_replaced_does_not_go_with_the_provider_beside_it() {
    let machine = Machine::new();
    let packages = Packages::new(&machine);
    let places = packages.places(&machine);
    let main = packages.capi().join("libonnxruntime.so.1.31.1");
    packages.install("onnxruntime", "1.31.1", &[]);
    assert_eq!(cuda(&places), (vec![], None));
    packages.install("onnxruntime_gpu", "1.31.1", &["cuda"]);
    assert_eq!(cuda(&places), (vec![], Some(main.clone())));
    assert!(places.find(Provider::Cpu).unwrap().is_some());

    packages.install("onnxruntime", "1.31.1", &[]);
    let replaced = |places| match cuda(places) {
        (told, None) => told.join("\n"),
        (_, Some(path)) => panic!("{path:?} is used"),
    };
    let advice = "`pip install --force-reinstall --no-deps onnxruntime-gpu==1.31.1`";
    let told = replaced(&places);
    assert!(told.contains(advice), "{told}");
    assert!(places.find(Provider::Cpu).unwrap().is_some());
    // As `pip uninstall onnxruntime` leaves it.
    fs::remove_file(&main).unwrap();
    let told = replaced(&places);
    assert!(told.contains(advice), "{told}");
    assert_eq!(places.find(Provider::Cpu).unwrap(), None);

    // Another version leaves the provider's own where it was.
    packages.install("onnxruntime_gpu", "1.31.1", &["cuda"]);
    packages.install("onnxruntime", "1.32.0", &[]);
    assert_eq!(cuda(&places), (vec![], Some(main)));
}

#[test]
fn what_is_no_library_of_this_machine_is_passed_over() {
    let machine = Machine::new();
    let packages = Packages::new(&machine);
    packages.install("onnxruntime", "1.31.1", &[]);
    let path = packages.capi().join(library_name());
    let whole = fs::read(&path).unwrap();
    let message = |content: &[u8], path: &Path| {
        fs::write(path, content).unwrap();
        let places = packages.places(&machine);
        let error = places.find_or_install(Provider::Cpu, true).unwrap_err();
        error.to_string()
    };
    let cut = message(&whole[..whole.len() / 2], &path);
    assert!(cut.contains("it is cut off or damaged"), "{cut}");
    let text = message(b"#!/bin/sh", &path);
    assert!(text.contains("it is not a shared library"), "{text}");
}
