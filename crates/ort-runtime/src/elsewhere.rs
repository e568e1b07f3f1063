//! Folders outside the cache in which a machine may have libraries already: where the loader looks, which a cluster's modules
//! set, and the Python environments that are active, into which PyTorch brings NVIDIA's.
//!
//! Nothing is started for it: no interpreter, no `ldconfig`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::found::Origin;
use super::python::{is_environment, matching, matching_in, once, packages};
use super::with_program;

/// Such folders, of Linux: the libraries of other systems have other names and rules.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere {
    /// Where the loader looks, in its order.
    pub loader: Vec<PathBuf>,
    /// Roots of Python environments, as `VIRTUAL_ENV` names one; the nearest first.
    pub environments: Vec<PathBuf>,
    /// Folders of Python packages that were installed with this program; empty of one that came without Python.
    pub with_program: Vec<PathBuf>,
}

/// Folders of one kind or one environment, whose libraries go together.
#[derive(Debug)]
pub(super) struct Source {
    pub origin: Origin,
    pub folders: Vec<PathBuf>,
}

/// What of a process says where its Python is.
#[derive(Debug, Default)]
struct Process {
    /// `VIRTUAL_ENV`, `CONDA_PREFIX`.
    named: Vec<PathBuf>,
    /// The program's own file: it may be in an environment that nobody activated.
    program: Option<PathBuf>,
    path: Option<OsString>,
    /// Where `pip install --user` puts things.
    user: Option<PathBuf>,
}

impl Elsewhere {
    /// Those of this process.
    pub fn of_process() -> Self {
        if !cfg!(target_os = "linux") {
            return Self::default();
        }
        let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let named = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(var);
        let home = etcetera::home_dir().ok();
        // Linux tells the file itself, wherever links to it are.
        let program = std::env::current_exe().ok();
        let with_program = program.as_deref().map(with_program::packages);
        let process = Process {
            named: named.map(PathBuf::from).collect(),
            program,
            path: var("PATH"),
            user: var("PYTHONUSERBASE")
                .map(PathBuf::from)
                .or_else(|| home.map(|home| home.join(".local"))),
        };
        Self {
            loader: loader(
                var("LD_LIBRARY_PATH").as_deref(),
                Path::new("/etc/ld.so.conf"),
            ),
            environments: environments(process),
            with_program: with_program.unwrap_or_default(),
        }
    }

    /// The packages that were installed with this program.
    pub(super) fn with_program(&self) -> Source {
        Source {
            origin: Origin::Python,
            folders: self.with_program.iter().flat_map(|it| within(it)).collect(),
        }
    }

    /// The loader's folders, and those of each environment; last what was installed with this program.
    pub(super) fn sources(&self) -> (Source, Vec<Source>) {
        let loader = Source {
            origin: Origin::Loader,
            folders: self.loader.clone(),
        };
        let environments = self.environments.iter().map(|root| Source {
            origin: Origin::Python,
            folders: folders(root),
        });
        (loader, environments.chain([self.with_program()]).collect())
    }
}

/// `LD_LIBRARY_PATH`, then what the system's loader is configured for, then what it always looks at. Folders that depend on
/// the working folder do not count.
fn loader(variable: Option<&OsStr>, configuration: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = variable
        .map(|list| std::env::split_paths(list).collect())
        .unwrap_or_default();
    configured(configuration, &mut all, 0);
    let usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
    all.extend(usual.map(PathBuf::from));
    once(all)
}

/// The folders of an `ld.so.conf` and of the files that it includes.
fn configured(file: &Path, all: &mut Vec<PathBuf>, depth: usize) {
    const DEEPEST: usize = 8;
    // What cannot be read is not there for the loader either.
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line
            .strip_prefix("include")
            .filter(|rest| rest.starts_with([' ', '\t']))
        {
            Some(pattern) if depth < DEEPEST => {
                let folder = file.parent().unwrap_or(Path::new("/"));
                // A relative pattern is taken from the folder of the file.
                let pattern = folder.join(pattern.trim());
                for included in matching(&pattern.to_string_lossy()) {
                    configured(&included, all, depth + 1);
                }
            }
            _ if line.starts_with('/') => all.push(PathBuf::from(line)),
            _ => {}
        }
    }
}

