//! Installs the pinned wheel of a provider into the cache, through pip or uv: their configuration says where from.
//!
//! Everything is done in a `.part-` folder beside the final one, which is renamed when it is whole. A lock makes a second
//! process wait and then find the library; a killed process leaves its lock free and its `.part-` folder to the next.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::library::{Installed, Library, LibraryError, Origin, RECORD, Record, in_folder};
use super::providers::{PYTHON, Package, Provider, Wheel};
use crate::{files, progress};

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
    pub wheel: &'static Wheel,
    /// The final folder.
    pub folder: &'a Path,
    pub search_path: Option<&'a OsStr>,
}

/// Install, or wait for the process that already does.
pub(super) fn install(order: &Order) -> Result<Library, LibraryError> {
    let root = order.folder.parent().unwrap_or(order.folder);
    fs::create_dir_all(root).map_err(LibraryError::io("make", root))?;
    let lock_path = root.join(".lock");
    let lock = File::create(&lock_path).map_err(LibraryError::io("make", &lock_path))?;
    lock.lock().map_err(LibraryError::io("lock", &lock_path))?;
    match in_folder(order.folder, order.provider, order.wheel) {
        Ok(Some(library)) => return Ok(library),
        Ok(None) => {}
        Err(damaged @ LibraryError::Damaged { .. }) => {
            progress::note(format!("{damaged}: done now"))
        }
        Err(other) => return Err(other),
    }
    sweep(root)?;
    let part = tempfile::Builder::new()
        .prefix(files::PART)
        .tempdir_in(root)
        .map_err(LibraryError::io("make a folder in", root))?;
    let package = order.provider.package();
    progress::note(format!(
        "installing ONNX Runtime {} ({}, {} MB) into {}, once",
        package.version,
        package.name,
        order.wheel.bytes.div_ceil(1_000_000),
        order.folder.display(),
    ));
    let unpacked = unpack(order, part.path())?;
    let whole = part.path().join("whole");
    collect(order, &unpacked, &whole)?;
    if order.folder.exists() {
        let old = part.path().join("old");
        fs::rename(order.folder, &old).map_err(LibraryError::io("replace", order.folder))?;
    }
    fs::rename(&whole, order.folder).map_err(LibraryError::io("make", order.folder))?;
    let library = in_folder(order.folder, order.provider, order.wheel)?;
    let library = library.ok_or_else(|| not_in_wheel(package, order.wheel))?;
    Ok(Library {
        origin: Origin::Installed,
        ..library
    })
}

/// Remove what killed installations left; the caller holds the lock, so nobody is at work in them.
fn sweep(root: &Path) -> Result<(), LibraryError> {
    for path in files::parts(root).map_err(LibraryError::io("read", root))? {
        fs::remove_dir_all(&path).map_err(LibraryError::io("remove", &path))?;
    }
    Ok(())
}

/// Let pip, or uv where there is no pip, unpack the wheel under `part`. Gives the folder with the libraries.
fn unpack(order: &Order, part: &Path) -> Result<PathBuf, LibraryError> {
    let package = order.provider.package();
    let target = part.join("wheel");
    let requirements = part.join("requirements.txt");
    let line = format!(
        "{}=={} --hash=sha256:{}\n",
        package.name, package.version, order.wheel.sha256
    );
    fs::write(&requirements, line).map_err(LibraryError::io("write", &requirements))?;
    let scratch = part.join("scratch");
    fs::create_dir(&scratch).map_err(LibraryError::io("make", &scratch))?;

    let mut python_problem = String::new();
    for python in PYTHONS {
        let mut pip = command(python, order, &scratch);
        pip.args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--no-user",
            "--no-compile",
            "--disable-pip-version-check",
        ])
        .args(["--implementation", "cp", "--python-version", PYTHON])
        .args(["--platform", order.wheel.tag]);
        match run(pip, &target, &requirements) {
            Ok(out) if out.status.success() => return Ok(libraries(&target)),
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
    let mut uv = command("uv", order, &scratch);
    uv.args(["pip", "install", "--python-version", PYTHON])
        .args(["--python-platform", order.wheel.uv_platform])
        // Without it uv takes an older macOS than the wheels are for.
        .env("MACOSX_DEPLOYMENT_TARGET", "14.0");
    match run(uv, &target, &requirements) {
        Ok(out) if out.status.success() => Ok(libraries(&target)),
        Ok(out) => Err(failed(package, "uv pip", &out)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(LibraryError::NoInstaller {
            package: package.to_string(),
            python: python_problem,
        }),
        Err(e) => Err(LibraryError::io("start", Path::new("uv"))(e)),
    }
}

fn libraries(target: &Path) -> PathBuf {
    target.join("onnxruntime").join("capi")
}

fn command(program: &str, order: &Order, scratch: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(path) = order.search_path {
        command.env("PATH", path);
    }
    // Its temporary files too go where they are cleared away, on the disk that has to have the room anyway.
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, scratch);
    }
    // Whoever forbids pip outside virtual environments means the system's packages, which this does not touch.
    command
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .env("LC_ALL", "C");
    command
}

/// What pip and uv have in common.
fn run(mut command: Command, target: &Path, requirements: &Path) -> io::Result<Output> {
    command
        .args(["--quiet", "--no-deps", "--require-hashes"])
        .args(["--only-binary", ":all:"])
        .arg("--target")
        .arg(target)
        .arg("-r")
        .arg(requirements)
        .stdin(Stdio::null())
        .output()
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
fn collect(order: &Order, unpacked: &Path, whole: &Path) -> Result<(), LibraryError> {
    let package = order.provider.package();
    fs::create_dir(whole).map_err(LibraryError::io("make", whole))?;
    let entries = match fs::read_dir(unpacked) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(not_in_wheel(package, order.wheel));
        }
        other => other.map_err(LibraryError::io("read", unpacked))?,
    };
    let mut installed = Vec::new();
    for entry in entries {
        let entry = entry.map_err(LibraryError::io("read", unpacked))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        if !is_library(&name) || !path.is_file() {
            continue;
        }
        let to = whole.join(&name);
        fs::rename(&path, &to).map_err(LibraryError::io("move", &path))?;
        let bytes = sync(&to).map_err(LibraryError::io("write", &to))?;
        installed.push(Installed {
            bytes,
            sha256: files::sha256_file(&to).map_err(LibraryError::io("read", &to))?,
            name,
        });
    }
    if !installed.iter().any(|f| f.name == order.wheel.library) {
        return Err(not_in_wheel(package, order.wheel));
    }
    installed.sort_by(|a, b| a.name.cmp(&b.name));
    let record = Record {
        package: package.name.to_owned(),
        version: package.version.to_owned(),
        wheel_sha256: order.wheel.sha256.to_owned(),
        files: installed,
    };
    let path = whole.join(RECORD);
    let json = serde_json::to_vec_pretty(&record)
        .map_err(|e| LibraryError::io("write", &path)(e.into()))?;
    files::write_bytes(&path, &json).map_err(LibraryError::io("write", &path))
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
