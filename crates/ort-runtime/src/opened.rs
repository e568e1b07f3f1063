//! Opening ONNX Runtime: first the libraries that it needs, then its own, and what is wrong with it in plain words.

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::util::preload_dylib;

use super::found::{Found, Library, Origin};
use super::library_error::LibraryError;
use super::providers::Provider;

/// Open the library and what goes before it. The first that a process opens stays for its lifetime.
pub(super) fn environment(
    library: &Library,
    provider: Provider,
) -> Result<Environment, LibraryError> {
    // By their full names: the loader then takes these wherever one of their names is asked for.
    for needed in &library.before {
        preload_dylib(&needed.path).map_err(|e| unusable(needed, provider, e.to_string()))?;
    }
    let main = Found {
        path: library.path.clone(),
        origin: library.origin,
    };
    let builder = ort::init_from(&library.path).map_err(|e| told(&main, provider, e))?;
    let built = builder.with_name("harness").with_telemetry(false).build();
    built.map_err(|e| unusable(&main, provider, e.to_string()))
}

fn told(main: &Found, provider: Provider, error: LoadDynamicError) -> LibraryError {
    let detail = match error {
        LoadDynamicError::BadVersion { version_str, .. } => {
            return LibraryError::TooOld {
                path: main.path.clone(),
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
    unusable(main, provider, detail)
}

fn unusable(found: &Found, provider: Provider, detail: String) -> LibraryError {
    let folder = found.path.parent().unwrap_or(&found.path).display();
    let way_out = match found.origin {
        Origin::Environment => "unset ORT_DYLIB_PATH, and the harness installs its own".to_owned(),
        Origin::Loader => format!("take {folder} off LD_LIBRARY_PATH, or run with --ep cpu"),
        Origin::Python => format!(
            "`{} --own` installs the harness's own, which goes before it",
            provider.setup_command()
        ),
        Origin::Cache | Origin::Installed => {
            format!("remove {folder}, and it is installed anew, or run with --ep cpu")
        }
    };
    LibraryError::Unusable {
        path: found.path.clone(),
        detail,
        way_out,
    }
}
