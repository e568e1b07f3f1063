//! Temporary folders, leftovers of killed processes, permissions, and files that were swapped without a sign.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::small_disk::SmallDisk;
use crate::support::{Lab, ran, repository};

/// The scores of an arm.
fn scores(lab: &Lab, folder: &str) -> Vec<String> {
    let rows = lab.csv(&format!("{folder}/scores.csv"));
    rows.iter().map(|row| row["clap_score"].clone()).collect()
}

/// Other weights at the same size and time of change gave the old numbers once: the hash was remembered.
#[test]
fn a_checkpoint_that_was_swapped_without_a_sign_is_noticed() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.write(
        "lab.yaml",
        "experiment: lab\ntask: clap_scores\naudio: { files: pieces, text: \"{taste} music\" }\n\
         tastes: [sweet]\narms: [{ name: plain, model: plain }]\n",
    );
    let path = lab.at("plain.pt");
    let old = fs::read(&path).unwrap();
    // A sign bit of one weight: still a whole checkpoint of the same size.
    let mut new = old.clone();
    let is_weight = |at: usize| {
        let value = f32::from_le_bytes(new[at..at + 4].try_into().unwrap());
        value.abs() > 1e-3 && value.abs() < 1.0
    };
    // Among others: not in what is between the tensors.
    let weight = (0..new.len() / 2)
        .step_by(4)
        .rev()
        .find(|&at| (0..64).all(|i| is_weight(at + 4 * i)))
        .unwrap();
    new[weight + 3] ^= 0x80;
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    // A time of change so long ago that the remembered hash is trusted.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    lab.run(&["--out", "first"]);
    lab.run(&["--out", "again"]);
    assert_eq!(scores(&lab, "first"), scores(&lab, "again"));

    for way in ["in place", "renamed"] {
        let target = match way {
            "in place" => path.clone(),
            _ => lab.at("other.pt"),
        };
        fs::write(&target, if way == "in place" { &new } else { &old }).unwrap();
        let file = File::options().write(true).open(&target).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        if way != "in place" {
            fs::rename(&target, &path).unwrap();
        }
        let out = format!("swapped {way}");
        lab.run(&["--out", &out]);
        let hash = |folder: &str| {
            lab.json(&format!("{folder}/manifest.json"))["arms"][0]["checkpoint_sha256"].clone()
        };
        assert_eq!(hash(&out) == hash("first"), way == "renamed", "{way}");
    }
    // A folder of the old weights is not gone on with under the new ones.
    fs::write(&path, &new).unwrap();
    let ran = lab.run(&["--out", "first"]);
    assert!(
        ran.stderr.contains("holds a run with other settings"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_missing_folder_for_temporary_files_is_named_with_the_way_out() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    let out = lab.at("e.csv").display().to_string();
    let mut embed = lab.command(&[
        "embed", "--model", "plain", "--audio", "pieces", "--out", &out,
    ]);
    let ran = ran(embed.env("TMPDIR", lab.at("no such folder")));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("error: cannot make a temporary folder in ")
            && ran.stderr.contains("no such folder")
            && ran.stderr.contains("set TMPDIR to a folder that exists"),
        "{}",
        ran.stderr
    );
    assert!(!lab.at("e.csv").exists());
}

/// The profile that says where nodes ran was cut in silence where `TMPDIR` was full.
#[test]
fn where_nodes_ran_is_known_also_when_the_disk_for_temporary_files_is_full() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    let Some(disk) = SmallDisk::mount(&lab.at("tmp"), 1) else {
        return;
    };
    disk.fill(0);
    let mut run = lab.command(&["run", "lab.yaml", "--out", "r"]);
    let ran = ran(run.env("TMPDIR", lab.at("tmp")));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let manifest = lab.json("r/manifest.json");
    for arm in manifest["arms"].as_array().unwrap() {
        for (graph, record) in arm["graphs"].as_object().unwrap() {
            let nodes = record["nodes_ran_on"]["CPUExecutionProvider"].as_u64();
            assert!(nodes.is_some_and(|n| n > 10), "{graph}: {record}");
        }
    }
}

#[test]
fn results_are_as_readable_as_the_umask_says() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    for (umask, file, folder) in [
        ("077", 0o600, 0o700),
        ("022", 0o644, 0o755),
        ("002", 0o664, 0o775),
    ] {
        let out = format!("r{umask}");
        let mut shell = Command::new("sh");
        shell.current_dir(lab.at("")).args([
            "-c",
            &format!("umask {umask}; exec \"$0\" run lab.yaml --out {out} --models m{umask}"),
            env!("CARGO_BIN_EXE_harness"),
        ]);
        fs::create_dir(lab.at(&format!("m{umask}"))).unwrap();
        for card in ["fused", "plain"] {
            let text = String::from_utf8(lab.read(&format!("models/{card}.yaml"))).unwrap();
            lab.write(&format!("m{umask}/{card}.yaml"), &text);
        }
        let ran = ran(&mut shell);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let mode = |path: &str| fs::metadata(lab.at(path)).unwrap().permissions().mode() & 0o777;
        for name in [
            "scores.csv",
            "manifest.json",
            "report.html",
            ".journal.jsonl",
            "figures/scores.png",
        ] {
            assert_eq!(mode(&format!("{out}/{name}")), file, "{umask} {name}");
        }
        assert_eq!(mode(&format!("{out}/figures")), folder, "{umask}");
        for name in lab.files(&format!("m{umask}/graphs")) {
            let found = mode(&format!("m{umask}/graphs/{name}"));
            assert_eq!(found, file, "{umask} {name}");
        }
    }
}

