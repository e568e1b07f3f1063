//! Which wheel a library came from, where several put theirs into one folder: `onnxruntime`, `onnxruntime-gpu` and
//! `onnxruntime-openvino` all fill `onnxruntime/capi`, and what is installed later replaces files of the same name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use files::regular;

use super::python::matching_in;

/// It takes some dozen kilobytes.
const LARGEST_RECORD: u64 = 16 << 20;

/// What a wheel put into a folder of libraries.
#[derive(Debug)]
pub(super) struct Installed {
    /// As pip takes it: `onnxruntime-gpu==1.31.1`.
    pub requirement: String,
    /// Names and sizes of its files in the folder.
    files: BTreeMap<String, u64>,
}

impl Installed {
    /// Whether the wheel brought a file of that name.
    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The first of its files whose name begins so.
    pub fn named(&self, begin: &str) -> Option<&str> {
        let mut names = self.files.keys().map(String::as_str);
        names.find(|name| name.starts_with(begin))
    }

    /// Whether the file in `folder` is still the one that it brought, as far as sizes tell: hashes of gigabytes are not
    /// taken at each start.
    pub fn is_there(&self, folder: &Path, name: &str) -> bool {
        let there = fs::metadata(folder.join(name)).map(|meta| meta.len());
        matches!((there, self.files.get(name)), (Ok(there), Some(bytes)) if there == *bytes)
    }
}

/// The wheels of ONNX Runtime that put files into `folder`, an `onnxruntime/capi` among packages. None where no installer
/// left its record.
pub(super) fn of_folder(folder: &Path) -> Vec<Installed> {
    let Some(packages) = folder.ancestors().nth(2) else {
        return Vec::new();
    };
    let records = matching_in(packages, "onnxruntime*.dist-info/RECORD");
    records.iter().filter_map(|path| read(path)).collect()
}

/// `None` of what is no record.
fn read(path: &Path) -> Option<Installed> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let (name, version) = folder.strip_suffix(".dist-info")?.rsplit_once('-')?;
    let text = String::from_utf8(regular::read(path, LARGEST_RECORD).ok()?).ok()?;
    // Path, hash and size; the names of libraries need no quotes.
    let files = text.lines().filter_map(|line| {
        let mut fields = line.rsplitn(3, ',');
        let (bytes, _, path) = (fields.next()?, fields.next()?, fields.next()?);
        let name = path.strip_prefix("onnxruntime/capi/")?;
        Some((name.to_owned(), bytes.trim().parse().ok()?))
    });
    Some(Installed {
        requirement: format!("{}=={version}", name.replace('_', "-")),
        files: files.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_what_its_wheel_brought_and_whether_it_is_still_there() {
        let root = tempfile::tempdir().unwrap();
        let capi = root.path().join("onnxruntime/capi");
        fs::create_dir_all(&capi).unwrap();
        assert!(of_folder(&capi).is_empty());
        let record = root.path().join("onnxruntime_gpu-1.31.1.dist-info/RECORD");
        fs::create_dir_all(record.parent().unwrap()).unwrap();
        let text = "onnxruntime/__init__.py,sha256=abc,6\r\n\
                    onnxruntime/capi/libonnxruntime.so.1.31.1,sha256=a-b_c,7\r\n\
                    onnxruntime/capi/\"a, b\".so,sha256=abc,none\n\
                    nonsense\n\
                    onnxruntime_gpu-1.31.1.dist-info/RECORD,,\n";
        fs::write(&record, text).unwrap();
        let wheels = of_folder(&capi);
        assert_eq!(wheels.len(), 1);
        let gpu = &wheels[0];
        assert_eq!(gpu.requirement, "onnxruntime-gpu==1.31.1");
        let name = "libonnxruntime.so.1.31.1";
        assert_eq!(gpu.named("libonnxruntime.so."), Some(name));
        assert!(gpu.has(name) && !gpu.has("__init__.py"));
        assert_eq!(gpu.files.len(), 1, "{gpu:?}");
        assert!(!gpu.is_there(&capi, name), "it is gone");
        fs::write(capi.join(name), "another").unwrap();
        assert!(gpu.is_there(&capi, name));
        fs::write(capi.join(name), "that of onnxruntime").unwrap();
        assert!(!gpu.is_there(&capi, name));
    }

    #[test]
    fn what_is_no_record_is_none() {
        let root = tempfile::tempdir().unwrap();
        let capi = root.path().join("onnxruntime/capi");
        for folder in ["onnxruntime-1.0.dist-info/RECORD", "onnxruntime.dist-info"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("onnxruntime.dist-info/RECORD"), "").unwrap();
        assert!(of_folder(&capi).is_empty());
        assert!(of_folder(Path::new("capi")).is_empty());
    }
}