fn environments(process: Process) -> Vec<PathBuf> {
    let mut roots = process.named;
    let root_of = |program: &Path| program.parent().and_then(Path::parent).map(Path::to_owned);
    roots.extend(
        process
            .program
            .as_deref()
            .and_then(root_of)
            .filter(|root| is_environment(root)),
    );
    let python = process.path.as_deref().and_then(|path| {
        let mut files = std::env::split_paths(path).map(|folder| folder.join("python3"));
        files.find(|file| file.is_absolute() && file.is_file())
    });
    if let Some(python) = python {
        let own = root_of(&python).filter(|root| is_environment(root));
        let apart = own.is_some();
        roots.extend(own.or_else(|| root_of(&python)));
        // An environment stands for itself; a link such as `/usr/local/bin/python3` for where it leads to.
        if !apart {
            let real = fs::canonicalize(&python).ok();
            roots.extend(real.as_deref().and_then(root_of));
            roots.extend(process.user);
        }
    }
    once(roots)
}

/// Where libraries lie in an environment.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = packages(root).iter().flat_map(|it| within(it)).collect();
    if root.join("conda-meta").is_dir() {
        folders.push(root.join("lib"));
    }
    once(folders)
}

/// Where libraries lie in a folder of packages.
fn within(packages: &Path) -> Vec<PathBuf> {
    let mut folders = vec![packages.join("onnxruntime/capi")];
    folders.extend(matching_in(packages, "nvidia/*/lib"));
    folders.push(packages.join("tensorrt_libs"));
    folders
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn file(path: PathBuf, text: &str) -> PathBuf {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn the_loader_looks_where_it_is_told_to_then_where_it_is_configured_to() {
        let root = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = root.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (module, cuda, own) = (folder("module"), folder("cuda"), folder("own"));
        let main = format!(
            "# comment\ninclude conf.d/*.conf\ninclude {}\n{}\n/not/there\nrelative\n",
            root.path().join("main.conf").display(),
            own.display()
        );
        let main = file(root.path().join("main.conf"), &main);
        file(
            root.path().join("conf.d/cuda.conf"),
            &format!("{} # the toolkit\n", cuda.display()),
        );
        file(root.path().join("conf.d/other.txt"), "/usr\n");
        let variable =
            std::env::join_paths([Path::new(""), Path::new("."), &module, &module]).unwrap();
        let all = loader(Some(&variable), &main);
        assert_eq!(all[..3], [module, cuda, own], "{all:?}");
        let of_system = |folder: &PathBuf| {
            let folder = folder.to_string_lossy();
            folder.starts_with("/usr/lib") || folder.starts_with("/lib")
        };
        assert!(all[3..].iter().all(of_system), "{all:?}");
    }

    #[test]
    fn an_environment_has_libraries_in_several_places_the_newest_python_first() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("a [strange] name");
        for folder in [
            "lib/python3.9/site-packages/nvidia/cudnn/lib",
            "lib/python3.12/site-packages/nvidia/cu13/lib",
            "lib/python3.12/site-packages/nvidia/cudnn/lib",
            "lib/python3.12/site-packages/nvidia/cudnn/include",
            "lib/python3.12/site-packages/onnxruntime/capi",
            "lib/python3/dist-packages/tensorrt_libs",
            "conda-meta",
        ] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let packages = root.join("lib/python3.12/site-packages");
        assert_eq!(
            folders(&root),
            [
                packages.join("onnxruntime/capi"),
                packages.join("nvidia/cu13/lib"),
                packages.join("nvidia/cudnn/lib"),
                root.join("lib/python3.9/site-packages/nvidia/cudnn/lib"),
                root.join("lib/python3/dist-packages/tensorrt_libs"),
                root.join("lib"),
            ]
        );
    }

    #[test]
    fn the_environment_that_is_active_is_found_however_it_was_activated() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let venv = at("venv");
        file(venv.join("pyvenv.cfg"), "home = /usr/bin\n");
        file(venv.join("bin/python3"), "");
        file(at("opt/bin/python3.12"), "");
        file(at("home/.local/lib/x"), "");
        fs::create_dir_all(at("local/bin")).unwrap();
        std::os::unix::fs::symlink(at("opt/bin/python3.12"), at("local/bin/python3")).unwrap();
        let path = |name: &str| Some(at(name).into_os_string());
        let user = || Some(at("home/.local"));

        let by_variable = Process {
            named: vec![venv.clone(), at("gone")],
            ..Process::default()
        };
        assert_eq!(environments(by_variable), std::slice::from_ref(&venv));
        // Its own Python alone: what the user or the system has is not part of it.
        let by_path = Process {
            path: path("venv/bin"),
            user: user(),
            ..Process::default()
        };
        assert_eq!(environments(by_path), std::slice::from_ref(&venv));
        let by_program = Process {
            program: Some(venv.join("bin/harness")),
            ..Process::default()
        };
        assert_eq!(environments(by_program), [venv]);
        let of_system = Process {
            program: Some(at("local/bin/harness")),
            path: path("local/bin"),
            user: user(),
            ..Process::default()
        };
        assert_eq!(
            environments(of_system),
            [at("local"), at("opt"), at("home/.local")]
        );
    }
}
