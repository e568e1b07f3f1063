//! Killed, interrupted, damaged, twice at once: what was finished stays, and the result is the same to the byte.

use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{GENERATE, Lab, Ran, finished, repository};

/// Copies of the slowest pieces: enough for a run of a few seconds.
const PIECES: usize = 60;

fn slow_lab() -> Lab {
    let lab = Lab::with(&[]);
    for i in 0..PIECES {
        lab.piece("sweet_02.ogg", &format!("sweet_{i}.ogg"));
    }
    lab
}

/// A run in the background whose journal has `bytes` bytes already.
fn started(lab: &Lab, args: &[&str], folder: &str, bytes: u64) -> Child {
    let mut command = lab.command(&[&["run", "lab.yaml", "--out", folder], args].concat());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = lab.at(folder).join(".journal.jsonl");
    let begin = Instant::now();
    while fs::metadata(&journal).map_or(0, |m| m.len()) < bytes {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended before it could be stopped"
        );
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the journal does not grow"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn waited(child: Child) -> Ran {
    finished(child.wait_with_output().unwrap())
}

fn whole_lines(journal: &[u8]) -> &[u8] {
    let end = journal
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    &journal[..end]
}

/// The journal goes on where it was, and holds each embedding once: nothing was computed twice.
fn assert_went_on(path: &Path, before: &[u8]) {
    let after = fs::read(path).unwrap();
    let kept = whole_lines(before);
    assert!(!kept.is_empty() && after.len() > kept.len() && after.starts_with(kept));
    // Two arms, each with its pieces and one prompt.
    assert_eq!(embeddings(&after).len(), 2 * (PIECES + 1));
}

/// What each embedding in the journal is of; none is there twice.
fn embeddings(journal: &[u8]) -> HashSet<[String; 4]> {
    let mut seen = HashSet::new();
    for line in journal
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
    {
        let entry: serde_json::Value = serde_json::from_slice(line).unwrap();
        let key = ["kind", "arm", "id", "prompt"].map(|k| entry[k].to_string());
        assert!(
            entry["kind"] == "ran" || seen.insert(key),
            "twice in the journal"
        );
    }
    seen
}

#[test]
fn killed_interrupted_or_stopped_a_run_goes_on_to_the_same_bytes() {
    let lab = slow_lab();
    lab.run(&["--out", "whole"]);
    let (results, length) = (
        lab.drawn_results("whole"),
        lab.read("whole/.journal.jsonl").len() as u64,
    );

    // Killed twice, in the first arm and in the second.
    let journal = lab.at("killed/.journal.jsonl");
    let mut before = Vec::new();
    for part in [length / 4, length * 2 / 3] {
        let mut child = started(&lab, &[], "killed", part);
        child.kill().unwrap();
        assert_eq!(waited(child).code, None);
        let now = fs::read(&journal).unwrap();
        assert!(now.starts_with(whole_lines(&before)) && (now.len() as u64) < length);
        before = now;
    }
    assert!(!lab.at("killed/scores.csv").exists());
    lab.run(&["--out", "killed"]);
    assert_went_on(&journal, &before);
    assert!(lab.drawn_results("killed") == results);
    assert_eq!(
        lab.json("killed/manifest.json")["arms"],
        lab.json("whole/manifest.json")["arms"]
    );

    // While one is at work in a folder, a second one is refused; Ctrl-C then saves what is finished.
    let journal = lab.at("stopped/.journal.jsonl");
    let child = started(&lab, &[], "stopped", length / 4);
    signal(&child, "-STOP");
    lab.refused(
        &["--out", "stopped"],
        1,
        "another harness is at work in stopped; wait for it, or choose another folder with --out",
    );
    signal(&child, "-INT");
    signal(&child, "-CONT");
    waited(child).assert_fails(
        130,
        "arm 'fused': interrupted; what was finished is saved, and the same command goes on from there",
    );
    let before = fs::read(&journal).unwrap();
    assert_eq!(whole_lines(&before).len(), before.len());
    assert!(!lab.at("stopped/scores.csv").exists());
    lab.run(&["--out", "stopped"]);
    assert_went_on(&journal, &before);
    assert!(lab.drawn_results("stopped") == results);
}

