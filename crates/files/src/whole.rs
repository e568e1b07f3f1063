//! A file that appears once it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::part::PartFile;
use crate::sweep_once;

/// A file on its way to `path`: a reader sees the old one or the whole new one, never a part. When this is dropped before
/// [`finish`](WholeFile::finish), what stood at `path` stays.
///
/// What is no file (`/dev/null`, a pipe) is written into, never replaced.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    Part(BufWriter<PartFile>),
    Device(BufWriter<File>),
}

impl WholeFile {
    /// The folder must exist.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn create(path: &Path) -> io::Result<Self> {
        let to = if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            To::Device(BufWriter::new(File::options().write(true).open(path)?))
        } else {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            sweep_once(folder);
            To::Part(BufWriter::with_capacity(1 << 20, PartFile::new_in(folder)?))
        };
        Ok(Self {
            path: path.to_owned(),
            to,
        })
    }

    /// Flush what was written to the disk, and give the file its name.
    ///
    /// # Errors
    /// Those of the disk; what stood at the path stays then.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            To::Device(mut writer) => writer.flush(),
            To::Part(writer) => {
                let part = writer.into_inner().map_err(|e| e.into_error())?;
                part.as_file().sync_all()?;
                part.persist(&self.path)
            }
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Part(writer) => writer.write(bytes),
            To::Device(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Part(writer) => writer.flush(),
            To::Device(writer) => writer.flush(),
        }
    }
}
