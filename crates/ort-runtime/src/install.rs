//! Installs the pinned wheel of a provider into the cache, through pip or uv: their configuration says where from.
//!
//! Everything is done in a `.part-` folder beside the final one, which is renamed when it is whole. A lock makes a second
//! process wait and then find the library; a killed process leaves its lock free and its `.part-` folder to the next.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use files::{self, PartFolder};
use process::child;
use process::progress;

use super::cached::{Installed, Part, RECORD, Record, in_folder};
use super::library_error::LibraryError;
use super::providers::{PYTHON, Package, Provider, Wheel};

/// Windows names Python 3 plainly.
const PYTHONS: &[&str] = if cfg!(windows) {
    &["python", "python3"]
} else {
    &["python3"]
};

/// What to install, where.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub provider: Provider,
    /// What is to be there, each with its final folder in `root`.
    pub parts: &'a [Part],
    pub root: &'a Path,
    pub search_path: Option<&'a OsStr>,
}

/// Install what is not there, or wait for the process that already does. Says what it will be before it begins, and gives
/// how many packages it was.
pub(super) fn install(order: &Order) -> Result<usize, LibraryError> {
    let root = order.root;
    fs::create_dir_all(root).map_err(LibraryError::io("make", root))?;
    let lock_path = root.join(".lock");
    let lock = files::lock_file(&lock_path).map_err(LibraryError::io("make", &lock_path))?;
    lock.lock().map_err(LibraryError::io("lock", &lock_path))?;
    let mut missing = Vec::new();
    for part in order.parts {
        match in_folder(&part.folder, order.provider, part.wheel) {
            Ok(Some(_)) => continue,
            Ok(None) => {}
            Err(damaged @ LibraryError::Damaged { .. }) => {
                progress::note(format!("{damaged}: done now"))
            }
            Err(other) => return Err(other),
        }
        missing.push(part);
    }
    sweep(root)?;
    if missing.len() > 1 {
        let bytes: u64 = missing.iter().map(|part| part.wheel.bytes).sum();
        progress::note(format!(
            "{} takes {} packages, {} MB to download and about twice as much on the disk",
            order.provider,
            missing.len(),
            bytes.div_ceil(1_000_000),
        ));
    }
    for part in &missing {
        install_one(order, part)?;
    }
    Ok(missing.len())
}

/// One package; the caller holds the lock.
fn install_one(order: &Order, part: &Part) -> Result<(), LibraryError> {
    let root = order.root;
    let scratch = PartFolder::new_in(root).map_err(LibraryError::io("make a folder in", root))?;
    let what = match part.package.name == order.provider.package().name {
        true => format!(
            "ONNX Runtime {} ({}, ",
            part.package.version, part.package.name
        ),
        false => format!("{} (", part.package),
    };
    progress::note(format!(
        "installing {what}{} MB) into {}, once",
        part.wheel.bytes.div_ceil(1_000_000),
        part.folder.display(),
    ));
    let unpacked = unpack(order, part, scratch.path())?;
    let whole = scratch.path().join("whole");
    collect(part, &unpacked, &whole)?;
    if part.folder.exists() {
        let old = scratch.path().join("old");
        fs::rename(&part.folder, &old).map_err(LibraryError::io("replace", &part.folder))?;
    }
    fs::rename(&whole, &part.folder).map_err(LibraryError::io("make", &part.folder))
}

/// Remove what killed installations left; the caller holds the lock, so nobody is at work in them.
fn sweep(root: &Path) -> Result<(), LibraryError> {
    files::sweep(root).map_err(LibraryError::io("read", root))
}

/// Let pip, or uv where there is no pip, unpack the wheel under `into`. Gives the folder of what was in it.
fn unpack(order: &Order, part: &Part, into: &Path) -> Result<PathBuf, LibraryError> {
    let (package, wheel) = (part.package, part.wheel);
    let target = into.join("wheel");
    let requirements = into.join("requirements.txt");
    let line = format!(
        "{}=={} --hash=sha256:{}\n",
        package.name, package.version, wheel.sha256
    );
    fs::write(&requirements, line).map_err(LibraryError::io("write", &requirements))?;
    let scratch = into.join("scratch");
    fs::create_dir(&scratch).map_err(LibraryError::io("make", &scratch))?;

    let mut python_problem = String::new();
    for python in PYTHONS {
        // Isolated: nothing is imported from the working folder, from the user's own packages, or from where variables say.
        let pip = command(python, order, &scratch).map(|mut pip| {
            pip.args(["-I", "-m", "pip", "install"])
                .args(["--no-input", "--no-user", "--no-compile"])
                .arg("--disable-pip-version-check")
                .args(["--implementation", "cp", "--python-version", PYTHON])
                .args(["--platform", wheel.tag]);
            pip
        });
        match run(pip, &target, &requirements) {
            Ok(out) if out.status.success() => return Ok(target),
            Ok(out) if said(&out).contains("No module named pip") => {
                python_problem = format!("`{python}` has no pip");
            }
            Ok(out) => return Err(failed(package, &format!("{python} -m pip"), &out)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if python_problem.is_empty() {
                    python_problem = format!("`{python}` was not found");
                }
            }
            Err(e) => return Err(LibraryError::io("start", Path::new(python))(e)),
        }
    }
    let uv = command("uv", order, &scratch).map(|mut uv| {
        uv.args(["pip", "install", "--python-version", PYTHON])
            .args(["--python-platform", wheel.uv_platform])
            // Without it uv takes an older macOS than the wheels are for.
            .env("MACOSX_DEPLOYMENT_TARGET", "14.0");
        uv
    });
    match run(uv, &target, &requirements) {
        Ok(out) if out.status.success() => Ok(target),
        Ok(out) => Err(failed(package, "uv pip", &out)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(LibraryError::NoInstaller {
            package: package.to_string(),
            python: python_problem,
        }),
        Err(e) => Err(LibraryError::io("start", Path::new("uv"))(e)),
    }
}

fn command(program: &str, order: &Order, scratch: &Path) -> io::Result<Command> {
    let mut command = child::command(program, scratch, order.search_path)?;
    // Its temporary files too go where they are cleared away, on the disk that has to have the room anyway.
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, scratch);
    }
    // Whoever forbids pip outside virtual environments means the system's packages, which this does not touch.
    command
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .env("LC_ALL", "C");
    Ok(command)
}