#[test]
fn what_killed_processes_left_is_told_and_goes_with_the_next_run() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    fs::create_dir_all(lab.at("models/graphs/.part-harness-killed")).unwrap();
    fs::write(
        lab.at("models/graphs/.part-harness-killed/d.data"),
        vec![0; 2_500_000],
    )
    .unwrap();
    let listed = lab.harness(&["models"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let line = "unfinished: models/graphs/.part-harness-killed (2.5 MB): left by a process that was killed; the next one \
                that writes there removes it\n";
    assert!(listed.stdout.contains(line), "{}", listed.stdout);
    fs::create_dir_all(lab.at("r/figures")).unwrap();
    lab.write("r/.part-harness-1", "half");
    lab.write("r/figures/.part-harness-2", "half");
    lab.run(&["--out", "r"]);
    let left: Vec<String> = lab
        .files("")
        .into_iter()
        .filter(|f| f.contains(".part-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!lab.harness(&["models"]).stdout.contains("unfinished"));
}

#[test]
fn a_damaged_demo_is_mended() {
    let lab = Lab::with(&[]);
    let cache = lab.at("cache");
    let library = lab.harness(&["providers"]).stdout;
    assert!(library.contains("cpu"));
    let demo = |args: &[&str]| {
        let mut check = lab.command(args);
        ran(check.env("HARNESS_CACHE", &cache))
    };
    let experiment = repository("experiments/weights.yaml").display().to_string();
    let check = ["check", &experiment, "--demo"];
    // But for the space on the disk, which others fill.
    let told = |out: &str| out.lines().filter(|l| !l.contains("free")).count();
    let first = demo(&check);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let folder = fs::read_dir(cache.join("demo"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(folder.join("tokenizer.json"), "{").unwrap();
    fs::remove_file(folder.join("630k-audioset-best.pt")).unwrap();
    let second = demo(&check);
    assert_eq!(
        (second.code, told(&second.stdout)),
        (Some(0), told(&first.stdout)),
        "{}",
        second.stderr
    );
    assert!(
        second
            .stderr
            .contains("tokenizer.json is damaged and is written anew"),
        "{}",
        second.stderr
    );
    assert!(folder.join("630k-audioset-best.pt").exists());
}

/// What a run on a full disk leaves in its journal: graphs ran, and where is not known.
fn forget_where_nodes_ran(lab: &Lab, folder: &str) {
    let journal = format!("{folder}/.journal.jsonl");
    let text = String::from_utf8(lab.read(&journal)).unwrap();
    let lines = text.lines().map(|line| {
        let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
        if entry["kind"] == "ran" {
            entry["nodes"] = serde_json::json!({});
        }
        format!("{entry}\n")
    });
    lab.write(&journal, &lines.collect::<String>());
}

#[test]
fn where_nodes_ran_is_found_again_by_the_next_run_or_told_to_be_unknown() {
    let lab = Lab::generating();
    lab.make(&["--out", "r"]);
    let graphs = |model: &str| {
        let manifest = lab.json("r/manifest.json");
        let model = manifest.pointer(model).unwrap();
        let graphs = model["graphs"].as_object().unwrap().clone();
        let nodes = graphs
            .iter()
            .map(|(name, graph)| (name.clone(), graph["nodes_ran_on"].clone()));
        nodes.collect::<Vec<_>>()
    };
    let (arm, results) = (graphs("/arms/0"), lab.made("r"));
    assert!(
        arm.iter()
            .all(|(_, nodes)| nodes.as_object().unwrap().len() == 1)
    );

    forget_where_nodes_ran(&lab, "r");
    let ran = lab.make(&["--out", "r"]);
    assert_eq!(graphs("/arms/0"), arm);
    // But for the report, which tells it.
    let again = lab.made("r");
    let differ = results.iter().zip(&again).filter(|(a, b)| a != b);
    let differ: Vec<&str> = differ.map(|(a, _)| a.0.as_str()).collect();
    assert_eq!(differ, ["report.html"]);
    assert!(
        ran.stderr.contains(
            "manifest.json does not say where the nodes of these graphs ran, whose profiles were cut off, as on a full disk: \
             codec_coarse of tiny, codec_fine of tiny, codec_frames of tiny, cross_attention of tiny, decoder of tiny, \
             text_encoder of tiny; "
        ),
        "{}",
        ran.stderr
    );
    // Pieces are not made again for it.
    assert!(
        graphs("/generation/model")
            .iter()
            .all(|(_, nodes)| *nodes == serde_json::json!({}))
    );
}
