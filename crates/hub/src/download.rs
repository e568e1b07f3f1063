//! Brings a file's bytes into the blob folder: going on where it was cut off, checked before they get their name.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use foreign::Foreign;
use indicatif::{DecimalBytes, ProgressBar};
use process::progress;

use super::checked::Checked;
use super::error::HubError;
use super::failure::Failure;
use super::name::HubFile;
use super::pace::Pace;
use super::remote::{Remote, Rest, Stated};
use super::store::Store;

/// Make sure that the blob of `stated` is there.
///
/// Bytes arrive in `<blob>.incomplete`, the name that Python's `huggingface_hub` uses too, and are renamed when their
/// size and hashes are right. A wrong file is removed. When an earlier, partial file was gone on with, it may be the
/// cause: then the whole is fetched once more.
pub(super) fn download(
    remote: &Remote,
    store: &Store,
    file: &HubFile,
    stated: &Stated,
    checked: &Checked,
) -> Result<(), HubError> {
    let blob = store.blob(&stated.etag);
    let folder = blob.parent().unwrap_or(&blob).to_owned();
    fs::create_dir_all(&folder).map_err(HubError::io("make", &folder))?;
    let _lock = store.lock(&stated.etag)?;
    match fs::metadata(&blob) {
        // Another process, or another revision of the same file. Its hash is checked with every other.
        Ok(found) if found.len() == stated.info.bytes => return Ok(()),
        Ok(_) => fs::remove_file(&blob).map_err(HubError::io("remove", &blob))?,
        Err(_) => {}
    }
    let partial = folder.join(format!("{}.incomplete", stated.etag));
    let transfer = Transfer {
        remote,
        file,
        total: stated.info.bytes,
        partial: &partial,
        checkable: stated.info.sha256.is_some() || file.sha256.is_some(),
    };
    let mut went_on = transfer.run()?;
    loop {
        let sha256 = files::sha256_file(&partial).map_err(HubError::io("read", &partial))?;
        let Err(error) = judge(file, stated, &sha256) else {
            fs::rename(&partial, &blob).map_err(HubError::io("name", &blob))?;
            return checked.remember(&blob, &sha256);
        };
        fs::remove_file(&partial).map_err(HubError::io("remove", &partial))?;
        if !went_on {
            return Err(error);
        }
        progress::note(format!(
            "the part of {file} that an earlier download left was damaged; downloading the whole"
        ));
        went_on = transfer.run()?;
    }
}

fn judge(file: &HubFile, stated: &Stated, sha256: &str) -> Result<(), HubError> {
    match (&stated.info.sha256, file.pin()) {
        (Some(hub), _) if hub != sha256 => Err(HubError::Damaged {
            file: Foreign::said(file),
            stated: Foreign::new(hub),
            found: Foreign::new(sha256),
        }),
        (_, Some(pinned)) if pinned != sha256 => Err(HubError::PinMismatch {
            file: Foreign::said(file),
            pinned: Foreign::new(pinned),
            found: Foreign::new(sha256),
        }),
        _ => Ok(()),
    }
}

struct Transfer<'a> {
    remote: &'a Remote<'a>,
    file: &'a HubFile,
    total: u64,
    partial: &'a Path,
    /// Whether a hash will show damage in what an earlier run left; if not, that is not used.
    checkable: bool,
}

impl Transfer<'_> {
    /// Fill the partial file up. Gives whether there was a part of it before.
    fn run(&self) -> Result<bool, HubError> {
        let mut out = File::options()
            .append(true)
            .create(true)
            .open(self.partial)
            .map_err(HubError::io("open", self.partial))?;
        let found = out.metadata().map_err(HubError::io("read", self.partial))?;
        let mut have = found.len();
        if have > self.total || !self.checkable {
            have = self.cut(&out, 0)?;
        }
        let went_on = have > 0;
        self.announce(have);
        let bar = progress::bytes(&self.file.file, self.total);
        bar.set_position(have);
        let mut best = have;
        let mut failures = 0;
        let mut pace = self.remote.pace();
        while have < self.total {
            let cause = match self.remote.rest(have, self.total) {
                Ok(rest) => {
                    if rest.start != have {
                        have = self.cut(&out, rest.start)?;
                    }
                    self.copy(rest, &mut out, &mut have, (&bar, &mut pace))?
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { cause, .. }) => cause,
            };
            if have == self.total {
                break;
            }
            pace.count(0).map_err(|cause| self.cut_off(have, cause))?;
            // More than ever before is progress; the same bytes once more are not.
            if have > best {
                best = have;
                failures = 0;
            }
            if failures >= self.remote.retries() {
                return Err(self.cut_off(have, cause));
            }
            std::thread::sleep(self.remote.pause(failures));
            failures += 1;
        }
        bar.finish_and_clear();
        out.sync_all()
            .map_err(HubError::io("write", self.partial))?;
        Ok(went_on)
    }

    fn cut_off(&self, have: u64, cause: String) -> HubError {
        HubError::CutOff {
            file: Foreign::said(self.file),
            have,
            total: self.total,
            cause: Foreign::said(cause),
        }
    }

    /// Append what comes until the end, or until the line breaks; then the cause is given.
    fn copy(
        &self,
        mut rest: Rest,
        out: &mut File,
        have: &mut u64,
        (bar, pace): (&ProgressBar, &mut Pace),
    ) -> Result<String, HubError> {
        let mut buffer = vec![0u8; 1 << 18];
        loop {
            let n = match rest.reader.read(&mut buffer) {
                Ok(0) => return Ok("the connection ended early".to_owned()),
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Ok(e.to_string()),
            };
            out.write_all(&buffer[..n])
                .map_err(HubError::io("write", self.partial))?;
            *have += n as u64;
            bar.set_position(*have);
            pace.count(n as u64)
                .map_err(|cause| self.cut_off(*have, cause))?;
        }
    }

    fn cut(&self, out: &File, to: u64) -> Result<u64, HubError> {
        out.set_len(to)
            .map_err(HubError::io("shorten", self.partial))?;
        Ok(to)
    }

    fn announce(&self, have: u64) {
        let from = match have {
            0 => String::new(),
            n => format!(", going on at {}", DecimalBytes(n)),
        };
        let total = DecimalBytes(self.total);
        progress::note(format!("downloading {} ({total}){from}", self.file));
    }
}
