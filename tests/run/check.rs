//! `harness check`: the plan, and nothing else.

use std::fs;

use crate::support::{Lab, ran, repository};

#[test]
fn the_plan_is_shown_and_nothing_is_made() {
    let lab = Lab::new();
    let before = lab.files("");
    let mut check = lab.command(&["check", "lab.yaml"]);
    let cache = tempfile::tempdir().unwrap();
    check
        .env("HARNESS_CACHE", cache.path())
        .env_remove("ORT_DYLIB_PATH");
    let checked = ran(&mut check);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        checked.stdout,
        "lab
  pieces      12, 0.9 min of audio, 3 longer than 10 s
  crops       seeded, seed 0
  embeddings  24 of audio under 2 arms
  arm         fused: fused, here, to be exported
  arm         plain: plain, here, to be exported
  provider    cpu, onnxruntime 1.31.1 is to be installed
  run folder  runs/lab
"
    );
    assert_eq!(lab.files(""), before);
    // Only hashes of files are remembered.
    let kept: Vec<_> = fs::read_dir(cache.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(kept, ["checked"]);
}

#[test]
fn after_a_run_the_plan_knows_the_exports_and_the_runtime() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.run(&[]);
    let checked = lab.harness(&["check", "lab.yaml", "--crops", "runs/lab/scores.csv"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    for line in [
        "  crops       as in runs/lab/scores.csv\n",
        "fused, htsat-custom(4; 2 2 3 2; 1 2 4 8), fusion on, exported\n",
        "  provider    cpu, ONNX Runtime 1.31.1\n",
    ] {
        assert!(checked.stdout.contains(line), "{}", checked.stdout);
    }
}

#[test]
fn what_run_refuses_check_refuses_too() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.card("plain", "{ path: ../plain.pt }", true);
    let (check, run) = (
        lab.harness(&["check", "lab.yaml"]),
        lab.harness(&["run", "lab.yaml"]),
    );
    assert_eq!(check.code, Some(1));
    assert_eq!(
        (check.code, check.stdout, check.stderr),
        (run.code, run.stdout, run.stderr)
    );
}

/// The experiment that ships, on a machine that has no checkpoint and no network.
#[test]
fn offline_the_plan_says_what_is_to_be_fetched_and_run_refuses() {
    let lab = Lab::new();
    fs::remove_dir_all(lab.at("models")).unwrap();
    fs::create_dir(lab.at("models")).unwrap();
    for entry in fs::read_dir(repository("models")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, lab.at("models").join(path.file_name().unwrap())).unwrap();
        }
    }
    let weights = repository("experiments/weights.yaml");
    let weights = weights.to_str().unwrap();
    let checked = lab.harness(&["check", weights, "--offline"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let music = "  arm         music_audioset, fusion off: music_audioset, 2 files to download, \
                 at least 2352.5 MB; --offline will not fetch them\n";
    assert!(checked.stdout.contains(music), "{}", checked.stdout);
    let fused = "2 files to download, of unknown size; --offline will not fetch them\n";
    assert!(checked.stdout.contains(fused), "{}", checked.stdout);
    lab.harness(&["run", weights, "--offline"]).assert_fails(
        1,
        "card 630k-audioset-fusion-best: 630k-audioset-fusion-best.pt of lukewys/laion_clap at \
         b3708341862f581175dba5c356a4ebf74a9b6651 is not in the cache, and --offline forbids to download it; run once \
         with a network, or put the file somewhere and use `source: { path: ... }` in the card",
    );
    assert!(!lab.at("runs").exists() && !lab.at("hf").exists());
}
