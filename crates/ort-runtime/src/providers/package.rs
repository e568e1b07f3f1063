//! Pinned packages of the Python package index, and their files for this machine and that.
//!
//! ONNX Runtime is taken from the wheels that its makers publish for Python. The C library inside a wheel does not
//! depend on the Python version, but the wheel's hash does. So one fixed Python version is asked for ([`PYTHON`]),
//! whatever Python runs the installer: one hash a platform is enough, and any Python that has pip will do, also one for
//! which no wheel exists.

use std::fmt;

/// The Python version whose wheels are taken; nothing of the harness runs on it.
pub const PYTHON: &str = "3.12";

/// A pinned package of the Python package index.
#[derive(Debug)]
pub struct Package {
    /// As the index spells it.
    pub name: &'static str,
    /// The version of the package; for one that holds ONNX Runtime, that of ONNX Runtime.
    pub version: &'static str,
    /// One a platform.
    pub wheels: &'static [Wheel],
}

/// One file of a package.
#[derive(Debug, Clone, Copy)]
pub struct Wheel {
    /// `std::env::consts::OS` of the machines it is for.
    pub os: &'static str,
    /// `std::env::consts::ARCH` of the machines it is for.
    pub arch: &'static str,
    /// pip's name of the platform; part of the name of the cache folder, since clusters share home folders.
    pub tag: &'static str,
    /// uv's name of the platform.
    pub uv_platform: &'static str,
    /// The library to open; the others in the wheel are its parts, and it looks for them beside itself.
    pub library: &'static str,
    /// Of the whole wheel; the installer refuses any other.
    pub sha256: &'static str,
    /// What has to be downloaded.
    pub bytes: u64,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl Package {
    /// The wheel for this machine, if there is one.
    pub fn wheel(&self) -> Option<&'static Wheel> {
        // The wheels for Linux need glibc.
        if cfg!(target_env = "musl") {
            return None;
        }
        self.wheel_for(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// The wheel for machines of `os` and `arch`, in the words of [`std::env::consts`].
    pub fn wheel_for(&self, os: &str, arch: &str) -> Option<&'static Wheel> {
        self.wheels.iter().find(|w| w.os == os && w.arch == arch)
    }
}
