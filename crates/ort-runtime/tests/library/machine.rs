//! A machine of a test, and what passes for libraries on it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ort_runtime::elsewhere::Elsewhere;
use ort_runtime::library::Places;
use ort_runtime::providers::Provider;
use tempfile::TempDir;

/// A machine with an empty cache and nothing but the stand-ins on its `PATH`.
pub struct Machine {
    pub root: TempDir,
}

impl Machine {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bin")).unwrap();
        Machine { root }
    }

    pub fn places(&self) -> Places {
        Places {
            ort_dylib_path: None,
            cache: self.root.path().join("cache"),
            search_path: Some(self.root.path().join("bin").into_os_string()),
            elsewhere: Elsewhere::default(),
        }
    }

    /// A program that notes its arguments in `calls`, then does `script` with `$target` set from `--target`.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.root.path().join("bin").join(name);
        let calls = self.calls_file();
        let text = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\necho \"{name} $*\" >> '{}'\n\
             while [ $# -gt 0 ]; do [ \"$1\" = --target ] && target=$2; [ \"$1\" = -r ] && requirements=$2; shift; done\n\
             {script}\n",
            calls.display()
        );
        // Written by another process: a file that this one had open for writing might be inherited by the children
        // of other tests just then, and a file open for writing cannot be started.
        let mut writer = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
    }

    pub fn calls_file(&self) -> PathBuf {
        self.root.path().join("calls")
    }

    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.calls_file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Names in the cache's `onnxruntime` folder.
    pub fn installed(&self) -> Vec<String> {
        let folder = self.root.path().join("cache/onnxruntime");
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|n| n != ".lock")
            .collect()
    }
}

pub fn library_name() -> &'static str {
    Provider::Cpu.package().wheel().unwrap().library
}

/// What pip leaves of the real wheel, in small.
pub fn good_installer() -> String {
    format!(
        "mkdir -p \"$target/onnxruntime/capi\" && cd \"$target/onnxruntime/capi\" && printf library > {} \
         && printf shared > libonnxruntime_providers_shared.so && printf python > onnxruntime_pybind11_state.so \
         && printf text > __init__.py",
        library_name()
    )
}

/// The first bytes of a shared library for Linux on the processor with ELF's number `machine`.
pub fn elf(machine: u16) -> Vec<u8> {
    let mut head = vec![0; 64];
    head[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    head[16] = 3;
    head[18..20].copy_from_slice(&machine.to_le_bytes());
    head
}

pub const X86_64: u16 = 62;
pub const AARCH64: u16 = 183;
pub const OTHER: u16 = if cfg!(target_arch = "x86_64") {
    AARCH64
} else {
    X86_64
};

/// What passes for a library of this machine until it is opened.
pub fn own_elf() -> Vec<u8> {
    if cfg!(target_os = "macos") {
        let cpu = if cfg!(target_arch = "aarch64") {
            0x0c
        } else {
            0x07
        };
        let mut head = vec![0xcf, 0xfa, 0xed, 0xfe, cpu, 0, 0, 1];
        head.resize(32, 0);
        return head;
    }
    elf(if OTHER == AARCH64 { X86_64 } else { AARCH64 })
}

/// What pip leaves of each wheel of a provider, in small: the libraries that are opened of it, where NVIDIA puts them.
pub fn installer_of(provider: Provider) -> String {
    let entry = provider.entry();
    let opened: Vec<_> = entry
        .toolkits
        .first()
        .map_or(Vec::new(), |own| own.libraries.to_vec());
    let mut script = "case \"$(cat \"$requirements\")\" in\n".to_owned();
    for package in [entry.package].into_iter().chain(entry.beside) {
        let own = package.wheel().unwrap().library;
        let others = opened
            .iter()
            .filter(|(_, of)| *of == package.name)
            .map(|(name, _)| *name);
        let names: BTreeSet<&str> = others.chain([own]).collect();
        let names: Vec<&str> = names.into_iter().collect();
        script.push_str(&format!(
            "{}==*) mkdir -p \"$target/nvidia/cu13/lib\" && for name in {}; do printf $name > \"$target/nvidia/cu13/lib/$name\"; done ;;\n",
            package.name, names.join(" ")
        ));
    }
    script + "*) exit 1 ;; esac"
}

/// A shared library of this machine that is linked to others, with as much behind it as a real one has.
#[cfg(target_os = "linux")]
pub fn linked(to: &[&str]) -> Vec<u8> {
    const NEEDED: u64 = 1;
    const DYNAMIC: u32 = 6;
    const STRINGS: u32 = 3;
    let mut strings = vec![0];
    let mut dynamic = Vec::new();
    for name in to {
        dynamic.extend(NEEDED.to_le_bytes());
        dynamic.extend((strings.len() as u64).to_le_bytes());
        strings.extend(name.bytes().chain([0]));
    }
    dynamic.extend([0; 16]);
    let mut file = own_elf();
    let dynamic_at = file.len() as u64;
    file.extend(&dynamic);
    let strings_at = file.len() as u64;
    file.extend(&strings);
    file.resize(file.len().next_multiple_of(8), 0);
    let sections_at = file.len() as u64;
    let mut section = |kind: u32, at: u64, bytes: usize, link: u32, entry: u64| {
        file.extend([0; 4]);
        file.extend(kind.to_le_bytes());
        file.extend([0; 16]);
        file.extend(at.to_le_bytes());
        file.extend((bytes as u64).to_le_bytes());
        file.extend(link.to_le_bytes());
        file.extend([0; 12]);
        file.extend(entry.to_le_bytes());
    };
    section(0, 0, 0, 0, 0);
    section(DYNAMIC, dynamic_at, dynamic.len(), 2, 16);
    section(STRINGS, strings_at, strings.len(), 0, 0);
    file[40..48].copy_from_slice(&sections_at.to_le_bytes());
    // Sizes of the header and of a section's, how many sections there are, and which has their names.
    file[52..54].copy_from_slice(&64u16.to_le_bytes());
    file[58..60].copy_from_slice(&64u16.to_le_bytes());
    file[60..62].copy_from_slice(&3u16.to_le_bytes());
    file[62..64].copy_from_slice(&2u16.to_le_bytes());
    file
}
