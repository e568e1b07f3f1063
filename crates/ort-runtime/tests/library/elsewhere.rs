//! What others installed, and the harness uses: where the loader looks, and Python environments.

use std::fs;
use std::path::{Path, PathBuf};

use ort_runtime::elsewhere::Elsewhere;
use ort_runtime::library::{Found, Library, Origin, Places};
use ort_runtime::providers::Provider;

use crate::machine::{Machine, installer_of, linked};

/// What the pinned ONNX Runtime opens, as PyTorch for CUDA 13 brings it.
const CUDA_13: [&str; 8] = [
    "cu13/lib/libcudart.so.13",
    "cu13/lib/libnvJitLink.so.13",
    "cu13/lib/libnvrtc.so.13",
    "cu13/lib/libcublasLt.so.13",
    "cu13/lib/libcublas.so.13",
    "cu13/lib/libcurand.so.10",
    "cu13/lib/libcufft.so.12",
    "cudnn/lib/libcudnn.so.9",
];

/// The same as PyTorch for CUDA 12 brings it.
const CUDA_12: [&str; 8] = [
    "cuda_runtime/lib/libcudart.so.12",
    "nvjitlink/lib/libnvJitLink.so.12",
    "cuda_nvrtc/lib/libnvrtc.so.12",
    "cublas/lib/libcublasLt.so.12",
    "cublas/lib/libcublas.so.12",
    "curand/lib/libcurand.so.10",
    "cufft/lib/libcufft.so.11",
    "cudnn/lib/libcudnn.so.9",
];

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A Python environment of a machine.
struct Environment {
    root: PathBuf,
}

impl Environment {
    fn new(machine: &Machine, name: &str) -> Self {
        let root = machine.root.path().join(name);
        write(&root.join("pyvenv.cfg"), b"");
        Self { root }
    }

    fn packages(&self) -> PathBuf {
        self.root.join("lib/python3.12/site-packages")
    }

    fn nvidia(self, files: &[&str]) -> Self {
        for file in files {
            write(
                &self.packages().join("nvidia").join(file),
                &linked(&["libc.so.6"]),
            );
        }
        self
    }

    /// `onnxruntime-gpu` of a version, built for a CUDA.
    fn onnxruntime(self, version: &str, cuda: u32) -> Self {
        onnxruntime(&self.packages().join("onnxruntime/capi"), version, cuda);
        self
    }
}

fn onnxruntime(folder: &Path, version: &str, cuda: u32) -> PathBuf {
    let library = folder.join(format!("libonnxruntime.so.{version}"));
    write(&library, &linked(&["libc.so.6"]));
    let cudart = format!("libcudart.so.{cuda}");
    for provider in ["cuda", "tensorrt"] {
        let own = folder.join(format!("libonnxruntime_providers_{provider}.so"));
        write(&own, &linked(&["libc.so.6", &cudart]));
    }
    library
}

fn places(machine: &Machine, loader: &[&Path], environments: &[&Environment]) -> Places {
    Places {
        elsewhere: Elsewhere {
            loader: loader.iter().map(PathBuf::from).collect(),
            environments: environments.iter().map(|one| one.root.clone()).collect(),
            with_program: Vec::new(),
        },
        ..machine.places()
    }
}

