//! `harness run --shard`: shares that are computed apart, killed and computed twice, and put together to the same bytes.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::small_disk::SmallDisk;
use crate::support::{CHAIN, Lab, Ran, finished};

/// One share of an experiment, which must succeed.
fn share(lab: &Lab, file: &str, shard: &str, args: &[&str]) -> Ran {
    let ran = lab.harness(&[&["run", file, "--shard", shard], args].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

fn prepared(lab: Lab) -> Lab {
    for file in ["made.yaml", "lab.yaml"] {
        if lab.at(file).exists() {
            let ran = lab.harness(&["prepare", file]);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
    }
    lab
}

/// Name and content of every result: what one machine makes too.
fn results(lab: &Lab, folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = lab.made(folder);
    all.retain(|(name, _)| !name.starts_with("shards/"));
    all
}

fn same(lab: &Lab, folder: &str, whole: &[(String, Vec<u8>)]) {
    let found = results(lab, folder);
    let names =
        |all: &[(String, Vec<u8>)]| -> Vec<String> { all.iter().map(|(n, _)| n.clone()).collect() };
    assert_eq!(names(&found), names(whole));
    for ((name, found), (_, whole)) in found.iter().zip(whole) {
        // The page names its folder.
        assert!(found == whole || name == "report.html", "{name} differs");
    }
}

#[test]
fn made_pieces_are_the_same_bytes_from_shares() {
    let lab = prepared(Lab::generating());
    lab.make(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    for shard in ["2/3", "1/3", "3/3"] {
        let told = share(&lab, "made.yaml", shard, &[]).stdout;
        assert_eq!(told, format!("share {shard} of made: runs/made\n"));
    }
    let again = share(&lab, "made.yaml", "1/3", &[]);
    assert!(
        again
            .stderr
            .contains("share 1/3 in runs/made is done already")
    );
    let status = lab.harness(&["status", "runs/made"]);
    assert_eq!(
        status.stdout,
        "3 shares: 3 done\n  1/3  done\n  2/3  done\n  3/3  done\n"
    );
    lab.make(&["--no-compute"]);
    same(&lab, "runs/made", &whole);
    let manifest = lab.json("runs/made/manifest.json");
    let shards = manifest["shards"].as_array().unwrap();
    assert_eq!(shards.len(), 3);
    for shard in shards {
        assert_eq!(shard["ended"]["how"], "done");
        assert_eq!(shard["attempts"], 1);
        assert!(!shard["host"]["name"].as_str().unwrap().is_empty());
        assert!(shard["host"]["vectors"].as_array().unwrap().len() > 1);
    }
    let status = lab.harness(&["status", "runs/made"]).stdout;
    assert!(
        status.ends_with("put together: the run is finished\n"),
        "{status}"
    );
    // A task that is started again has nothing to do.
    let again = share(&lab, "made.yaml", "1/3", &[]);
    assert!(
        again
            .stderr
            .contains("holds a finished run; there is nothing to compute"),
        "{}",
        again.stderr
    );
}

#[test]
fn scores_of_two_arms_and_texts_are_too() {
    let lab = prepared(Lab::new());
    lab.run(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    // More shares than pieces: some have nothing, or texts alone.
    for index in 1..=12 {
        share(&lab, "lab.yaml", &format!("{index}/12"), &[]);
    }
    lab.run(&[]);
    same(&lab, "runs/lab", &whole);

    let texts = Lab::with(&[]);
    texts.write(
        "lab.yaml",
        "experiment: lab\ntask: texts\nmodel: music\ncaptions: { path: captions.csv }\nqueries: [sweet music]\n",
    );
    // Two stretches and a bit.
    let head = "ytid,aspect_list,caption\n".to_owned();
    let line = |i: usize| {
        format!(
            "id{i},\"['aspect {i}']\",a slow piece of kind {i}{}\n",
            " and on".repeat(i % 7)
        )
    };
    texts.write(
        "captions.csv",
        &(head + &(0..300).map(line).collect::<String>()),
    );
    let texts = prepared(texts);
    texts.run(&["--out", "whole"]);
    let whole = results(&texts, "whole");
    for shard in ["1/2", "2/2"] {
        share(&texts, "lab.yaml", shard, &[]);
    }
    texts.run(&["--no-compute"]);
    same(&texts, "runs/lab", &whole);
}

#[test]
fn what_is_missing_is_told_and_computed() {
    let lab = prepared(Lab::generating());
    share(&lab, "made.yaml", "1/2", &[]);
    let missing = lab.harness(&["run", "made.yaml", "--no-compute"]);
    missing.assert_fails(
        1,
        "runs/made lacks 2 of 4 pieces, 2 of 4 embeddings of pieces under arm 'plain'; compute the shares that are missing \
         (harness status runs/made names them), or leave out --no-compute",
    );
    assert!(!lab.at("runs/made/scores.csv").exists());
    let status = lab.harness(&["status", "runs/made"]);
    assert_eq!(
        status.stdout,
        "2 shares: 1 done, 1 missing\n  1/2  done\n  2/2  missing\n"
    );
    lab.make(&[]);
    lab.make(&["--out", "whole"]);
    same(&lab, "runs/made", &results(&lab, "whole"));
}

fn send(child: &Child, signal: &str) {
    let _ = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

/// Tasks that are killed at any moment, and copies of them at work at once.
#[test]
fn kills_and_second_copies_change_no_byte() {
    let lab = prepared(Lab::generating());
    lab.make(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    let start = |shard: &str| {
        let mut command = lab.command(&["run", "made.yaml", "--shard", shard]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for (i, signal) in ["-KILL", "-TERM", "-USR1", "-KILL", "-TERM", "-KILL"]
        .into_iter()
        .enumerate()
    {
        let (a, b, c) = (start("1/2"), start("1/2"), start("2/2"));
        std::thread::sleep(Duration::from_millis(20 + 45 * i as u64));
        send(&a, signal);
        send(&c, signal);
        for (child, hit) in [(a, true), (b, false), (c, true)] {
            let ran = finished(child.wait_with_output().unwrap());
            let ended = ran.code == Some(0) || hit && (ran.code == Some(75) || ran.code.is_none());
            assert!(ended, "{i} {signal}: {:?} {}", ran.code, ran.stderr);
        }
        // Nobody knows that a share was done: the next tasks look at all of it again.
        for name in lab.files("runs/made/shards") {
            if name.ends_with("ended.json") {
                fs::remove_file(lab.at("runs/made/shards").join(name)).unwrap();
            }
        }
        if i % 2 == 0 {
            // Put together in the middle of it; the next tasks find a finished run, which has to begin anew.
            let _ = lab.harness(&["run", "made.yaml", "--no-compute"]);
            let _ = fs::remove_file(lab.at("runs/made/manifest.json"));
        }
    }
    for shard in ["1/2", "2/2"] {
        share(&lab, "made.yaml", shard, &[]);
    }
    lab.make(&["--no-compute"]);
    same(&lab, "runs/made", &whole);
}

#[test]
fn a_share_that_fails_says_so_and_one_that_is_asked_to_end_asks_again() {
    let lab = prepared(Lab::with(&[
        ("sweet_01.wav", "sweet_01.wav"),
        ("sour_01.wav", "sour_01.wav"),
    ]));
    let shown = lab.harness(&["check", "lab.yaml", "--shard", "1/2"]);
    assert!(
        shown.stdout.contains("  share       1/2: 1 pieces; "),
        "{}",
        shown.stdout
    );
    share(&lab, "lab.yaml", "1/2", &[]);
    fs::remove_dir_all(lab.at("models/graphs")).unwrap();
    let ran = lab.harness(&["run", "lab.yaml", "--shard", "2/2"]);
    ran.assert_fails(
        2,
        "the graphs of fused for cpu in fp32 are not in models; a share makes none: run `harness prepare` once with the same \
         arguments, and then the shares",
    );
}

#[test]
fn wrong_shares_are_told_in_a_line() {
    let lab = prepared(Lab::generating());
    for (shard, told) in [
        (
            "0/16",
            "there is no share 0 of 16: they are counted from 1 to 16",
        ),
        (
            "17/16",
            "there is no share 17 of 16: they are counted from 1 to 16",
        ),
        ("3/0", "there must be one share or more"),
        (
            "x",
            "'x' is no share; write it as 3/16: the third of sixteen",
        ),
    ] {
        let ran = lab.harness(&["run", "made.yaml", "--shard", shard]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    let mut auto = lab.command(&["run", "made.yaml", "--shard", "auto"]);
    auto.env("HQ_TASK_ID", "1")
        .env("JOB_COMPLETION_INDEX", "2")
        .env("HARNESS_SHARDS", "8");
    crate::support::ran(&mut auto).assert_fails(
        2,
        "--shard auto: HQ_TASK_ID=1 asks for share 2/8, and JOB_COMPLETION_INDEX=2 for share 3/8; unset one of them, or name \
         the share: --shard 2/8",
    );
    let mut auto = lab.command(&["run", "made.yaml", "--shard", "auto"]);
    auto.env("HARNESS_SHARD", "2/8");
    assert_eq!(
        crate::support::ran(&mut auto).stdout,
        "share 2/8 of made: runs/made\n"
    );

    lab.harness(&["run", "made.yaml", "--shard", "1/16"]).assert_fails(
        2,
        "runs/made holds shares of 8, and 1/16 is one of 16; go on with 8 shares, or put those together first: the same \
         command without --shard",
    );
    // Yesterday's settings: nothing is mixed.
    let other = lab.harness(&["run", "made.yaml", "--shard", "1/8", "--set", "seed=7"]);
    assert!(
        other.stdout.contains("runs/made-"),
        "{} {}",
        other.stdout,
        other.stderr
    );
    assert!(other.stderr.contains("holds a run with other settings"));

    // What another run is made from comes first.
    lab.write("lab.yaml", CHAIN);
    lab.harness(&["run", "lab.yaml", "--shard", "1/2"]).assert_fails(
        2,
        "lab takes its pieces from made, which has no finished run; run that one first, or its shares",
    );
    lab.harness(&["status", "models"]).assert_fails(
        2,
        "models has no shares: they are made with harness run --shard",
    );
}

/// A folder of another run's shares that was copied in.
#[test]
fn shares_of_other_settings_or_versions_are_refused_by_name() {
    let lab = prepared(Lab::generating());
    share(&lab, "made.yaml", "1/2", &[]);
    share(
        &lab,
        "made.yaml",
        "2/2",
        &["--set", "seed=7", "--out", "other"],
    );
    fs::rename(
        lab.at("other/shards/2-of-2"),
        lab.at("runs/made/shards/2-of-2"),
    )
    .unwrap();
    let attempts = fs::read_dir(lab.at("runs/made/shards/2-of-2")).unwrap();
    let attempt = attempts.map(|entry| entry.unwrap().path()).next().unwrap();
    let name = attempt.file_name().unwrap().to_string_lossy().into_owned();
    let folder = format!("runs/made/shards/2-of-2/{name}");
    lab.harness(&["run", "made.yaml"]).assert_fails(
        2,
        &format!(
            "the share 2/2 in {folder} was computed with another seed; compute it again with what the run has now, or remove that folder"
        ),
    );
    let header = format!("{folder}/attempt.json");
    let text = String::from_utf8(lab.read(&header)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    lab.write(
        &header,
        &text.replace(
            &format!("\"version\": \"{version}\""),
            "\"version\": \"0.0.1\"",
        ),
    );
    lab.harness(&["run", "made.yaml"]).assert_fails(
        2,
        &format!(
            "the share 2/2 in {folder} was computed by version 0.0.1 of this program, and this is {version}; compute it again \
             with what the run has now, or remove that folder"
        ),
    );
    // From another processor it is told, or refused.
    fs::remove_dir_all(lab.at("runs/made/shards/2-of-2")).unwrap();
    share(&lab, "made.yaml", "2/2", &[]);
    let attempts = fs::read_dir(lab.at("runs/made/shards/2-of-2")).unwrap();
    let header = attempts
        .map(|entry| entry.unwrap().path().join("attempt.json"))
        .next()
        .unwrap();
    let text = fs::read_to_string(&header).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["host"]["vectors"] = serde_json::json!(["x86_64", "sse4.1"]);
    json["host"]["name"] = serde_json::json!("old\u{1b}[2J");
    fs::write(&header, json.to_string()).unwrap();
    let refused = lab.harness(&["run", "made.yaml", "--require-alike"]);
    assert_eq!(refused.code, Some(2));
    let told = "x86_64 sse4.1 (2 pieces: shares 2/2 on old\\u{1b}[2J)";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    assert!(!lab.at("runs/made/scores.csv").exists());
    assert!(lab.make(&[]).stderr.contains(told));
}

#[test]
fn a_disk_that_is_full_on_one_machine_loses_nothing() {
    let lab = prepared(Lab::new());
    lab.run(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    share(&lab, "lab.yaml", "1/2", &[]);
    let Some(disk) = crate::small_disk::SmallDisk::mount(&lab.at("runs/lab/shards/2-of-2"), 1)
    else {
        return;
    };
    disk.fill(12 << 10);
    let failed = lab.harness(&["run", "lab.yaml", "--shard", "2/2"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("No space left on device"),
        "{}",
        failed.stderr
    );
    fs::remove_file(lab.at("runs/lab/shards/2-of-2/filler")).unwrap();
    share(&lab, "lab.yaml", "2/2", &[]);
    lab.run(&["--no-compute"]);
    same(&lab, "runs/lab", &whole);
}

/// The folder of the only attempt at a share, below the lab.
fn attempt(lab: &Lab, run: &str, shard: &str) -> String {
    let share = format!("{run}/shards/{shard}");
    let mut names: Vec<String> = fs::read_dir(lab.at(&share))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    format!("{share}/{}", names.remove(0))
}

#[test]
fn a_share_hears_only_what_the_run_was_prepared_with() {
    let lab = Lab::new();
    // A file that has just changed may change again without a sign.
    std::thread::sleep(Duration::from_millis(2_200));
    let lab = prepared(lab);
    lab.run(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    let piece = lab.at("pieces/sweet_01.wav");
    let sound = fs::read(&piece).unwrap();
    fs::write(&piece, [&sound[..], &[0; 64]].concat()).unwrap();
    let told = "sweet_01.wav is not what it was when the run was prepared; make it that again, or prepare the run anew: \
                harness prepare";
    let ended = ["1/2", "2/2"].map(|shard| {
        let ran = lab.harness(&["run", "lab.yaml", "--shard", shard]);
        assert!(
            ran.code == Some(0) || ran.stderr.contains(told),
            "{}",
            ran.stderr
        );
        ran.code
    });
    assert!(
        ended == [Some(0), Some(1)] || ended == [Some(1), Some(0)],
        "{ended:?}"
    );
    let status = lab.harness(&["status", "runs/lab"]).stdout;
    assert!(
        status.contains("1 done, 1 failed") && status.contains("is not what it was"),
        "{status}"
    );
    fs::write(&piece, sound).unwrap();
    for shard in ["1/2", "2/2"] {
        share(&lab, "lab.yaml", shard, &[]);
    }
    lab.run(&["--no-compute"]);
    same(&lab, "runs/lab", &whole);
}

#[test]
fn graphs_and_library_are_copied_once_to_the_disk_of_a_node() {
    let lab = prepared(Lab::generating());
    lab.make(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    let first = share(&lab, "made.yaml", "1/2", &["--local-scratch", "node"]).stderr;
    assert!(first.matches(" MB copied to ").count() >= 3, "{first}");
    let copies = || {
        let names = lab.files("node").into_iter();
        names
            .filter(|name| !name.ends_with(".lock"))
            .collect::<Vec<_>>()
    };
    let copied = copies();
    for wanted in ["onnxruntime", "decoder.onnx.data", "export.json"] {
        assert!(
            copied.iter().any(|name| name.contains(wanted)),
            "{wanted}: {copied:?}"
        );
    }
    // What a second task reads is there.
    let mut second = lab.command(&[
        "run",
        "made.yaml",
        "--shard",
        "2/2",
        "--local-scratch",
        "$NODE",
    ]);
    let second = finished(second.env("NODE", lab.at("node")).output().unwrap());
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert!(!second.stderr.contains("copied"), "{}", second.stderr);
    assert_eq!(copies(), copied);
    lab.make(&["--no-compute"]);
    same(&lab, "runs/made", &whole);

    let alone = lab.harness(&["run", "made.yaml", "--local-scratch", "node"]);
    alone.assert_fails(
        2,
        "--local-scratch is for the shares of a cluster's nodes; give --shard with it",
    );
    let unset = lab.harness(&[
        "run",
        "made.yaml",
        "--out",
        "r",
        "--shard",
        "1/2",
        "--local-scratch",
        "$NONE/x",
    ]);
    unset.assert_fails(
        2,
        "--local-scratch $NONE/x: the variable NONE is not set here",
    );
    let submitted = lab.harness(&[
        "submit",
        "made.yaml",
        "--to",
        "shell",
        "--shards",
        "2",
        "--out",
        "s",
        "--local-scratch",
        "$TMPDIR",
    ]);
    let lines: Vec<&str> = submitted.stdout.lines().collect();
    assert!(
        lines[0].contains("--local-scratch '$TMPDIR'"),
        "{}",
        submitted.stdout
    );
    assert!(
        !lines[lines.len() - 1].contains("--local-scratch"),
        "{}",
        submitted.stdout
    );
}

/// A machine whose clock is an hour ahead has died; another one goes on.
#[test]
fn clocks_that_are_apart_decide_nothing() {
    let lab = prepared(Lab::generating());
    lab.make(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    share(&lab, "made.yaml", "1/2", &[]);
    let real = attempt(&lab, "runs/made", "1-of-2");
    let ahead = "runs/made/shards/1-of-2/20990101T000000Z-ahead-7";
    let copy = Command::new("cp")
        .args(["-r", &real, ahead])
        .current_dir(lab.at(""))
        .status();
    assert!(copy.unwrap().success());
    for file in ["ended.json", ".journal.jsonl", ".embeddings.f32"] {
        fs::remove_file(lab.at(ahead).join(file)).unwrap();
    }
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    let header = fs::File::options()
        .append(true)
        .open(lab.at(ahead).join("attempt.json"))
        .unwrap();
    header.set_modified(old).unwrap();
    fs::remove_file(lab.at(&real).join("ended.json")).unwrap();
    // The one that began last by the disk's clock is the one that is told.
    let status = lab.harness(&["status", "runs/made"]).stdout;
    assert!(
        status.contains("1/2  under way on ") && !status.contains("dead?"),
        "{status}"
    );
    for shard in ["1/2", "2/2"] {
        share(&lab, "made.yaml", shard, &[]);
    }
    lab.make(&["--no-compute"]);
    same(&lab, "runs/made", &whole);
}

#[test]
fn a_full_disk_and_a_read_only_one_end_a_share_with_a_line_and_lose_nothing() {
    let lab = prepared(Lab::generating());
    lab.make(&["--out", "whole"]);
    let whole = results(&lab, "whole");
    let Some(disk) = SmallDisk::mount(&lab.at("disk"), 8) else {
        return;
    };
    share(&lab, "made.yaml", "1/2", &["--out", "disk/r"]);
    disk.fill(16 << 10);
    let full = lab.harness(&["run", "made.yaml", "--out", "disk/r", "--shard", "2/2"]);
    assert!(
        full.code == Some(1)
            && full
                .stderr
                .contains("free some space, choose another disk with --out"),
        "{}",
        full.stderr
    );
    let status = lab.harness(&["status", "disk/r"]).stdout;
    assert!(status.starts_with("2 shares: 1 done, 1 "), "{status}");
    fs::remove_file(lab.at("disk/filler")).unwrap();
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{how}")])
            .arg(lab.at("disk"));
        assert!(mount.status().unwrap().success());
    };
    remount("ro");
    let refused = lab.harness(&["run", "made.yaml", "--out", "disk/r", "--shard", "2/2"]);
    refused.assert_fails(
        1,
        "cannot use the folder disk/r; choose another with --out: Read-only file system (os error 30)",
    );
    // To look is no reason to write.
    let status = lab.harness(&["status", "disk/r"]);
    assert!(
        status.code == Some(0) && status.stdout.contains("1 done"),
        "{}",
        status.stderr
    );
    remount("rw");
    share(&lab, "made.yaml", "2/2", &["--out", "disk/r"]);
    lab.make(&["--out", "disk/r", "--no-compute"]);
    same(&lab, "disk/r", &whole);
}
