//! Which part of a long clip is heard, that it is recorded, and that the record can be given back.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{
    Call, Embedding, FUSED, Models, UNFUSED, demo_pieces, read_embeddings, relative_l2, row,
};

/// The pieces that are longer than the 10 s window.
const LONG: [&str; 3] = ["bitter_03", "salty_03", "sweet_02"];

/// The CSV of the demo's pieces with `more` on the command line.
fn embed(models: &Models, card: &str, out: &Path, more: &[&str]) -> Vec<Embedding> {
    let call = Call::embed(models, card)
        .option("--audio", demo_pieces())
        .option("--out", out);
    more.iter().fold(call, |call, word| call.arg(word)).ok();
    read_embeddings(out)
}

#[test]
fn seeds_move_the_crops_of_long_clips_and_of_no_other() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    for card in [FUSED, UNFUSED] {
        let with_seed = |seed: &str| {
            let out = folder.path().join("out.csv");
            embed(
                &models,
                card,
                &out,
                &["--crop-policy", "seeded", "--seed", seed],
            )
        };
        let (one, two) = (with_seed("1"), with_seed("2"));
        for (a, b) in one.iter().zip(&two) {
            if LONG.contains(&a.id.as_str()) {
                assert_ne!(a.crops, b.crops, "{card}, {}", a.id);
                assert!(relative_l2(&a.values, &b.values) > 1e-4, "{card}, {}", a.id);
            } else {
                assert_eq!(a.crops, [None; 4]);
                assert_eq!(a.values, b.values, "{card}, {}", a.id);
            }
        }
    }
}

#[test]
fn start_and_centre_are_where_they_say() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.csv");
    let crops = |card: &str, policy: &str, id: &str| {
        let rows = embed(&models, card, &out, &["--crop-policy", policy]);
        row(&rows, id).crops.clone()
    };
    let thirds = |a, b, c| vec![Some(a), Some(b), Some(c), None];
    // 12 s: 1201 frames, of which 1001 are heard, so that a crop can begin at 0..=200; three thirds of 67.
    assert_eq!(crops(FUSED, "start", "bitter_03"), thirds(0, 67, 134));
    assert_eq!(crops(FUSED, "center", "bitter_03"), thirds(33, 100, 167));
    // 11 s: 0..=100, cut into 34, 34 and 33 as numpy.array_split does.
    assert_eq!(crops(FUSED, "start", "salty_03"), thirds(0, 34, 68));
    assert_eq!(crops(FUSED, "center", "salty_03"), thirds(17, 51, 84));
    let offset = |n| vec![None, None, None, Some(n)];
    assert_eq!(crops(UNFUSED, "start", "bitter_03"), offset(0));
    // 12 s of 10 s: one second is left out at either end.
    assert_eq!(crops(UNFUSED, "center", "bitter_03"), offset(48_000));
}

#[test]
fn recorded_crops_give_the_same_bytes_again() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    for card in [FUSED, UNFUSED] {
        let (first, again) = (folder.path().join("1.csv"), folder.path().join("2.csv"));
        let rows = embed(&models, card, &first, &["--seed", "5"]);
        for id in LONG {
            assert!(
                row(&rows, id).crops.iter().any(Option::is_some),
                "{card}, {id}"
            );
        }
        embed(&models, card, &again, &["--crops", first.to_str().unwrap()]);
        assert!(
            fs::read(&first).unwrap() == fs::read(&again).unwrap(),
            "{card}"
        );
    }
}

fn with_crops(models: &Models, folder: &Path, crops: &str) -> (Call, PathBuf) {
    let (file, out) = (folder.join("crops.csv"), folder.join("out.csv"));
    fs::write(&file, crops).unwrap();
    let call = Call::embed(models, UNFUSED)
        .option("--audio", demo_pieces().join("bitter_03.ogg"))
        .option("--crops", file)
        .option("--out", &out);
    (call, out)
}

#[test]
fn crops_that_do_not_fit_are_an_error_that_names_the_clip() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let header = "id,front,middle,back,offset\n";
    let cases = [
        ("", 1, vec!["bitter_03.ogg", "`offset`"]),
        (
            "bitter_03,,,,96001\n",
            1,
            vec!["bitter_03.ogg", "96001", "96000"],
        ),
        (
            "bitter_03,,,,-1\n",
            2,
            vec!["crops.csv", "'-1'", "whole number"],
        ),
        (
            "bitter_03,1,,,5\n",
            2,
            vec!["crops.csv", "front, middle and back"],
        ),
    ];
    for (lines, code, words) in cases {
        let (call, out) = with_crops(&models, folder.path(), &format!("{header}{lines}"));
        call.fails(code, &words);
        assert!(!out.exists());
    }
    let (call, out) = with_crops(&models, folder.path(), "id,offset\nbitter_03,5\n");
    call.fails(2, &["crops.csv", "front"]);
    assert!(!out.exists());
    // The last crop that fits.
    let (call, out) = with_crops(
        &models,
        folder.path(),
        &format!("{header}bitter_03,,,,96000\n"),
    );
    call.ok();
    assert_eq!(read_embeddings(&out)[0].crops[3], Some(96_000));
}

#[test]
fn an_id_that_a_spreadsheet_would_compute_is_text_and_finds_its_crop_again() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let piece = folder.path().join("=1+1.ogg");
    fs::copy(demo_pieces().join("bitter_03.ogg"), &piece).unwrap();
    let (first, second) = (folder.path().join("1.csv"), folder.path().join("2.csv"));
    let call = |out: &Path| {
        let call = Call::embed(&models, UNFUSED);
        call.option("--audio", &piece).option("--out", out)
    };
    call(&first).option("--seed", "1").ok();
    assert_eq!(read_embeddings(&first)[0].id, "'=1+1");
    call(&second).option("--crops", &first).ok();
    assert_eq!(fs::read(&second).unwrap(), fs::read(&first).unwrap());
}
