//! Finds the ONNX Runtime library of a provider: `ORT_DYLIB_PATH`, then where the machine has what the provider's packages
//! would bring, then the cache, then the Python environment that the program was installed into, then an installation into
//! the cache.

use std::path::PathBuf;

use process::progress;

use super::cached::Part;
use super::install;
use super::inventory::{self, Inventory};
use super::providers::{Package, Provider, Wheel};

pub use super::found::{Found, Library, Origin};
pub use super::library_error::LibraryError;
pub use super::places::Places;

/// The library of a provider if it is on this machine.
///
/// # Errors
/// When `ORT_DYLIB_PATH` names no file, or the cache is damaged.
pub fn find(provider: Provider) -> Result<Option<Library>, LibraryError> {
    Places::of_process()?.find(provider)
}

/// The library of a provider; installed now, saying so in one line, when it is not here and `offline` is false.
///
/// # Errors
/// Each of [`LibraryError`]; every message names the way out.
pub fn find_or_install(provider: Provider, offline: bool) -> Result<Library, LibraryError> {
    Places::of_process()?.find_or_install(provider, offline)
}

impl Places {
    /// As [`find`](fn@find).
    pub fn find(&self, provider: Provider) -> Result<Option<Library>, LibraryError> {
        if let Some(named) = self.named_library() {
            return inventory::named(self, provider, named).map(Some);
        }
        let Some(inventory) = self.inventory(provider)? else {
            return Ok(None);
        };
        match (inventory.library(), inventory.damaged) {
            (Some(library), _) => Ok(Some(library)),
            (None, Some(damaged)) => Err(damaged),
            (None, None) => Ok(None),
        }
    }

    /// What a provider needs and where it is, whatever `ORT_DYLIB_PATH` names; `None` where nobody built it for this machine.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn inventory(&self, provider: Provider) -> Result<Option<Inventory>, LibraryError> {
        let parts = self.parts(provider);
        parts
            .map(|parts| inventory::take(self, provider, &parts))
            .transpose()
    }

    /// The packages of a provider for this machine, that of ONNX Runtime first.
    pub(super) fn parts(&self, provider: Provider) -> Option<Vec<Part>> {
        let main = (provider.package(), provider.wheel()?);
        let beside = provider.entry().beside.iter();
        let all = [Some(main)]
            .into_iter()
            .chain(beside.map(|package| Some((package, package.wheel()?))));
        all.map(|found| {
            let (package, wheel) = found?;
            Some(Part {
                package,
                wheel,
                folder: self.folder(package, wheel),
            })
        })
        .collect()
    }

    /// As [`find_or_install`](fn@find_or_install).
    pub fn find_or_install(
        &self,
        provider: Provider,
        offline: bool,
    ) -> Result<Library, LibraryError> {
        match self.find(provider) {
            Ok(Some(library)) => return Ok(library),
            Err(damaged @ LibraryError::Damaged { .. }) if offline => return Err(damaged),
            Ok(None) | Err(LibraryError::Damaged { .. }) => {}
            Err(other) => return Err(other),
        }
        let package = provider.package();
        let no_build = || LibraryError::NoBuild {
            package: package.to_string(),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        };
        let mut parts = self.parts(provider).ok_or_else(no_build)?;
        let inventory = inventory::take(self, provider, &parts)?;
        parts.retain(|part| inventory.lacks(part.package));
        if offline {
            let names: Vec<String> = parts.iter().map(|p| p.package.to_string()).collect();
            return Err(LibraryError::Offline {
                provider,
                package: names.join(", "),
                setup: provider.setup_command(),
                beside: self.told_beside(provider),
                passed_over: inventory.told_passed_over("; ", ""),
            });
        }
        for (path, why) in &inventory.passed_over {
            progress::note(format!("{} is not used: {why}", path.display()));
        }
        let installed = install::install(&install::Order {
            provider,
            parts: &parts,
            root: &self.root(),
            search_path: self.search_path.as_deref(),
        })?;
        let library = self
            .find(provider)?
            .ok_or_else(|| LibraryError::NotInWheel {
                package: package.to_string(),
                library: provider.wheel().map_or("library", |wheel| wheel.library),
            })?;
        Ok(match (library.origin, installed) {
            // Else another process was faster, or ONNX Runtime itself was here.
            (Origin::Cache, 1..) => Library {
                origin: Origin::Installed,
                ..library
            },
            _ => library,
        })
    }

    /// `install onnxruntime==1.31.1 into …, `, where the program's own wheel is and the package alone is enough.
    fn told_beside(&self, provider: Provider) -> String {
        let entry = provider.entry();
        let package = entry.package;
        match self.elsewhere.with_program.first() {
            Some(packages) if entry.toolkits.is_empty() => format!(
                "install {}=={} into {}, ",
                package.name,
                package.version,
                packages.display()
            ),
            _ => String::new(),
        }
    }

    fn root(&self) -> PathBuf {
        self.cache.join("onnxruntime")
    }

    fn folder(&self, package: &Package, wheel: &Wheel) -> PathBuf {
        let name = format!("{}-{}-{}", package.name, package.version, wheel.tag);
        self.root().join(name)
    }
}
