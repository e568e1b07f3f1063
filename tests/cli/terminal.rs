//! What reaches the terminal: nothing that others wrote steers it, and nothing that it cannot take ends the work.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, ValueEnum};
use harness::cli::Cli;
use tempfile::TempDir;

use crate::support::{Call, Outcome, card, card_with, repository};
#[cfg(target_os = "linux")]
use crate::support::{Models, UNFUSED};

/// Clears the screen, rings, turns and hides the text around it, and forges a line of ours; long, with two ends.
fn hostile() -> String {
    format!(
        "begin\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1m\u{8}\r\u{202e}\u{2066}\u{200b}\u{e0041}\u{2028}\nerror: `rm`{}END",
        "x".repeat(5_000)
    )
}

/// The most characters of what a failure writes, notes before the error included.
const MOST_CHARS: usize = 4_500;

fn is_harmless(text: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{e0000}'..='\u{e007f}')
    };
    assert!(!text.contains(bad), "{text:?}");
    assert!(
        text.chars().count() < MOST_CHARS,
        "{} characters: {text}",
        text.chars().count()
    );
    assert!(!text.contains("\nerror: `rm`"), "{text}");
}

/// Fails with `code` and one message that begins with `error:`, names `words` and harms no terminal.
fn fails(call: Call, code: i32, words: &[&str]) -> Outcome {
    let outcome = call.fails(code, words);
    is_harmless(&outcome.stderr);
    is_harmless(&outcome.stdout);
    assert!(outcome.stderr.starts_with("error: "), "{}", outcome.stderr);
    outcome
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A text of YAML: JSON, with what YAML does not take as it is escaped too.
fn yaml(text: &str) -> String {
    json(text).replace('\u{9b}', "\\u009b")
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

/// One tensor of eight bytes.
fn safetensors(name: &str, dtype: &str) -> Vec<u8> {
    let header = format!(
        "{{{}:{{\"dtype\":{},\"shape\":[2],\"data_offsets\":[0,8]}}}}",
        json(name),
        json(dtype)
    );
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &[0; 8]].concat()
}

#[test]
fn names_of_tensors() {
    let folder = TempDir::new().unwrap();
    let path = write(
        folder.path(),
        "x.safetensors",
        safetensors(&hostile(), "F32"),
    );
    let told = Call::new("inspect").arg(&path).ok();
    is_harmless(&told.stdout);
    assert!(told.stdout.contains("begin\\u{1b}[2J"), "{}", told.stdout);
    assert!(
        told.stdout.contains("more]…xxx") && told.stdout.contains("END"),
        "{}",
        told.stdout
    );
    // A tensor that cannot be used is named, and so is a type that nobody knows.
    write(folder.path(), "mine.yaml", card(&path, ""));
    let call = || {
        Call::new("export")
            .arg("mine")
            .option("--models", folder.path())
    };
    fails(
        call(),
        1,
        &["card mine", "x.safetensors", "begin\\u{1b}[2J", "END"],
    );
    write(folder.path(), "x.safetensors", safetensors("a", &hostile()));
    fails(
        call(),
        1,
        &["card mine", "x.safetensors", "begin\\u{1b}[2J"],
    );
}

#[test]
fn keys_and_values_of_cards() {
    let folder = TempDir::new().unwrap();
    let checkpoint = repository("assets/demo/630k-audioset-best.pt");
    let call = |more: &str| {
        write(folder.path(), "mine.yaml", card(&checkpoint, more));
        Call::new("export")
            .arg("mine")
            .option("--models", folder.path())
    };
    // YAML takes keys of 1,024 characters.
    let key = yaml(&hostile().replace(&"x".repeat(5_000), &"x".repeat(500)));
    let hostile = yaml(&hostile());
    for more in [
        format!("{key}: 1"),
        format!("architecture: {hostile}"),
        format!("architecture: {{ {key}: 1 }}"),
        format!("architecture: {{ audio: {hostile} }}"),
        format!("fusion_shrink: {hostile}"),
        format!("known: [{{ text: x, begins: [{hostile}] }}]"),
    ] {
        fails(call(&more), 2, &["mine.yaml:6: ", "begin\\u{1b}[2J", "END"]);
    }
}

/// The longest cells of a table.
#[test]
fn lists_of_cards() {
    let folder = TempDir::new().unwrap();
    for licence in [yaml(&hostile()), format!("1.{}", "9".repeat(900_000))] {
        let text = card(Path::new("x.pt"), "").replace("cc0-1.0", &licence);
        write(folder.path(), "mine.yaml", text);
        let told = Call::new("models").option("--models", folder.path()).ok();
        is_harmless(&told.stdout);
        assert!(told.stdout.contains("more]…"), "{}", told.stdout);
    }
}

#[test]
fn experiments_and_their_tables() {
    let folder = TempDir::new().unwrap();
    let check = |yaml: &str| {
        let path = write(folder.path(), "x.yaml", yaml);
        Call::new("check").arg(path).arg("--offline")
    };
    let text = yaml(&hostile());
    fails(
        check(&format!("experiment: x\ntask: {text}\n")),
        2,
        &["x.yaml:2: ", "begin\\u{1b}[2J", "END"],
    );
    // A number of 900,000 digits, where a number and where a text is wanted, in the file and on the command line.
    let number = "9".repeat(900_000);
    fails(
        check(&format!(
            "experiment: x\ntask: clap_scores\nseed: {number}\n"
        )),
        2,
        &["x.yaml:3: ", "9999"],
    );
    fails(
        check(&format!("experiment: x\ntask: 1.{number}\n")),
        2,
        &["x.yaml:2: ", "9999"],
    );
    let set = format!("seed={}", &number[..100_000]);
    let experiment = repository("experiments/weights.yaml");
    let call = Call::new("check")
        .arg(experiment)
        .option("--set", set)
        .arg("--offline");
    fails(call, 2, &["--set seed=999"]);

    let scores = "experiment: x\ntask: clap_scores\naudio: { csv: pieces.csv }\narms: [{ name: a, model: mine.yaml }]\n";
    let below = |name: &str| folder.path().join(name).display().to_string();
    let scores = scores
        .replace("pieces.csv", &below("pieces.csv"))
        .replace("mine.yaml", &below("mine.yaml"));
    let checkpoint = repository("assets/demo/630k-audioset-best.pt");
    write(folder.path(), "mine.yaml", card(&checkpoint, ""));
    write(
        folder.path(),
        "a.wav",
        crate::support::wav(&crate::support::tone(100)),
    );
    let cell = format!("\"{}\"", hostile().replace(['\n', '\r'], " "));
    let name = scores.replace("experiment: x", &format!("experiment: {text}"));
    fails(check(&name), 2, &["x.yaml:1: ", "begin\\u{1b}[2J", "END"]);
    for (rows, line) in [
        (format!("path,prompt,{cell}\na.wav,x,y\n"), "pieces.csv:1: "),
        (
            format!("path,prompt,id\na.wav,x,{cell}\n"),
            "pieces.csv:2: ",
        ),
        (format!("path,prompt\n{cell},x\n"), "pieces.csv:2: "),
    ] {
        write(folder.path(), "pieces.csv", rows);
        fails(check(&scores), 2, &[line, "begin\\u{1b}[2J", "END"]);
    }
}

#[test]
fn tokenizers() {
    let folder = TempDir::new().unwrap();
    let model = "{\"type\": \"BPE\", \"vocab\": {}, \"merges\": []}";
    let tokenizer = format!("{{\"version\": {}, \"model\": {model}}}", json(&hostile()));
    let tokenizer = write(folder.path(), "tokenizer.json", tokenizer);
    let checkpoint = repository("assets/demo/630k-audioset-best.pt");
    write(
        folder.path(),
        "mine.yaml",
        card_with(&checkpoint, &tokenizer, ""),
    );
    let texts = write(folder.path(), "texts.txt", "sweet\n");
    let outcome = Call::new("embed")
        .option("--models", folder.path())
        .option("--model", "mine")
        .option("--text", texts)
        .option("--out", folder.path().join("out.csv"))
        .fails(1, &["tokenizer.json"]);
    is_harmless(&outcome.stderr);
}

#[test]
fn manifests_and_tables_of_runs() {
    let folder = TempDir::new().unwrap();
    let report = || Call::new("report").arg(folder.path());
    write(
        folder.path(),
        "manifest.json",
        format!("{{\"format\": {}}}", json(&hostile())),
    );
    fails(report(), 1, &["manifest.json", "begin\\u001b[2J", "END"]);
    write(folder.path(), "manifest.json", "{\"format\": 1}");
    let header = "id,taste,prompt,clap_score,arm";
    let cell = hostile().replace(['\n', '\r'], " ");
    write(
        folder.path(),
        "scores.csv",
        format!("{header}\na,sweet,x,{cell},on\n"),
    );
    let told = report().run();
    is_harmless(&told.stderr);
    assert!(
        told.code == Some(1) && told.stderr.starts_with("error: "),
        "{told:?}"
    );
    assert!(told.stderr.contains("scores.csv"), "{told:?}");
}

#[cfg(unix)]
#[test]
fn names_of_files_and_arguments() {
    let folder = TempDir::new().unwrap();
    let name = "a\u{1b}[2J\u{202e}b.safetensors";
    let path = write(folder.path(), name, "x");
    fails(
        Call::new("inspect").arg(path),
        1,
        &["a\\u{1b}[2J\\u{202e}b.safetensors"],
    );
    fails(
        Call::new("inspect").arg(format!("--{}", hostile().replace('\n', " "))),
        2,
        &["--begin\\u{9b}1m"],
    );
    fails(Call::new("export").arg(hostile()), 2, &["begin\\u{1b}[2J"]);
}

/// Tabs and all: shells read them.
#[test]
fn scripts_for_shells_come_as_they_are() {
    for shell in clap_complete::Shell::value_variants() {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Cli::command(), "harness", &mut script);
        let told = Call::new("completions").arg(shell.to_string()).ok();
        let script = String::from_utf8(script).unwrap();
        assert_eq!(told.stdout.trim_end(), script.trim_end(), "{shell}");
    }
}

#[cfg(target_os = "linux")]
fn full() -> fs::File {
    fs::File::options().write(true).open("/dev/full").unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn notes_may_be_lost_and_work_may_not() {
    let folder = TempDir::new().unwrap();
    let texts = write(folder.path(), "texts.txt", "sweet\n");
    let out = folder.path().join("out.csv");
    let models = Models::shared();
    let embed = Call::embed(&models, UNFUSED)
        .option("--text", texts)
        .option("--out", &out);
    embed.stderr(full()).ok();
    assert_eq!(crate::support::read_embeddings(&out).len(), 1);
    // What is wrong shows in the exit code at least.
    for (call, code) in [
        (Call::new("inspect").arg("nothing"), 2),
        (Call::new("export"), 2),
        (Call::new("check").arg("nothing.yaml"), 2),
    ] {
        assert_eq!(call.stderr(full()).run().code, Some(code));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_an_error() {
    for call in [
        Call::new("--help"),
        Call::new("help"),
        Call::new("--version"),
        Call::new("completions").arg("bash"),
        Call::new("models"),
    ] {
        call.stdout(full())
            .fails(1, &["error: cannot write to standard output"]);
    }
}
