//! A disk without room, for those who may mount one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk of some MB in memory, gone with the value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// At a folder that is made for it; `None`, and a line that says so, where this user may not mount.
    pub fn mount(at: &Path, megabytes: usize) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: this user may not mount");
        }
        mounted.then(|| Self(at.to_owned()))
    }

    /// Leave `free` bytes, a whole number of pages, beside a file `filler`.
    pub fn fill(&self, free: usize) {
        let filler = self.0.join("filler");
        let _ = fs::remove_file(&filler);
        let output = Command::new("df")
            .arg("--output=avail")
            .arg("-B1")
            .arg(&self.0)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let room: usize = text.lines().nth(1).unwrap().trim().parse().unwrap();
        fs::write(filler, vec![0; room - free]).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still looks at it, the folder can go.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