/// Pieces, embeddings, tables, maps, figures and reports of a whole chain, with the process killed at twenty moments of it:
/// two experiments that make pieces, one that scores and one that compares them, and one of texts.
#[test]
fn a_chain_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    const CHAIN: [&str; 5] = [
        "run",
        "lab.yaml",
        "compared.yaml",
        "texts.yaml",
        "--batch=2",
    ];
    let lab = Lab::generating();
    let made = GENERATE
        .replace("draws: 2", "draws: 6")
        .replace("0.4", "1.5");
    lab.write("made.yaml", &made);
    let again = made.replace("experiment: made", "experiment: again");
    lab.write(
        "again.yaml",
        &again.replace("{taste} music", "a {taste} tune"),
    );
    lab.write(
        "compared.yaml",
        "experiment: compared\ntask: compare\nsets: [{ name: a, from: made }, { name: b, from: again }]\n\
         tastes: [sweet, bitter]\narms: [{ name: fused, model: fused }]\npermutations: 200\n",
    );
    lab.write(
        "texts.yaml",
        "experiment: texts\ntask: texts\nmodel: music\ncaptions: { path: captions.csv }\nqueries: [sweet music]\n",
    );
    let captions = repository("assets/demo/captions.csv");
    fs::copy(captions, lab.at("captions.csv")).unwrap();
    let begin = Instant::now();
    let ran = lab.harness(&CHAIN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let whole_run = begin.elapsed();
    let folders = ["made", "again", "lab", "compared", "texts"].map(|name| format!("runs/{name}"));
    let whole = folders.each_ref().map(|folder| lab.made(folder));
    assert!(
        whole
            .iter()
            .all(|files| files.iter().any(|(name, _)| name == "report.html"))
    );

    for folder in ["runs", "models/graphs"] {
        fs::remove_dir_all(lab.at(folder)).unwrap();
    }
    let mut early = 0;
    for moment in 0..20_u32 {
        let mut child = lab
            .command(&CHAIN)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread without a pattern over a third of the whole: every process gets on a little further.
        let share = f64::from(1 + moment * 7919 % 23) / 23.0;
        std::thread::sleep(
            whole_run
                .mul_f64(share / 3.0)
                .max(Duration::from_millis(30)),
        );
        early += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(
        early > 5,
        "the runs ended before they could be killed: {early}"
    );
    let ran = lab.harness(&CHAIN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for (folder, whole) in folders.iter().zip(whole) {
        let again = lab.made(folder);
        let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
            files.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&again), names(&whole), "{folder}");
        for ((name, again), (_, whole)) in again.iter().zip(&whole) {
            assert!(again == whole, "{folder}/{name}");
        }
        let left: Vec<String> = lab
            .files(folder)
            .into_iter()
            .filter(|f| f.contains(".part-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert_eq!(fs::read_dir(lab.at("runs")).unwrap().count(), folders.len());
}

/// What is computed again is no finished run until it is whole: nobody takes the old results for it.
#[test]
fn a_fresh_run_that_is_killed_is_not_finished() {
    let lab = slow_lab();
    lab.run(&["--out", "r"]);
    let whole = lab.made("r");
    let mut child = started(&lab, &["--fresh"], "r", 0);
    while lab.at("r/manifest.json").exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be killed"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    waited(child);
    assert!(!lab.at("r/manifest.json").exists());
    lab.run(&["--out", "r"]);
    assert!(lab.made("r") == whole);
}

/// A download goes on later from where it was: nothing has to be waited for.
#[test]
fn an_interrupted_download_ends_at_once() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.card("plain", "{ hub: lab/model, file: model.pt }", false);
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = lab
        .command(&["run", "lab.yaml"])
        .env(
            "HF_ENDPOINT",
            format!("http://{}", mute.local_addr().unwrap()),
        )
        .env("NO_PROXY", "127.0.0.1")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let line = mute.accept().unwrap();
    let begin = Instant::now();
    signal(&child, "-INT");
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(line);
    assert!(!lab.at("runs").exists());
}

#[test]
fn a_damaged_end_of_the_journal_is_computed_again() {
    let lab = Lab::new();
    lab.run(&["--out", "r"]);
    let (results, whole) = (lab.drawn_results("r"), lab.read("r/.journal.jsonl"));
    let arms = lab.json("r/manifest.json")["arms"].clone();
    let damages: [Vec<u8>; 5] = [
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"{\"kind\":\"audio\",\"arm\":"].concat(),
        [&whole[..], &[0; 4096]].concat(),
        b"\xff\xfe\n\n{}\n".to_vec(),
    ];
    for (i, damaged) in damages.iter().enumerate() {
        fs::write(lab.at("r/.journal.jsonl"), damaged).unwrap();
        fs::remove_file(lab.at("r/scores.csv")).unwrap();
        lab.run(&["--out", "r"]);
        assert!(lab.drawn_results("r") == results, "damage {i}");
        assert_eq!(lab.json("r/manifest.json")["arms"], arms, "damage {i}");
        let journal = lab.read("r/.journal.jsonl");
        assert_eq!(
            embeddings(&journal).len(),
            embeddings(&whole).len(),
            "damage {i}"
        );
    }
}
