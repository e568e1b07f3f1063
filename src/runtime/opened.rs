//! Opening ONNX Runtime: first the libraries that it needs, then its own, and what is wrong with it in plain words.

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::util::preload_dylib;

use super::library::{Library, LibraryError, Origin};

/// Open the library and what goes before it. The first that a process opens stays for its lifetime.
pub(super) fn environment(library: &Library) -> Result<Environment, LibraryError> {
    preload(library)?;
    let builder = ort::init_from(&library.path).map_err(|e| unusable(library, e))?;
    let built = builder.with_name("harness").with_telemetry(false).build();
    built.map_err(|e| LibraryError::Unusable {
        path: library.path.clone(),
        detail: e.to_string(),
        way_out: way_out(library),
    })
}

/// Open what the library needs by its full name: the loader then takes these wherever one of their names is asked for.
fn preload(library: &Library) -> Result<(), LibraryError> {
    for path in &library.before {
        preload_dylib(path).map_err(|e| LibraryError::Unusable {
            path: path.clone(),
            detail: e.to_string(),
            way_out: way_out(library),
        })?;
    }
    Ok(())
}

fn unusable(library: &Library, error: LoadDynamicError) -> LibraryError {
    let detail = match error {
        LoadDynamicError::BadVersion { version_str, .. } => {
            return LibraryError::TooOld {
                path: library.path.clone(),
                version: version_str,
                needed: ort::MINOR_VERSION,
            };
        }
        LoadDynamicError::Dlopen { error, .. } => error.to_string(),
        LoadDynamicError::MissingApi { .. } => {
            "it is another library: it has no OrtGetApiBase".to_owned()
        }
        other => other.to_string(),
    };
    LibraryError::Unusable {
        path: library.path.clone(),
        detail,
        way_out: way_out(library),
    }
}

fn way_out(library: &Library) -> String {
    match library.origin {
        Origin::Environment => "unset ORT_DYLIB_PATH, and the harness installs its own".to_owned(),
        Origin::Cache | Origin::Installed => {
            let folder = library.path.parent().unwrap_or(&library.path);
            format!(
                "remove {}, and it is installed anew, or run with --ep cpu",
                folder.display()
            )
        }
    }
}
