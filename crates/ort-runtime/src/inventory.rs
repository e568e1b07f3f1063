//! What a provider needs, and where each of it is on this machine: the library itself, and those that it opens.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::binary;
use super::cached::{Part, Record, in_folder};
use super::elsewhere::Source;
use super::found::{Found, Library, Origin};
use super::library_error::LibraryError;
use super::places::Places;
use super::providers::nvidia::TOOLKITS;
use super::providers::{Package, Provider, Toolkit};
use super::wheels;

/// What a provider needs, and where it is.
#[derive(Debug)]
pub struct Inventory {
    /// ONNX Runtime itself.
    pub main: Option<Main>,
    /// What it opens, in order.
    pub libraries: Vec<Needed>,
    /// What is here and cannot be used, and why.
    pub passed_over: BTreeSet<(PathBuf, String)>,
    /// What is wrong in the cache.
    pub damaged: Option<LibraryError>,
    package: &'static Package,
}

/// An ONNX Runtime with the provider.
#[derive(Debug, Clone)]
pub struct Main {
    /// Absolute.
    pub path: PathBuf,
    pub version: String,
    pub origin: Origin,
    sha256: Option<String>,
    /// The CUDA that it is built for; none of a provider without.
    toolkit: Option<&'static Toolkit>,
}

/// A library that ONNX Runtime opens.
#[derive(Debug, Clone)]
pub struct Needed {
    /// As the loader looks for it.
    pub name: String,
    /// Where it is.
    pub found: Option<Found>,
    /// What the harness installs to have it; `None` where only the machine can bring it.
    pub package: Option<&'static Package>,
}

impl Inventory {
    /// Whether a package would have to be installed.
    pub fn lacks(&self, package: &Package) -> bool {
        if package.name == self.package.name {
            return self.main.is_none();
        }
        let missing = self
            .libraries
            .iter()
            .filter(|needed| needed.found.is_none());
        missing
            .filter_map(|needed| needed.package)
            .any(|of| of.name == package.name)
    }

    /// Whether any of it is here.
    pub fn has_any(&self) -> bool {
        self.main.is_some() || self.libraries.iter().any(|needed| needed.found.is_some())
    }

    /// What would have to be downloaded, in bytes.
    pub fn to_download(&self, provider: Provider) -> u64 {
        let packages = [self.package].into_iter().chain(provider.entry().beside);
        let lacking = packages.filter(|package| self.lacks(package));
        lacking
            .filter_map(Package::wheel)
            .map(|wheel| wheel.bytes)
            .sum()
    }

    /// `; found and not used: PATH (why), …`; empty when nothing was.
    pub fn told_passed_over(&self, before: &str, after: &str) -> String {
        if self.passed_over.is_empty() {
            return String::new();
        }
        let told: Vec<String> = self
            .passed_over
            .iter()
            .map(|(path, why)| format!("{} ({why})", path.display()))
            .collect();
        format!("{before}found and not used: {}{after}", told.join(", "))
    }

    /// The library, when all is here that a package of ours would bring.
    pub(super) fn library(&self) -> Option<Library> {
        let lacks = |needed: &Needed| needed.found.is_none() && needed.package.is_some();
        let main = self
            .main
            .as_ref()
            .filter(|_| !self.libraries.iter().any(lacks))?;
        Some(Library {
            path: main.path.clone(),
            version: main.version.clone(),
            origin: main.origin,
            sha256: main.sha256.clone(),
            before: found(&self.libraries),
        })
    }
}

fn found(libraries: &[Needed]) -> Vec<Found> {
    let found = libraries.iter().filter_map(|needed| needed.found.as_ref());
    found.cloned().collect()
}

