//! The Python packages that were installed with this program: its wheel asks for `onnxruntime`, which then lies in the same
//! environment, whether that is activated or not (`uvx`, `pipx`).

use std::path::{Path, PathBuf};

use super::python::{is_environment, matching_in, once, packages as packages_of};

/// The name of this program's wheel as folders have it; `pyproject.toml` says `tasty-harness`.
const WHEEL: &str = "tasty_harness";

/// The folders of packages beside `program`, a file such as `ENV/bin/harness`: those in which its own wheel is; or, of a
/// virtual environment into which it was put otherwise, all.
pub(super) fn packages(program: &Path) -> Vec<PathBuf> {
    let Some(root) = program.parent().and_then(Path::parent) else {
        return Vec::new();
    };
    let all = packages_of(root);
    // `pip install --target` puts packages into the root itself.
    let all_and_root = all.iter().cloned().chain([root.to_owned()]);
    let with_wheel: Vec<PathBuf> = all_and_root.filter(|it| has_wheel(it)).collect();
    match (with_wheel.is_empty(), is_environment(root)) {
        (false, _) => once(with_wheel),
        (true, true) => once(all),
        (true, false) => Vec::new(),
    }
}

fn has_wheel(packages: &Path) -> bool {
    !matching_in(packages, &format!("{WHEEL}-*.dist-info")).is_empty()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;
    use crate::Provider;

    /// A folder with these folders in it.
    fn root(folders: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in folders {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        root
    }

    fn found(root: &tempfile::TempDir) -> Vec<String> {
        let packages = packages(&root.path().join("bin/harness"));
        let name = |path: &PathBuf| {
            let name = path.strip_prefix(root.path()).unwrap();
            name.to_str().unwrap().to_owned()
        };
        packages.iter().map(name).collect()
    }

    #[test]
    fn the_wheel_shows_which_of_several_pythons_has_the_program() {
        let (old, new) = (
            "lib/python3.11/site-packages",
            "lib/python3.13/site-packages",
        );
        let own = format!("{old}/tasty_harness-0.1.0.dist-info");
        // As `pip install --user` leaves `~/.local`: no virtual environment.
        assert_eq!(found(&root(&[new, &own])), [old]);
        let other = format!("{new}/tasty_harness_plots-0.1.0.dist-info");
        assert_eq!(found(&root(&[&own, &other])), [old]);
        let debian = "local/lib/python3.11/dist-packages";
        let own = format!("{debian}/tasty_harness-0.2.0.dist-info");
        assert_eq!(found(&root(&[new, &own])), [debian]);
    }

    #[test]
    fn a_target_folder_has_packages_beside_the_programs() {
        let root = root(&["bin", "onnxruntime/capi", "tasty_harness-0.1.0.dist-info"]);
        assert_eq!(found(&root), [""]);
    }

    #[test]
    fn a_program_without_a_wheel_has_what_its_virtual_environment_has() {
        let packages = "lib/python3.12/site-packages";
        let root = root(&[packages]);
        assert!(found(&root).is_empty(), "such as /usr/local");
        fs::write(root.path().join("pyvenv.cfg"), "").unwrap();
        assert_eq!(found(&root), [packages]);
    }

    #[test]
    fn the_project_file_has_its_name_and_asks_for_the_versions_that_would_be_installed() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pyproject.toml");
        let project = fs::read_to_string(file).unwrap();
        let name = format!("name = \"{}\"", WHEEL.replace('_', "-"));
        assert!(project.lines().any(|line| line == name), "{name}");
        for provider in [Provider::Cpu, Provider::OpenVino] {
            let package = provider.package();
            let pinned = format!("\"{}=={}", package.name, package.version);
            assert!(project.contains(&pinned), "{pinned}");
        }
    }
}
