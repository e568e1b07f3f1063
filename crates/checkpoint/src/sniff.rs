//! What a file is, from its first bytes; its name says little.

use std::path::Path;

use super::CheckpointError;

/// Bytes from the start of a file that tell what it is.
pub(super) const HEAD: usize = 64;

/// The containers that are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    TorchZip,
    Safetensors,
}

/// Recognise the container from the first [`HEAD`] bytes, or say what the file is instead and what to do about it.
pub(super) fn container(path: &Path, bytes: &[u8]) -> Result<Container, CheckpointError> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(Container::TorchZip);
    }
    let named_safetensors = path.extension().is_some_and(|e| e == "safetensors");
    let (detail, way_out) = if bytes.starts_with(b"version https://git-lfs") {
        (
            "it is a git-lfs pointer, a few lines of text in place of the weights",
            "run `git lfs pull` in its folder, or download the file itself",
        )
    } else if starts_as_text(bytes, &["<!doctype", "<html", "<?xml"]) {
        (
            "it is a web page, not a checkpoint",
            "download the file itself; the page may ask for a login",
        )
    } else if bytes.get(8) == Some(&b'{') || named_safetensors {
        return Ok(Container::Safetensors);
    } else if bytes.starts_with(b"\x80") || bytes.starts_with(b"(") {
        (
            "it is a bare pickle, as torch.save wrote before version 1.6",
            "load it with torch where you trust it, and save it again with torch.save or as safetensors",
        )
    } else if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"BZh") {
        (
            "it is a compressed archive",
            "unpack it and name the checkpoint inside",
        )
    } else {
        (
            "it is neither a zip as torch.save writes nor a safetensors file",
            "name a .pt file, a .safetensors file or a model folder; if it was one of these, fetch it again",
        )
    };
    Err(CheckpointError::unsupported(path, detail, way_out))
}

fn starts_as_text(bytes: &[u8], openings: &[&str]) -> bool {
    let head = String::from_utf8_lossy(bytes).trim_start().to_lowercase();
    openings.iter().any(|o| head.starts_with(o))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lfs_pointers_web_pages_and_old_pickles_are_named() {
        let message = |bytes: &[u8]| container(Path::new("x.pt"), bytes).unwrap_err().to_string();
        assert!(message(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
        assert!(message(b"\n<!DOCTYPE html><html>").contains("web page"));
        assert!(message(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.").contains("bare pickle"));
        assert!(message(b"RIFF").contains("neither"));
    }
}
