//! `task: generate`: prompts to pieces, and their scores.

use std::fs;

use crate::support::{GENERATE, Lab};

#[test]
fn pieces_scores_and_spread_are_made_and_recorded() {
    let lab = Lab::generating();
    let ran = lab.make(&[]);
    assert_eq!(ran.stderr, "");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("plain            4"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("plain: draws of one prompt differ with sd 0.")
            && lines[2].contains("(4 draws of 2 prompts), the means of the prompts with sd 0."),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3], "runs/made");
    assert_eq!(
        lab.files("runs/made"),
        [
            ".embeddings.f32",
            ".identity",
            ".journal.jsonl",
            ".lock",
            "audio/bitter_01.wav",
            "audio/bitter_02.wav",
            "audio/sweet_01.wav",
            "audio/sweet_02.wav",
            "clusters.csv",
            "draws.csv",
            "embeddings.csv",
            "embeddings.npy",
            "figures/by_prompt.png",
            "figures/by_prompt.svg",
            "figures/clusters.png",
            "figures/clusters.svg",
            "figures/scores.png",
            "figures/scores.svg",
            "figures/similarity.png",
            "figures/similarity.svg",
            "figures/tsne.png",
            "figures/tsne.svg",
            "manifest.json",
            "maps.csv",
            "report.html",
            "scores.csv",
            "similarity.csv",
            "stats.csv",
            "text_embeddings.npy"
        ]
    );
    let scores = lab.csv("runs/made/scores.csv");
    let ids = ["sweet_01", "sweet_02", "bitter_01", "bitter_02"];
    for (row, id) in scores.iter().zip(ids) {
        let (taste, draw) = id.split_once("_0").unwrap();
        assert_eq!(row["id"], id);
        assert_eq!(row["prompt"], format!("{taste} music"));
        assert_eq!(row["audio_path"], format!("audio/{id}.wav"));
        assert_eq!(
            (row["taste"].as_str(), row["prompt_id"].as_str()),
            (taste, taste)
        );
        assert_eq!((row["draw"].as_str(), row["arm"].as_str()), (draw, "plain"));
    }
    let draws = lab.csv("runs/made/draws.csv");
    let of: Vec<_> = draws
        .iter()
        .map(|r| (r["prompt_id"].as_str(), r["n"].as_str()))
        .collect();
    assert_eq!(of, [("sweet", "2"), ("bitter", "2")]);
    let kinds: Vec<String> = lab
        .csv("runs/made/stats.csv")
        .iter()
        .map(|r| r["kind"].clone())
        .collect();
    assert_eq!(kinds, ["arm", "arm", "arm", "within", "between"]);

    let manifest = lab.json("runs/made/manifest.json");
    assert_eq!(
        (&manifest["demo"], &manifest["pieces"]),
        (&false.into(), &4.into())
    );
    let made = &manifest["generation"];
    assert_eq!(made["sampling_rate"], 32_000);
    assert_eq!(made["settings"]["steps"], 23);
    assert_eq!(made["settings"]["guidance"], 3.0);
    assert_eq!(made["settings"]["choice"]["sample"]["top_k"], 50);
    assert_eq!(made["model"]["card"], "tiny");
    for (piece, id) in made["pieces"].as_array().unwrap().iter().zip(ids) {
        let wav = lab.read(&format!("runs/made/audio/{id}.wav"));
        // 20 frames of 640 samples in 32 bits, behind 58 bytes.
        assert_eq!(wav.len(), 20 * 640 * 4 + 58);
        assert_eq!(piece["id"], id);
        assert_eq!(piece["sha256"], files::sha256_bytes(&wav));
    }
    let graphs = made["model"]["graphs"].as_object().unwrap();
    assert!(graphs.len() > 3, "text, cross-attention, decoder and codec");
    for graph in graphs.values() {
        assert!(graph["sha256"].as_str().unwrap().len() == 64);
        let placed = graph["nodes_ran_on"].as_object().unwrap();
        assert_eq!(placed.keys().collect::<Vec<_>>(), ["CPUExecutionProvider"]);
    }
}