fn names(found: &[Found]) -> Vec<String> {
    let name = |found: &Found| {
        found
            .path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    found.iter().map(name).collect()
}

fn file_names(paths: &[&str]) -> Vec<String> {
    let name = |path: &&str| path.rsplit('/').next().unwrap().to_owned();
    paths.iter().map(name).collect()
}

/// Where the libraries before ONNX Runtime are from, when it is one place.
fn one_origin(library: &Library) -> Option<Origin> {
    let first = library.before.first()?.origin;
    library
        .before
        .iter()
        .all(|found| found.origin == first)
        .then_some(first)
}

/// The names of the packages that pip was called for.
fn installed(machine: &Machine) -> Vec<String> {
    let mut names: Vec<String> = machine
        .installed()
        .iter()
        .map(|folder| folder.rsplit_once("-many").unwrap().0.to_owned())
        .collect();
    names.sort();
    names
}

fn passed_over(places: &Places) -> Vec<String> {
    let inventory = places.inventory(Provider::Cuda).unwrap().unwrap();
    let told = inventory.passed_over.iter();
    told.map(|(path, why)| format!("{}: {why}", path.display()))
        .collect()
}

#[test]
fn an_environment_with_all_of_it_is_enough() {
    let machine = Machine::new();
    let python = Environment::new(&machine, "venv")
        .onnxruntime("1.31.1", 13)
        .nvidia(&CUDA_13);
    let places = places(&machine, &[], &[&python]);
    let library = places.find_or_install(Provider::Cuda, true).unwrap();
    assert_eq!(library.origin, Origin::Python);
    assert_eq!(library.version, "1.31.1");
    assert!(library.path.starts_with(python.packages()));
    assert_eq!(names(&library.before), file_names(&CUDA_13));
    assert_eq!(one_origin(&library), Some(Origin::Python));
    assert!(machine.calls().is_empty());
    // The CPU's is the pinned one, whatever others have: its numbers are the reference.
    assert_eq!(places.find(Provider::Cpu).unwrap(), None);
    assert_eq!(places.own().find(Provider::Cuda).unwrap(), None);
}

#[test]
fn pytorch_s_libraries_leave_only_onnx_runtime_to_be_installed() {
    let machine = Machine::new();
    machine.program("python3", &installer_of(Provider::Cuda));
    let python = Environment::new(&machine, "venv").nvidia(&CUDA_13);
    let places = places(&machine, &[], &[&python]);
    let inventory = places.inventory(Provider::Cuda).unwrap().unwrap();
    let wheel = Provider::Cuda.wheel().unwrap();
    assert_eq!(inventory.to_download(Provider::Cuda), wheel.bytes);
    let offline = places
        .find_or_install(Provider::Cuda, true)
        .unwrap_err()
        .to_string();
    assert!(offline.contains("onnxruntime-gpu"), "{offline}");
    assert!(!offline.contains("nvidia-"), "{offline}");

    let library = places.find_or_install(Provider::Cuda, false).unwrap();
    assert_eq!(library.origin, Origin::Installed);
    assert_eq!(one_origin(&library), Some(Origin::Python));
    assert_eq!(
        installed(&machine),
        [format!("onnxruntime-gpu-{}", library.version)]
    );

    // All of its own, which then goes before the environment's.
    let own = places
        .clone()
        .own()
        .find_or_install(Provider::Cuda, false)
        .unwrap();
    assert_eq!(
        machine.installed().len(),
        1 + Provider::Cuda.entry().beside.len()
    );
    assert_eq!(one_origin(&own), Some(Origin::Cache));
    let after = places.find(Provider::Cuda).unwrap().unwrap();
    assert_eq!((after.path, after.before), (own.path, own.before));
}

#[test]
fn libraries_of_another_cuda_do_not_count_nor_does_the_cudnn_beside_them() {
    let machine = Machine::new();
    machine.program("python3", &installer_of(Provider::Cuda));
    let python = Environment::new(&machine, "venv").nvidia(&CUDA_12);
    let places = places(&machine, &[], &[&python]);
    let message = places
        .find_or_install(Provider::Cuda, true)
        .unwrap_err()
        .to_string();
    for part in [
        "onnxruntime-gpu",
        "nvidia-cublas",
        "nvidia-cudnn-cu13",
        "found and not used: ",
        "libcudart.so.12",
        "it is CUDA 12's",
        "needs CUDA 13",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(!message.contains('\n'), "{message}");
    let library = places.find_or_install(Provider::Cuda, false).unwrap();
    assert_eq!(one_origin(&library), Some(Origin::Cache));
    assert_eq!(
        machine.installed().len(),
        1 + Provider::Cuda.entry().beside.len()
    );
}

#[test]
fn an_onnx_runtime_for_another_cuda_goes_with_that_cuda() {
    let machine = Machine::new();
    let python = Environment::new(&machine, "venv")
        .onnxruntime("1.24.1", 12)
        .nvidia(&CUDA_12);
    let library = places(&machine, &[], &[&python])
        .find(Provider::Cuda)
        .unwrap()
        .unwrap();
    assert_eq!(
        (library.origin, library.version.as_str()),
        (Origin::Python, "1.24.1")
    );
    assert_eq!(names(&library.before), file_names(&CUDA_12));

    // With the other's libraries it is none.
    let python = Environment::new(&machine, "other")
        .onnxruntime("1.24.1", 12)
        .nvidia(&CUDA_13);
    let places = places(&machine, &[], &[&python]);
    let told = passed_over(&places);
    assert!(
        told[0].contains("it is for CUDA 12, of which libcudart.so.12, "),
        "{told:?}"
    );
    let inventory = places.inventory(Provider::Cuda).unwrap().unwrap();
    assert!(inventory.main.is_none());
    assert_eq!(
        inventory.to_download(Provider::Cuda),
        Provider::Cuda.wheel().unwrap().bytes
    );
}

#[test]
fn what_cannot_be_used_is_passed_over_and_told() {
    let machine = Machine::new();
    machine.program("python3", &installer_of(Provider::Cuda));
    let old = Environment::new(&machine, "old")
        .onnxruntime("1.23.2", 13)
        .nvidia(&CUDA_13);
    let told = passed_over(&places(&machine, &[], &[&old]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("it is ONNX Runtime 1.23.2, and 1.24 or newer is needed"),
        "{told:?}"
    );

    let ancient = Environment::new(&machine, "ancient").onnxruntime("1.31.1", 11);
    let told = passed_over(&places(&machine, &[], &[&ancient]));
    assert!(told[0].contains("it is for CUDA 11"), "{told:?}");

    let nameless = machine.root.path().join("lib");
    let library = onnxruntime(&nameless, "1", 13);
    fs::rename(library, nameless.join("libonnxruntime.so")).unwrap();
    let told = passed_over(&places(&machine, &[&nameless], &[]));
    assert!(told[0].contains("ORT_DYLIB_PATH can name it"), "{told:?}");

    // Without the provider, it is another thing.
    let cpu = Environment::new(&machine, "cpu").onnxruntime("1.31.1", 13);
    fs::remove_file(
        cpu.packages()
            .join("onnxruntime/capi/libonnxruntime_providers_cuda.so"),
    )
    .unwrap();
    assert!(passed_over(&places(&machine, &[], &[&cpu])).is_empty());

    // Cut off: of ONNX Runtime, and of what it needs.
    let python = Environment::new(&machine, "venv")
        .onnxruntime("1.31.1", 13)
        .nvidia(&CUDA_13);
    let capi = python.packages().join("onnxruntime/capi");
    let provider = capi.join("libonnxruntime_providers_cuda.so");
    let cublas = python.packages().join("nvidia").join(CUDA_13[4]);
    for file in [&provider, &cublas] {
        let whole = fs::read(file).unwrap();
        fs::write(file, &whole[..whole.len() / 2]).unwrap();
    }
    let places = places(&machine, &[], &[&python]);
    let told = passed_over(&places).join("\n");
    assert!(
        told.contains("libonnxruntime_providers_cuda.so: it is cut off or damaged"),
        "{told}"
    );
    assert!(
        told.contains("libcublas.so.13: it is cut off or damaged"),
        "{told}"
    );
    let library = places.find_or_install(Provider::Cuda, false).unwrap();
    assert_eq!(library.origin, Origin::Installed);
    let from_cache: Vec<String> = library
        .before
        .iter()
        .filter(|found| found.origin == Origin::Cache)
        .map(|found| {
            found
                .path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(from_cache, ["libcublasLt.so.13", "libcublas.so.13"]);
    let names = installed(&machine);
    assert!(
        names[0].starts_with("nvidia-cublas") && names[1].starts_with("onnxruntime"),
        "{names:?}"
    );
}

#[test]
fn the_loader_goes_first_then_the_cache_then_an_environment() {
    let machine = Machine::new();
    machine.program("python3", &installer_of(Provider::Cuda));
    let module = machine.root.path().join("module");
    let python = Environment::new(&machine, "venv")
        .onnxruntime("1.31.1", 13)
        .nvidia(&CUDA_13);
    let places = places(&machine, &[&module], &[&python]);
    let origins = || {
        let library = places.find(Provider::Cuda).unwrap().unwrap();
        (library.origin, one_origin(&library))
    };
    assert_eq!(origins(), (Origin::Python, Some(Origin::Python)));
    places
        .clone()
        .own()
        .find_or_install(Provider::Cuda, false)
        .unwrap();
    assert_eq!(origins(), (Origin::Cache, Some(Origin::Cache)));
    for name in file_names(&CUDA_13) {
        write(&module.join(name), &linked(&[]));
    }
    assert_eq!(origins(), (Origin::Cache, Some(Origin::Loader)));
    let own = onnxruntime(&module, "1.30.0", 13);
    assert_eq!(origins(), (Origin::Loader, Some(Origin::Loader)));
    // One place for all, if it can be: versions of two do not always go together.
    fs::remove_file(module.join("libcudnn.so.9")).unwrap();
    assert_eq!(origins(), (Origin::Loader, Some(Origin::Cache)));
    assert_eq!(places.find(Provider::Cuda).unwrap().unwrap().path, own);
}

#[test]
fn a_named_library_gets_what_it_needs_where_that_is() {
    let machine = Machine::new();
    let python = Environment::new(&machine, "venv").nvidia(&CUDA_12);
    let named = onnxruntime(&machine.root.path().join("named"), "1.24.1", 12);
    let mut places = places(&machine, &[], &[&python]);
    places.ort_dylib_path = Some(named.clone().into_os_string());
    let library = places.find(Provider::Cuda).unwrap().unwrap();
    assert_eq!(
        (library.origin, &library.path),
        (Origin::Environment, &named)
    );
    assert_eq!(names(&library.before), file_names(&CUDA_12));

    let whole = fs::read(&named).unwrap();
    fs::write(&named, &whole[..whole.len() / 2]).unwrap();
    let message = places.find(Provider::Cuda).unwrap_err().to_string();
    assert!(message.contains("cut off or damaged"), "{message}");
}

#[test]
fn tensorrt_of_an_environment_is_opened_too() {
    let machine = Machine::new();
    let python = Environment::new(&machine, "venv")
        .onnxruntime("1.31.1", 13)
        .nvidia(&CUDA_13);
    let places = places(&machine, &[], &[&python]);
    let without = places.find(Provider::TensorRt).unwrap().unwrap();
    assert_eq!(
        names(&without.before),
        file_names(&CUDA_13),
        "its absence is told at its start"
    );
    let own = ["libnvinfer.so.10", "libnvonnxparser.so.10"];
    for name in own {
        write(
            &python.packages().join("tensorrt_libs").join(name),
            &linked(&[]),
        );
    }
    let with = places.find(Provider::TensorRt).unwrap().unwrap();
    assert_eq!(names(&with.before)[CUDA_13.len()..], own);
    let cuda = places.find(Provider::Cuda).unwrap().unwrap();
    assert_eq!(cuda.before.len(), CUDA_13.len());
}
