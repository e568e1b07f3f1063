//! Cuts and flipped bytes: an answer or an error, never a crash or a wild allocation.

use checkpoint::Checkpoint;
use checkpoint::clap::{Naming, inspect_report};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::allocation::peak_bytes;
use crate::data;
use crate::make::{safetensors, small_clap, tensors_of, write};

/// All tests of this program together stay below.
const MOST_BYTES: usize = 1 << 30;

/// Open it and read everything in it.
fn exercise(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "x.pt", bytes);
    let opened = Checkpoint::open(&path);
    if let Ok(checkpoint) = &opened {
        for (name, info) in checkpoint.tensors() {
            if let Ok(tensor) = checkpoint.f32(name) {
                assert_eq!(tensor.data.len(), info.elements(), "{name}");
            }
        }
        assert!(inspect_report(checkpoint, &[]).contains("tensors"));
    }
    opened.is_ok()
}

fn small_safetensors() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let list = tensors_of(&small_clap(Naming::Laion));
    let path = safetensors(&folder.path().join("x.safetensors"), &list, None);
    std::fs::read(path).unwrap()
}

#[test]
fn a_torch_file_cut_short_is_refused() {
    let whole = std::fs::read(data("mixed.pt")).unwrap();
    assert!(exercise(&whole));
    for length in (0..whole.len()).step_by(3) {
        assert!(!exercise(&whole[..length]), "{length} of {}", whole.len());
    }
    assert!(peak_bytes() < MOST_BYTES);
}

#[test]
fn a_safetensors_file_cut_short_is_refused() {
    let whole = small_safetensors();
    assert!(exercise(&whole));
    for length in (0..whole.len()).step_by(whole.len() / 100) {
        assert!(!exercise(&whole[..length]), "{length} of {}", whole.len());
    }
}

#[test]
fn flipped_bytes_never_crash() {
    let header = 20_000;
    let safetensors = small_safetensors();
    for (whole, region, times) in [
        (std::fs::read(data("mixed.pt")).unwrap(), usize::MAX, 1000),
        (std::fs::read(data("shell4.pt")).unwrap(), usize::MAX, 500),
        (safetensors, header, 200),
    ] {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for _ in 0..times {
            let mut damaged = whole.clone();
            for _ in 0..1 + random.next_u32() % 3 {
                let at = random.next_u64() as usize % damaged.len().min(region);
                damaged[at] = random.next_u32() as u8;
            }
            exercise(&damaged);
        }
    }
    assert!(peak_bytes() < MOST_BYTES, "{} bytes", peak_bytes());
}