/// What pip and uv have in common.
fn run(command: io::Result<Command>, target: &Path, requirements: &Path) -> io::Result<Output> {
    let mut command = command?;
    command
        .args(["--quiet", "--no-deps", "--require-hashes"])
        .args(["--only-binary", ":all:"])
        .arg("--target")
        .arg(target)
        .arg("-r")
        .arg(requirements);
    child::output(&mut command)
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout)
}

fn failed(package: &Package, command: &str, out: &Output) -> LibraryError {
    let said = said(out);
    let has = |signs: &[&str]| signs.iter().any(|s| said.contains(s));
    let advice = if has(&["No space left", "Errno 28", "os error 28", "Disk quota"]) {
        "the disk is full; free some space, or set HARNESS_CACHE to a folder on a larger disk"
    } else if has(&["DO NOT MATCH THE HASHES", "Hash mismatch"]) {
        "the package index offers another file than the pinned one; check which index pip is set to use"
    } else if has(&[
        "No matching distribution",
        "not find a version",
        "onnection",
        "resolution",
        "dns error",
        "timed out",
        "Failed to fetch",
    ]) {
        "the package index was not reached or does not have it; check the network and pip's configuration, or set \
         ORT_DYLIB_PATH to an ONNX Runtime library file"
    } else {
        "the installer failed; run it again, or set ORT_DYLIB_PATH to an ONNX Runtime library file"
    };
    // The last lines tell the reason; pip's warnings come first.
    let lines: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).collect();
    let tail = lines.len().saturating_sub(6);
    LibraryError::InstallerFailed {
        package: package.to_string(),
        advice,
        command: command.to_owned(),
        output: lines.get(tail..).unwrap_or_default().join("\n"),
    }
}

/// Move the libraries to `whole` and write the record. Python's own extension module stays behind.
fn collect(part: &Part, unpacked: &Path, whole: &Path) -> Result<(), LibraryError> {
    let (package, wheel) = (part.package, part.wheel);
    fs::create_dir(whole).map_err(LibraryError::io("make", whole))?;
    let mut found = Vec::new();
    if unpacked.is_dir() {
        libraries(unpacked, &mut found)?;
    }
    let mut installed = Vec::new();
    for (name, path) in found {
        let to = whole.join(&name);
        fs::rename(&path, &to).map_err(LibraryError::io("move", &path))?;
        let bytes = sync(&to).map_err(LibraryError::io("write", &to))?;
        installed.push(Installed {
            bytes,
            sha256: files::sha256_file(&to).map_err(LibraryError::io("read", &to))?,
            name,
        });
    }
    if !installed.iter().any(|f| f.name == wheel.library) {
        return Err(not_in_wheel(package, wheel));
    }
    installed.sort_by(|a, b| a.name.cmp(&b.name));
    let record = Record {
        package: package.name.to_owned(),
        version: package.version.to_owned(),
        wheel_sha256: wheel.sha256.to_owned(),
        files: installed,
    };
    let path = whole.join(RECORD);
    let json = serde_json::to_vec_pretty(&record)
        .map_err(|e| LibraryError::io("write", &path)(e.into()))?;
    files::write_bytes(&path, &json).map_err(LibraryError::io("write", &path))
}

/// The libraries below `folder`, with their names: ONNX Runtime's are in `onnxruntime/capi`, NVIDIA's in several places.
fn libraries(folder: &Path, found: &mut Vec<(String, PathBuf)>) -> Result<(), LibraryError> {
    for entry in fs::read_dir(folder).map_err(LibraryError::io("read", folder))? {
        let entry = entry.map_err(LibraryError::io("read", folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(LibraryError::io("read", &path))?;
        if kind.is_dir() {
            libraries(&path, found)?;
        } else if kind.is_file()
            && let Ok(name) = entry.file_name().into_string()
            && is_library(&name)
        {
            found.push((name, path));
        }
    }
    Ok(())
}

/// `libonnxruntime.so.1.31.1`, `onnxruntime_providers_shared.dll`, `libtbb.so.12`; not `onnxruntime_pybind11_state.so`.
fn is_library(name: &str) -> bool {
    let shared = name.ends_with(".so")
        || name.contains(".so.")
        || name.ends_with(".dylib")
        || name.ends_with(".dll");
    shared && !name.contains("pybind11")
}

/// On disk before the rename; gives the size.
fn sync(path: &Path) -> io::Result<u64> {
    let file = File::options().write(true).open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn not_in_wheel(package: &Package, wheel: &Wheel) -> LibraryError {
    LibraryError::NotInWheel {
        package: package.to_string(),
        library: wheel.library,
    }
}