/// The library that `ORT_DYLIB_PATH` names, with what of it needs is on this machine: it may find the rest itself.
pub(super) fn named(
    places: &Places,
    provider: Provider,
    named: &Path,
) -> Result<Library, LibraryError> {
    if !named.is_file() {
        return Err(LibraryError::NoSuchFile(named.to_owned()));
    }
    let path = std::path::absolute(named).map_err(LibraryError::io("find", named))?;
    if let Some(what) = binary::unfit(&path).map_err(LibraryError::io("read", &path))? {
        return Err(LibraryError::NotForHere { path, what });
    }
    let mut search = Search::new(
        places,
        provider,
        &places.parts(provider).unwrap_or_default(),
    )?;
    let toolkit = beside(&path, provider).filter(|file| file.is_file());
    let toolkit = toolkit.and_then(|file| toolkit_of(provider, &file).ok());
    Ok(Library {
        before: toolkit
            .map(|toolkit| found(&search.gather(toolkit)))
            .unwrap_or_default(),
        path,
        version: "unknown (ORT_DYLIB_PATH)".to_owned(),
        origin: Origin::Environment,
        sha256: None,
    })
}

/// The best that is on this machine: the first ONNX Runtime that has all it needs; or else the first of which a package of
/// ours can bring the rest.
pub(super) fn take(
    places: &Places,
    provider: Provider,
    parts: &[Part],
) -> Result<Inventory, LibraryError> {
    let mut search = Search::new(places, provider, parts)?;
    let entry = provider.entry();
    let Some(own) = entry.toolkits.first().filter(|_| cfg!(target_os = "linux")) else {
        return Ok(search.own_only(parts));
    };
    let mut best = None;
    for main in search.mains() {
        let toolkit = main.toolkit.unwrap_or(own);
        let libraries = search.gather(toolkit);
        let brought = |needed: &&Needed| entry.brought.contains(&needed.name.as_str());
        let missing = libraries.iter().filter(|needed| needed.found.is_none());
        let missing: Vec<&Needed> = missing.filter(|needed| !brought(needed)).collect();
        let whole = missing.is_empty();
        if !whole && toolkit.major != own.major {
            let names: Vec<&str> = missing.iter().map(|needed| needed.name.as_str()).collect();
            let why = format!(
                "it is for CUDA {}, of which {} are missing",
                toolkit.major,
                names.join(", ")
            );
            search.passed_over.insert((main.path, why));
            continue;
        }
        if best.is_none() || whole {
            best = Some((main, libraries));
        }
        if whole {
            break;
        }
    }
    let (main, libraries) = match best {
        Some((main, libraries)) => (Some(main), libraries),
        None => (None, search.gather(own)),
    };
    if libraries.iter().any(|needed| needed.found.is_none()) {
        search.tell_other_versions(own);
    }
    Ok(search.inventory(main, libraries))
}

/// One search for what a provider needs.
struct Search {
    provider: Provider,
    /// In the order in which they count.
    sources: Vec<Source>,
    /// That of ONNX Runtime first, as far as they are whole.
    cached: Vec<(PathBuf, Record)>,
    passed_over: BTreeSet<(PathBuf, String)>,
    damaged: Option<LibraryError>,
}

impl Search {
    fn new(places: &Places, provider: Provider, parts: &[Part]) -> Result<Self, LibraryError> {
        let mut damaged = None;
        let mut cached = Vec::new();
        for part in parts {
            match in_folder(&part.folder, provider, part.wheel) {
                Ok(Some(record)) => cached.push((part.folder.clone(), record)),
                Ok(None) => {}
                Err(what @ LibraryError::Damaged { .. }) => damaged = damaged.or(Some(what)),
                Err(other) => return Err(other),
            }
        }
        let cache = Source {
            origin: Origin::Cache,
            folders: cached.iter().map(|(folder, _)| folder.clone()).collect(),
        };
        let sources = match provider.entry().toolkits.is_empty() {
            // What the program was installed with counts, what else the machine has does not.
            true => vec![cache, places.elsewhere.with_program()],
            false => {
                let (loader, environments) = places.elsewhere.sources();
                [loader, cache].into_iter().chain(environments).collect()
            }
        };
        Ok(Self {
            provider,
            sources,
            cached,
            passed_over: BTreeSet::new(),
            damaged,
        })
    }

