//! A disk that fills up while pieces are written. Needs the right to mount; elsewhere it says that it was skipped.

use std::fs;

use crate::small_disk::SmallDisk;
use crate::support::{Studio, names};

/// Each piece has 256 kB.
const ARGS: [&str; 5] = ["--duration", "2", "--batch", "2", "--save-codes"];

#[test]
fn finished_pieces_stay_and_a_rerun_with_room_completes() {
    let studio = Studio::new(&["a", "b", "c"]);
    let Some(disk) = SmallDisk::mount(&studio.at("disk"), 1) else {
        return;
    };
    studio.ok("roomy", &ARGS);
    let whole = studio.files("roomy");

    // Room for the first piece and not for the second.
    disk.fill(400 << 10);
    studio.fails(
        "disk/o",
        &ARGS,
        1,
        &[
            "cannot write disk/o/2.wav; the pieces finished before it are kept, and the same command goes on from there",
            "No space left on device",
        ],
    );
    let kept = ["1.npy", "1.wav", "2.npy"];
    assert_eq!(names(&studio.at("disk/o"))[3..], kept);
    assert!(studio.files("disk/o") == whole[..3]);

    fs::remove_file(studio.at("disk/filler")).unwrap();
    let said = studio.ok("disk/o", &ARGS);
    assert!(said.contains("1 of them made before"), "{said}");
    assert!(studio.files("disk/o") == whole);

    // Not even the folder's own small files.
    disk.fill(0);
    studio.fails(
        "disk/p",
        &ARGS,
        1,
        &["cannot use the folder disk/p", "No space left", "--out"],
    );
    assert!(studio.files("disk/p").is_empty());
}