#[test]
fn neither_batch_nor_folder_nor_threads_nor_a_resume_change_a_byte() {
    let lab = Lab::generating();
    lab.make(&["--out", "a"]);
    let made = lab.made("a");
    for (folder, args) in [
        ("b", ["--batch", "1"]),
        ("c", ["--batch", "3"]),
        ("d", ["--threads", "1"]),
    ] {
        lab.make(&[&["--out", folder], &args[..]].concat());
        assert!(lab.made(folder) == made, "{args:?}");
        assert_eq!(
            lab.read("a/.identity"),
            lab.read(&format!("{folder}/.identity"))
        );
    }
    assert_ne!(made[0].1, made[1].1, "two draws differ");

    // What is gone or not what was made is made again, and nothing else is.
    let journal = lab.read("a/.journal.jsonl");
    fs::remove_file(lab.at("a/audio/sweet_02.wav")).unwrap();
    lab.write("a/audio/bitter_01.wav", "RIFF");
    lab.write("a/audio/.part-harness-killed", "half");
    let ran = lab.make(&["--out", "a"]);
    assert_eq!(
        ran.stderr,
        "a/audio/bitter_01.wav is not what was written; it is made again\n"
    );
    assert!(lab.made("a") == made);
    let added = lab.read("a/.journal.jsonl")[journal.len()..].to_vec();
    let added = String::from_utf8(added).unwrap();
    assert_eq!(added.matches("\"kind\":\"piece\"").count(), 2, "{added}");
    assert_eq!(added.matches("\"kind\":\"audio\"").count(), 0, "{added}");

    lab.make(&["--out", "a", "--fresh"]);
    assert!(lab.made("a") == made);
    assert_eq!(lab.read("a/.journal.jsonl"), journal);
}

#[test]
fn the_first_pieces_are_the_same_and_another_seed_makes_others() {
    let lab = Lab::generating();
    lab.make(&["--out", "all"]);
    lab.make(&["--out", "few", "--limit", "3"]);
    lab.make(&["--out", "one", "--set", "draws=1"]);
    lab.make(&["--out", "seed", "--seed", "1", "--limit", "1"]);
    assert_eq!(lab.csv("few/scores.csv"), lab.csv("all/scores.csv")[..3]);
    assert_eq!(
        lab.files("few/audio"),
        ["bitter_01.wav", "sweet_01.wav", "sweet_02.wav"]
    );
    for piece in lab.files("few/audio") {
        let piece = format!("audio/{piece}");
        assert_eq!(
            lab.read(&format!("few/{piece}")),
            lab.read(&format!("all/{piece}"))
        );
    }
    assert_eq!(lab.files("one/audio"), ["bitter.wav", "sweet.wav"]);
    assert!(!lab.at("one/draws.csv").exists());
    assert_ne!(
        lab.read("seed/audio/sweet_01.wav"),
        lab.read("all/audio/sweet_01.wav")
    );
}

#[test]
fn greedy_draws_nothing() {
    let lab = Lab::generating();
    let greedy = ["--set", "top_k=1", "--set", "draws=1"];
    lab.make(&[&greedy[..], &["--out", "a"]].concat());
    lab.make(&[&greedy[..], &["--out", "b", "--seed", "9"]].concat());
    assert_eq!(lab.read("a/audio/sweet.wav"), lab.read("b/audio/sweet.wav"));
    assert_eq!(
        lab.json("a/manifest.json")["generation"]["settings"]["choice"],
        "greedy"
    );
}

#[test]
fn check_shows_what_would_be_made() {
    let lab = Lab::generating();
    let before = lab.files("");
    let checked = lab.harness(&["check", "made.yaml", "--set", "duration_s=3"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    let (disk, rest): (Vec<&str>, Vec<&str>) = checked
        .stdout
        .lines()
        .partition(|line| line.starts_with("  disk "));
    assert!(disk[0].starts_with("  disk        1.7 MB, "), "{}", disk[0]);
    assert_eq!(
        rest,
        [
            "made",
            "  pieces      4 pieces, 12.0 s of audio, 612 steps",
            "  each        3.00 s, 153 steps",
            "  sampling    guidance 3, temperature 1, top-k 50, top-p 1, seed 0",
            "  model       tiny, here, to be exported",
            "  crops       seeded, seed 0",
            "  embeddings  4 of audio under 1 arms",
            "  arm         plain: plain, here, to be exported",
            "  provider    cpu, ONNX Runtime 1.31.1",
            "  run folder  runs/made"
        ]
    );
    assert_eq!(lab.files(""), before);
}

/// What was finished is kept, and the next run makes the rest.
#[cfg(unix)]
#[test]
fn an_interruption_keeps_the_finished_pieces() {
    use std::process::{Command, Stdio};
    let lab = Lab::generating();
    lab.write(
        "made.yaml",
        &GENERATE
            .replace("draws: 2", "draws: 12")
            .replace("0.4", "1"),
    );
    lab.make(&["--out", "whole"]);
    let mut run = lab.command(&["run", "made.yaml", "--out", "r", "--batch", "1"]);
    let child = run
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !lab.at("r/audio/sweet_02.wav").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let ran = crate::support::finished(child.wait_with_output().unwrap());
    ran.assert_fails(
        130,
        "interrupted; what was finished is saved, and the same command goes on from there",
    );
    let kept = lab.files("r/audio");
    assert!(kept.len() >= 2 && kept.len() < 24, "{kept:?}");
    let times = |path: &str| fs::metadata(lab.at(path)).unwrap().modified().unwrap();
    let before = times("r/audio/sweet_01.wav");
    lab.make(&["--out", "r"]);
    assert!(lab.made("r") == lab.made("whole"));
    assert_eq!(times("r/audio/sweet_01.wav"), before, "not made again");
}
