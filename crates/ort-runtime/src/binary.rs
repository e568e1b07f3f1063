//! What system and processor a library file is built for, and whether it is whole: a message before the loader's, which
//! tells less or ends the process.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use object::macho::FatArch32;
use object::read::macho::{FatArch, MachOFatFile32};
use object::{Architecture, FileKind, Object, ObjectKind, ObjectSegment, ReadCache, ReadRef};

/// Why a file cannot be opened as a library here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("it is not a shared library")]
    NoLibrary,
    #[error("it is cut off or damaged")]
    Damaged,
    #[error("it is built for {found}, this machine is {}", Platform::HERE)]
    OtherMachine { found: Platform },
}

/// A system and a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// In the words of [`std::env::consts::OS`]; the format of a library tells no more.
    pub os: &'static str,
    /// In the words of [`std::env::consts::ARCH`]; another one is `unknown`.
    pub arch: &'static str,
}

impl Platform {
    /// This machine.
    pub const HERE: Platform = Platform {
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
    };

    fn of(os: &'static str, architecture: Architecture) -> Self {
        let arch = match architecture {
            Architecture::X86_64 => "x86_64",
            Architecture::Aarch64 => "aarch64",
            Architecture::I386 => "x86",
            Architecture::Arm => "arm",
            Architecture::Riscv64 => "riscv64",
            Architecture::PowerPc64 => "powerpc64",
            _ => "unknown",
        };
        Self { os, arch }
    }
}

/// As its makers write it.
pub(super) fn system_name(os: &str) -> &str {
    match os {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let os = system_name(self.os);
        match self.arch {
            "unknown" => write!(f, "{os} on another processor"),
            arch => write!(f, "{os} on {arch}"),
        }
    }
}

/// Whether the library at `path` is for this machine. `Ok(Some(_))`: it is not, and why.
///
/// # Errors
/// When the file cannot be read.
pub fn unfit(path: &Path) -> io::Result<Option<Unfit>> {
    let file = File::open(path)?;
    Ok(inspect(&ReadCache::new(file)).err())
}

/// The libraries that the one at `path` is linked to, as the loader looks for them; none of a file that is no library.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn linked_to(path: &Path) -> io::Result<Vec<String>> {
    let file = ReadCache::new(File::open(path)?);
    let Ok(library) = object::File::parse(&file) else {
        return Ok(Vec::new());
    };
    let names = library.import_libraries().map(|all| {
        all.flatten()
            .map(|one| String::from_utf8_lossy(one.name()).into_owned())
            .collect()
    });
    Ok(names.unwrap_or_default())
}

fn inspect<'f>(file: impl ReadRef<'f>) -> Result<(), Unfit> {
    let system = match FileKind::parse(file) {
        Ok(FileKind::Elf32 | FileKind::Elf64) => "linux",
        Ok(FileKind::Pe32 | FileKind::Pe64) => "windows",
        Ok(FileKind::MachO32 | FileKind::MachO64) => "macos",
        Ok(FileKind::MachOFat32) => return universal(file),
        _ => return Err(Unfit::NoLibrary),
    };
    let library = object::File::parse(file).map_err(|_| Unfit::Damaged)?;
    // Those of the other formats do not tell.
    if system == "linux" && library.kind() != ObjectKind::Dynamic {
        return Err(Unfit::NoLibrary);
    }
    is_here(&[Platform::of(system, library.architecture())])?;
    let end = library.segments().map(|part| {
        let (at, bytes) = part.file_range();
        at.saturating_add(bytes)
    });
    match file.len() {
        Ok(bytes) if end.max().is_none_or(|end| end <= bytes) => Ok(()),
        _ => Err(Unfit::Damaged),
    }
}

/// Libraries of several processors in one file.
fn universal<'f>(file: impl ReadRef<'f>) -> Result<(), Unfit> {
    // Files of Java begin alike; the number there is a version, read as a count of libraries that does not fit.
    let all = MachOFatFile32::parse(file).map_err(|_| Unfit::NoLibrary)?;
    let of = |one: &FatArch32| Platform::of("macos", one.architecture());
    is_here(&all.arches().iter().map(of).collect::<Vec<_>>())
}

fn is_here(built_for: &[Platform]) -> Result<(), Unfit> {
    match built_for.first() {
        None => Err(Unfit::NoLibrary),
        Some(_) if built_for.contains(&Platform::HERE) => Ok(()),
        Some(&found) => Err(Unfit::OtherMachine { found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Provider, library};

    fn elf(machine: u16, kind: u16) -> Vec<u8> {
        let mut head = vec![0; 64];
        head[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        head[16..18].copy_from_slice(&kind.to_le_bytes());
        head[18..20].copy_from_slice(&machine.to_le_bytes());
        head
    }

    fn pe(machine: u16) -> Vec<u8> {
        let mut file = vec![0; 0x80 + 24 + 112];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x80;
        file[0x80..0x84].copy_from_slice(b"PE\0\0");
        file[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
        // The optional header, without directories.
        file[0x80 + 20] = 112;
        file[0x80 + 24..][..2].copy_from_slice(&0x20bu16.to_le_bytes());
        file
    }

    fn mach(cpu: u8) -> Vec<u8> {
        let mut file = vec![0; 32];
        file[..8].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe, cpu, 0, 0, 1]);
        file[12] = 6;
        file
    }

    /// What a file is built for, if not for here; `here` where it is.
    fn told(file: &[u8]) -> String {
        match inspect(file) {
            Ok(()) => Platform::HERE.to_string(),
            Err(Unfit::OtherMachine { found }) => found.to_string(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn each_format_names_its_system_and_processor() {
        assert_eq!(told(&elf(62, 3)), "Linux on x86_64");
        assert_eq!(told(&elf(183, 3)), "Linux on aarch64");
        assert_eq!(told(&elf(999, 3)), "Linux on another processor");
        assert_eq!(told(&pe(0xaa64)), "Windows on aarch64");
        assert_eq!(told(&pe(0x8664)), "Windows on x86_64");
        assert_eq!(told(&mach(0x0c)), "macOS on aarch64");
        let mut fat = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
        for cpu in [0x0100_000cu32, 0x0100_0007] {
            fat.extend(cpu.to_be_bytes());
            fat.extend([0; 16]);
        }
        let here = match cfg!(target_os = "macos") {
            true => Platform::HERE.to_string(),
            false => "macOS on aarch64".to_owned(),
        };
        assert_eq!(told(&fat), here);
    }

    #[test]
    fn what_is_no_library_is_none() {
        let executable = elf(62, 2);
        let java = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61, 0, 0];
        let dos = [b'M', b'Z', 0, 0];
        for file in [
            &executable[..],
            &executable[..10],
            &java,
            &dos,
            b"",
            b"#!/bin/sh",
        ] {
            assert_eq!(inspect(file), Err(Unfit::NoLibrary), "{file:?}");
        }
    }

    #[test]
    fn a_real_library_is_whole_and_any_shorter_one_is_not() {
        let path = library::find_or_install(Provider::Cpu, false).unwrap().path;
        assert_eq!(unfit(&path).unwrap(), None);
        let whole = std::fs::read(&path).unwrap();
        let parts = if cfg!(target_os = "linux") { 97 } else { 2 };
        for part in 1..parts {
            let cut = &whole[..whole.len() / parts * part];
            assert_eq!(inspect(cut), Err(Unfit::Damaged), "{part} of {parts}");
        }
        if cfg!(target_os = "linux") {
            let needed = linked_to(&path).unwrap();
            assert!(needed.iter().any(|name| name.starts_with("libc.so.")));
        }
    }
}
