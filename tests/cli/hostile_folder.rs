//! The installation of ONNX Runtime where strangers' files lie: none of them is run, and it ends when the program does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ort_runtime::providers::Provider;
use tempfile::TempDir;

fn program(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn setup(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command
        .arg("setup")
        .current_dir(folder)
        .env("HARNESS_CACHE", folder.join("cache"))
        .env_remove("ORT_DYLIB_PATH")
        .stdin(Stdio::null());
    command
}

/// With the machine's own Python and pip: a `pip.py` beside the user was run in place of pip.
#[test]
fn nothing_that_lies_in_the_working_folder_is_run() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let pwned = at("pwned");
    let python = format!(
        "open({:?}, 'w').write(__file__)\n",
        pwned.display().to_string()
    );
    for module in [
        "pip.py",
        "tokenize.py",
        "sitecustomize.py",
        "usercustomize.py",
        "ssl.py",
        "json.py",
        "start.py",
    ] {
        fs::write(at(module), &python).unwrap();
    }
    let shell = format!("echo \"$0\" > '{}'", pwned.display());
    for name in ["python3", "uv"] {
        program(folder.path(), name, &shell);
        program(&at("bin"), name, &shell);
    }
    fs::write(at("uv.toml"), "this is no TOML").unwrap();
    let path = std::env::var("PATH").unwrap();
    let out = setup(folder.path())
        .env("PATH", format!(":.:bin:{path}:"))
        .env("PYTHONPATH", folder.path())
        .env("PYTHONSTARTUP", at("start.py"))
        .env("PYTHONUSERBASE", folder.path())
        // What pip's own settings say is the user's word: here, that it finds nothing.
        .env("PIP_NO_INDEX", "1")
        .env("UV_NO_INDEX", "1")
        .env("UV_OFFLINE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!pwned.exists(), "{}", fs::read_to_string(&pwned).unwrap());
    assert_eq!(out.status.code(), Some(1), "{said}");
    // The installer that is the machine's was asked, and answered for itself.
    assert!(
        said.contains("error: cannot install onnxruntime 1.31.1"),
        "{said}"
    );
    assert!(
        said.contains("No matching distribution")
            || said.contains("No solution found")
            || said.contains("no wheels"),
        "{said}"
    );
}

fn is_alive(id: &str) -> bool {
    // A zombie waits for nobody but init.
    let status = fs::read_to_string(format!("/proc/{id}/stat"));
    status.is_ok_and(|text| !text.contains(") Z "))
}

#[test]
fn an_installer_ends_with_the_program_and_the_next_one_goes_on_at_once() {
    for (signal, code) in [("-KILL", None), ("-TERM", Some(143)), ("-INT", Some(130))] {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let library = Provider::Cpu.wheel().unwrap().library;
        // The first one writes and writes; the second one installs.
        program(
            &at("bin"),
            "python3",
            &format!(
                "PATH=/usr/bin:/bin\nwhile [ $# -gt 0 ]; do [ \"$1\" = --target ] && target=$2; shift; done\n\
                 if [ -e '{started}' ]; then mkdir -p \"$target/onnxruntime/capi\"; \
                 printf library > \"$target/onnxruntime/capi/{library}\"; exit; fi\n\
                 mkdir -p \"$target\"; echo $$ > '{started}'\n\
                 for i in $(seq 6000); do echo x >> \"$target/x$i\"; sleep 0.01; done",
                started = at("started").display(),
            ),
        );
        let begin = || {
            let mut command = setup(folder.path());
            command
                .env("PATH", at("bin"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let child = begin();
        let began = Instant::now();
        let id = loop {
            if let Ok(text) = fs::read_to_string(at("started"))
                && text.ends_with('\n')
            {
                break text.trim().to_owned();
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "the installer does not start"
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(is_alive(&id));
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), code, "{signal}");
        // At once: the first one may still be about to end.
        let again = begin().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert_eq!(again.status.code(), Some(0), "{signal}: {said}");
        let ended = Instant::now();
        while is_alive(&id) {
            assert!(
                ended.elapsed() < Duration::from_secs(2),
                "{signal}: the installer goes on"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        let left = fs::read_dir(at("cache/onnxruntime")).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(
            left.len(),
            2,
            "{signal}: the lock and the library, {left:?}"
        );
    }
}