    fn inventory(self, main: Option<Main>, libraries: Vec<Needed>) -> Inventory {
        Inventory {
            main,
            libraries,
            passed_over: self.passed_over,
            damaged: self.damaged,
            package: self.provider.package(),
        }
    }

    /// Of a provider of which nothing but the packages counts: each has to be in the cache, or ONNX Runtime installed with
    /// the program.
    fn own_only(mut self, parts: &[Part]) -> Inventory {
        let entry = self.provider.entry();
        let record = |package: &Package| {
            self.cached
                .iter()
                .find(|(_, record)| record.package == package.name)
        };
        let mut libraries: Vec<Needed> = parts
            .iter()
            .filter(|part| part.package.name != entry.package.name)
            .filter(|part| record(part.package).is_none())
            .map(|part| Needed {
                name: part.wheel.library.to_owned(),
                found: None,
                package: Some(part.package),
            })
            .collect();
        for prefix in entry.preload {
            for (folder, record) in &self.cached {
                let files = record
                    .files
                    .iter()
                    .filter(|file| file.name.starts_with(prefix));
                libraries.extend(files.map(|file| Needed {
                    name: file.name.clone(),
                    found: Some(Found {
                        path: folder.join(&file.name),
                        origin: Origin::Cache,
                    }),
                    package: None,
                }));
            }
        }
        let main = self.mains().into_iter().next();
        self.inventory(main, libraries)
    }

    fn cached_main(&self) -> Option<Main> {
        let wheel = self.provider.wheel()?;
        let package = self.provider.package();
        let (folder, record) = self
            .cached
            .iter()
            .find(|(_, record)| record.package == package.name)?;
        let own = record.files.iter().find(|file| file.name == wheel.library);
        Some(Main {
            path: folder.join(wheel.library),
            version: record.version.clone(),
            origin: Origin::Cache,
            sha256: own.map(|file| file.sha256.clone()),
            toolkit: self.provider.entry().toolkits.first(),
        })
    }

    /// Each ONNX Runtime with the provider.
    fn mains(&mut self) -> Vec<Main> {
        let mut all = Vec::new();
        for source in &self.sources {
            if source.origin == Origin::Cache {
                all.extend(self.cached_main());
                continue;
            }
            for folder in &source.folders {
                let Some(path) = onnxruntime(folder, self.provider) else {
                    continue;
                };
                match foreign(folder, &path, self.provider, source.origin) {
                    Ok(main) => all.push(main),
                    Err(why) => {
                        self.passed_over.insert((path, why));
                    }
                }
            }
        }
        all
    }

    /// Where each library is: all from one source, if one has them all, or else each from the first that has it.
    fn gather(&mut self, toolkit: &'static Toolkit) -> Vec<Needed> {
        let entry = self.provider.entry();
        let own = entry
            .toolkits
            .first()
            .is_some_and(|own| own.major == toolkit.major);
        let mut needed: Vec<Needed> = toolkit
            .libraries
            .iter()
            .map(|(name, package)| Needed {
                name: (*name).to_owned(),
                found: None,
                package: entry
                    .beside
                    .iter()
                    .find(|ours| own && ours.name == *package),
            })
            .collect();
        let held: Vec<Vec<Option<PathBuf>>> = (0..self.sources.len())
            .map(|at| self.held(at, toolkit, own))
            .collect();
        let whole = held
            .iter()
            .position(|held| held.iter().all(Option::is_some));
        for (place, needed) in needed.iter_mut().enumerate() {
            let sources = whole.map_or(0..held.len(), |at| at..at + 1);
            needed.found = sources.into_iter().find_map(|at| {
                let path = held[at][place].clone()?;
                Some(Found {
                    path,
                    origin: self.sources[at].origin,
                })
            });
        }
        needed.extend(entry.brought.iter().map(|name| Needed {
            name: (*name).to_owned(),
            found: (0..self.sources.len()).find_map(|at| {
                Some(Found {
                    path: self.one(at, name)?,
                    origin: self.sources[at].origin,
                })
            }),
            package: None,
        }));
        needed
    }

