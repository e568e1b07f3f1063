//! What system and processor a library file is built for, from its first bytes: a message before the loader's, which
//! tells less or ends the process.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why a file cannot be opened as a library here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("it is not a shared library")]
    NoLibrary,
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
pub fn unfit(path: &Path) -> io::Result<Option<Unfit>> {
    let mut head = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut head)?;
    let found = platforms(&head);
    Ok(if found.is_empty() {
        Some(Unfit::NoLibrary)
    } else if found.contains(&Platform::HERE) {
        None
    } else {
        Some(Unfit::OtherMachine { found: found[0] })
    })
}

/// Those of a library that begins with `head`: several for a universal one of macOS, none when it is no library.
fn platforms(head: &[u8]) -> Vec<Platform> {
    let on = |os, arch: Option<&'static str>| Platform {
        os,
        arch: arch.unwrap_or("unknown"),
    };
    match head {
        [0x7f, b'E', b'L', b'F', ..] => elf(head).map(|a| on("linux", a)).into_iter().collect(),
        [b'M', b'Z', ..] => pe(head).map(|a| on("windows", a)).into_iter().collect(),
        // 64 bits, in the order of both processors of Apple.
        [0xcf, 0xfa, 0xed, 0xfe, a, b, c, d, ..] => {
            vec![on("macos", mach(u32::from_le_bytes([*a, *b, *c, *d])))]
        }
        [0xca, 0xfe, 0xba, 0xbe, rest @ ..] => universal(rest)
            .into_iter()
            .map(|a| on("macos", a))
            .collect(),
        _ => Vec::new(),
    }
}

fn u16_at(head: &[u8], at: usize) -> Option<u16> {
    let bytes = head.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// The processor of a shared library; `None` for an executable or an object file, `Some(None)` for a strange processor.
fn elf(head: &[u8]) -> Option<Option<&'static str>> {
    let little = *head.get(5)? == 1;
    let number = |at| u16_at(head, at).map(|n| if little { n } else { n.swap_bytes() });
    const SHARED: u16 = 3;
    if number(16)? != SHARED {
        return None;
    }
    Some(match (number(18)?, little) {
        (62, true) => Some("x86_64"),
        (183, true) => Some("aarch64"),
        (3, true) => Some("x86"),
        (40, true) => Some("arm"),
        (243, true) => Some("riscv64"),
        (21, true) => Some("powerpc64"),
        _ => None,
    })
}

fn pe(head: &[u8]) -> Option<Option<&'static str>> {
    let header = usize::from(u16_at(head, 0x3c)?);
    if head.get(header..header + 4)? != b"PE\0\0" {
        return None;
    }
    Some(match u16_at(head, header + 4)? {
        0x8664 => Some("x86_64"),
        0xaa64 => Some("aarch64"),
        0x014c => Some("x86"),
        _ => None,
    })
}

fn mach(cpu: u32) -> Option<&'static str> {
    match cpu {
        0x0100_0007 => Some("x86_64"),
        0x0100_000c => Some("aarch64"),
        _ => None,
    }
}

/// A list of libraries in one file, in big-endian numbers.
fn universal(rest: &[u8]) -> Vec<Option<&'static str>> {
    let number = |at: usize| -> Option<u32> {
        let bytes = rest.get(at..at + 4)?;
        Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    // Files of Java begin alike; the number there is a version, above 40.
    let count = number(0).filter(|&n| n < 20).unwrap_or_default();
    (0..count as usize)
        .map_while(|i| number(4 + 20 * i))
        .map(mach)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf_head(machine: u16, kind: u16) -> Vec<u8> {
        let mut head = vec![0; 64];
        head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        head[16..18].copy_from_slice(&kind.to_le_bytes());
        head[18..20].copy_from_slice(&machine.to_le_bytes());
        head
    }

    fn told(head: &[u8]) -> Vec<String> {
        platforms(head).iter().map(Platform::to_string).collect()
    }

    #[test]
    fn each_format_names_its_system_and_processor() {
        assert_eq!(told(&elf_head(62, 3)), ["Linux on x86_64"]);
        assert_eq!(told(&elf_head(183, 3)), ["Linux on aarch64"]);
        assert_eq!(told(&elf_head(258, 3)), ["Linux on another processor"]);
        let mut pe = vec![0; 256];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x80;
        pe[0x80..0x84].copy_from_slice(b"PE\0\0");
        pe[0x84..0x86].copy_from_slice(&0xaa64u16.to_le_bytes());
        assert_eq!(told(&pe), ["Windows on aarch64"]);
        let mach = [0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1];
        assert_eq!(told(&mach), ["macOS on aarch64"]);
        let mut fat = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
        for cpu in [0x0100_0007u32, 0x0100_000c] {
            fat.extend(cpu.to_be_bytes());
            fat.extend([0; 16]);
        }
        assert_eq!(told(&fat), ["macOS on x86_64", "macOS on aarch64"]);
    }

    #[test]
    fn what_is_no_library_is_none() {
        let executable = elf_head(62, 2);
        let short = &executable[..10];
        let java = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61, 0, 0];
        let dos = [b'M', b'Z', 0, 0];
        for head in [&executable[..], short, &java, &dos, b"", b"#!/bin/sh"] {
            assert_eq!(told(head), Vec::<String>::new(), "{head:?}");
        }
    }
}