    /// What a source has of a toolkit. A name that does not tell the version counts where the source is of that version:
    /// cuDNN has the same for each.
    fn held(&mut self, at: usize, toolkit: &Toolkit, own: bool) -> Vec<Option<PathBuf>> {
        let found: Vec<Option<PathBuf>> = toolkit
            .libraries
            .iter()
            .map(|(name, _)| self.one(at, name))
            .collect();
        let of_version = match self.sources[at].origin {
            Origin::Cache => own,
            _ => found.first().is_some_and(Option::is_some),
        };
        let version = format!(".{}", toolkit.major);
        let names = toolkit.libraries.iter().map(|(name, _)| name);
        found
            .into_iter()
            .zip(names)
            .map(|(found, name)| found.filter(|_| of_version || name.ends_with(&version)))
            .collect()
    }

    /// A library of a source that can be opened; the sizes of those in the cache have been looked at.
    fn one(&mut self, at: usize, name: &str) -> Option<PathBuf> {
        let Source { origin, folders } = &self.sources[at];
        for folder in folders {
            let path = folder.join(name);
            if !path.is_file() {
                continue;
            }
            let why = match (origin, binary::unfit(&path)) {
                (Origin::Cache, _) | (_, Ok(None)) => return Some(path),
                (_, Ok(Some(why))) => why.to_string(),
                (_, Err(e)) => e.to_string(),
            };
            self.passed_over.insert((path, why));
        }
        None
    }

    /// Who has CUDA, and not the one that is needed, is to know why it does not count.
    fn tell_other_versions(&mut self, needed: &Toolkit) {
        let package = self.provider.package();
        for other in self
            .provider
            .entry()
            .toolkits
            .iter()
            .filter(|other| other.major != needed.major)
        {
            let first = other.libraries.first().map(|(name, _)| name);
            let found = (0..self.sources.len()).find_map(|at| self.one(at, first?));
            if let Some(path) = found {
                let why = format!(
                    "it is CUDA {}'s, and {package} needs CUDA {}",
                    other.major, needed.major
                );
                self.passed_over.insert((path, why));
            }
        }
    }
}

/// The CUDA of the library that would be opened now, or installed; that of our package where a provider has none.
pub(super) fn toolkit_here(provider: Provider) -> &'static Toolkit {
    let found = Places::of_process()
        .ok()
        .filter(|_| !provider.entry().toolkits.is_empty());
    let toolkit = found.and_then(|places| match places.named_library() {
        Some(named) => toolkit_of(provider, &beside(named, provider)?).ok(),
        // What is wrong with the cache is told by whoever opens it.
        None => places.inventory(provider).ok()??.main?.toolkit,
    });
    toolkit.unwrap_or(&TOOLKITS[0])
}

/// The provider's own library, beside ONNX Runtime's.
fn beside(main: &Path, provider: Provider) -> Option<PathBuf> {
    Some(main.parent()?.join(own_library(provider)?))
}

/// The name of a provider's own library; the CPU's code is in ONNX Runtime's.
fn own_library(provider: Provider) -> Option<String> {
    (provider != Provider::Cpu).then(|| format!("libonnxruntime_providers_{provider}.so"))
}

/// The CUDA that a provider's library is linked to.
fn toolkit_of(provider: Provider, library: &Path) -> Result<&'static Toolkit, String> {
    let linked_to = binary::linked_to(library).map_err(|e| e.to_string())?;
    let runtime = linked_to
        .iter()
        .find_map(|name| name.strip_prefix("libcudart.so."));
    let toolkits = provider.entry().toolkits;
    let known = toolkits
        .iter()
        .find(|toolkit| Some(toolkit.major.to_string().as_str()) == runtime);
    known.ok_or_else(|| match runtime {
        Some(version) => format!("it is for CUDA {version}"),
        None => "it is not linked to CUDA".to_owned(),
    })
}

/// How the names of ONNX Runtime's libraries begin that tell the version.
const LIBRARY: &str = "libonnxruntime.so.";

/// The ONNX Runtime of a folder that has the provider: that which came with the provider's own library, or else the newest,
/// and for the CPU first that of our package. `None` where none has it.
fn onnxruntime(folder: &Path, provider: Provider) -> Option<PathBuf> {
    let own = own_library(provider);
    if let Some(own) = &own {
        if !folder.join(own).is_file() {
            return None;
        }
        let wheels = wheels::of_folder(folder);
        let wheel = wheels.iter().find(|wheel| wheel.has(own));
        if let Some(name) = wheel.and_then(|wheel| wheel.named(LIBRARY)) {
            return Some(folder.join(name));
        }
    }
    let pinned = provider.wheel().map(|wheel| folder.join(wheel.library));
    if let Some(pinned) = pinned.filter(|path| own.is_none() && path.is_file()) {
        return Some(pinned);
    }
    let entries = fs::read_dir(folder).ok()?;
    let named = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("libonnxruntime.so")
    });
    let real = named.filter_map(|entry| fs::canonicalize(entry.path()).ok());
    real.max_by_key(|path| version(path))
}

/// The version in the name of a file such as `libonnxruntime.so.1.31.1`.
fn version(path: &Path) -> Option<Vec<u32>> {
    let name = path.file_name()?.to_str()?;
    let version = name.strip_prefix(LIBRARY)?;
    let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() > 1)
}

/// The ONNX Runtime at `path` that others installed into `folder`, or why it cannot be used.
fn foreign(folder: &Path, path: &Path, provider: Provider, origin: Origin) -> Result<Main, String> {
    let Some(version) = version(path) else {
        return Err("its name does not tell its version; ORT_DYLIB_PATH can name it".to_owned());
    };
    let told: Vec<String> = version.iter().map(u32::to_string).collect();
    let told = told.join(".");
    if version < vec![1, ort::MINOR_VERSION] {
        return Err(format!(
            "it is ONNX Runtime {told}, and 1.{} or newer is needed",
            ort::MINOR_VERSION
        ));
    }
    let own = own_library(provider);
    if let Some(own) = &own {
        replaced(folder, path, own)?;
    }
    let own = own.map(|own| folder.join(own));
    for library in [Some(path), own.as_deref()].into_iter().flatten() {
        let unfit = binary::unfit(library).map_err(|e| e.to_string())?;
        if let Some(why) = unfit {
            let name = library.file_name().unwrap_or_default();
            return Err(format!("{}: {why}", name.to_string_lossy()));
        }
    }
    let toolkit = match (&own, provider.entry().toolkits.is_empty()) {
        (Some(own), false) => Some(toolkit_of(provider, own)?),
        _ => None,
    };
    Ok(Main {
        path: path.to_owned(),
        version: told,
        origin,
        sha256: None,
        toolkit,
    })
}

/// Whether another wheel put its file where that of the provider's wheel was: the two would not know each other.
fn replaced(folder: &Path, path: &Path, own: &str) -> Result<(), String> {
    let wheels = wheels::of_folder(folder);
    let Some(wheel) = wheels.iter().find(|wheel| wheel.has(own)) else {
        return Ok(());
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match !wheel.has(&name) || wheel.is_there(folder, &name) {
        true => Ok(()),
        false => Err(format!(
            "it is not the file that {0} brought, so another package was installed over it or removed with it; \
             `pip install --force-reinstall --no-deps {0}` puts it back",
            wheel.requirement
        )),
    }
}
