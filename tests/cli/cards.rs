//! `inspect`, `models`, `verify`, `completions`: what is said about cards and their checkpoints.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use safetensors::SafeTensors;
use tempfile::TempDir;

use crate::support::{Call, FUSED, HF_FUSED, HF_UNFUSED, MUSIC, Models, UNFUSED, card, repository};

#[test]
fn inspect_tells_the_architecture_and_which_cards_fit() {
    let models = Models::shared();
    let said = Call::new("inspect")
        .arg(repository("assets/demo/630k-audioset-best.pt"))
        .option("--models", models.path())
        .ok()
        .stdout;
    for words in [
        "PyTorch zip",
        "CLAP",
        "names of laion_clap",
        "4 channels, blocks 2 2 3 2",
        "RoBERTa, 1 layers, 64 channels",
        "fusion on, missing:\n  audio_branch.patch_embed.mel_conv2d.weight",
    ] {
        assert!(said.contains(words), "{words:?}: {said}");
    }
    let verdict = |card: &str| {
        let line = said
            .lines()
            .find(|line| line.split(' ').next() == Some(card));
        line.unwrap_or_else(|| panic!("no line of {card}: {said}"))
    };
    assert!(verdict(UNFUSED).ends_with("  fits"), "{said}");
    assert!(verdict(FUSED).ends_with("  does not fit"), "{said}");
}

#[test]
fn inspect_takes_folders_and_cards() {
    let models = Models::shared();
    let of = |what: &str| {
        Call::new("inspect")
            .arg(what)
            .option("--models", models.path())
            .ok()
            .stdout
    };
    let folder = of(repository("tests/data/clap_hf_fused").to_str().unwrap());
    assert!(folder.contains("names of transformers"), "{folder}");
    let card = of(HF_FUSED);
    assert!(card.contains("names of transformers"), "{card}");
    assert!(
        card.contains("hf-fused  ") && !card.contains(HF_UNFUSED),
        "{card}"
    );
    Call::new("inspect")
        .arg("no/such.pt")
        .option("--models", models.path())
        .fails(2, &["no/such.pt"]);
}

#[test]
fn models_lists_the_cards_and_what_of_them_is_here() {
    let models = Models::shared();
    let list =
        |folder: &std::path::Path| Call::new("models").option("--models", folder).ok().stdout;
    let said = list(models.path());
    for card in [FUSED, UNFUSED, MUSIC, HF_FUSED, HF_UNFUSED] {
        let line = said
            .lines()
            .find(|line| line.split(' ').next() == Some(card));
        let line = line.unwrap_or_else(|| panic!("no line of {card}: {said}"));
        assert_eq!(
            line.matches(" MB").count(),
            2,
            "downloaded and exported: {line}"
        );
        assert!(line.contains("cc0-1.0"), "{line}");
    }
    // The cards that come with the program; whether their files are here depends on the machine.
    let said = list(&repository("models"));
    for card in [
        "630k-audioset-fusion-best",
        "music_audioset",
        "clap-htsat-unfused",
    ] {
        assert!(said.lines().any(|line| line.starts_with(card)), "{said}");
    }
    let empty = TempDir::new().unwrap();
    let built_in = list(empty.path());
    assert!(
        built_in
            .lines()
            .any(|line| line.starts_with("music_audioset ")),
        "{built_in}"
    );
}

/// The lines `known:` of a card, from the golden text embeddings of the reference.
fn known(change: impl Fn(usize, f64) -> f64) -> String {
    let bytes = fs::read(repository(
        "tests/golden/clap/630k-audioset-best.safetensors",
    ))
    .unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let texts: Vec<String> =
        serde_json::from_str(&header.metadata().as_ref().unwrap()["texts"]).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let embeddings = file.tensor("text_embed").unwrap();
    let joint = embeddings.shape()[1];
    let mut lines = "known:\n".to_owned();
    for (i, text) in texts.iter().enumerate() {
        let row = &embeddings.data()[i * joint * 4..][..12];
        let begins: Vec<f64> = row
            .as_chunks()
            .0
            .iter()
            .map(|b| change(i, f64::from(f32::from_le_bytes(*b))))
            .collect();
        let text = serde_json::to_string(text).unwrap();
        lines += &format!("  - {{ text: {text}, begins: {begins:?} }}\n");
    }
    lines
}

fn verify(known: &str) -> (TempDir, Call) {
    let folder = TempDir::new().unwrap();
    let text = card(&repository("assets/demo/630k-audioset-best.pt"), known);
    fs::write(folder.path().join("mine.yaml"), text).unwrap();
    let call = Call::new("verify")
        .arg("mine")
        .option("--models", folder.path());
    (folder, call)
}

#[test]
fn verify_agrees_with_the_reference() {
    let (_folder, call) = verify(&known(|_, v| v));
    let said = call.ok().stdout;
    assert_eq!(said.matches("ok ").count(), 8, "{said}");
    assert!(said.contains("mine: 8 known answers within"), "{said}");
}

#[test]
fn verify_says_which_answer_is_another() {
    let (_folder, call) = verify(&known(|i, v| if i == 2 { v + 1e-3 } else { v }));
    let outcome = call.fails(1, &["1 of 8 known answers of mine differ"]);
    let wrong: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("WRONG"))
        .collect();
    assert_eq!(wrong.len(), 1, "{outcome:?}");
    assert!(wrong[0].contains("\"techno\""), "{outcome:?}");
}

#[test]
fn verify_of_a_card_without_answers_is_a_mistake() {
    let (_folder, call) = verify("");
    call.fails(2, &["card mine", "known"]);
}

#[test]
fn completions_are_a_script_that_the_shell_can_read() {
    let script = Call::new("completions").arg("bash").ok().stdout;
    for word in ["embed", "export", "inspect", "--crop-policy"] {
        assert!(script.contains(word), "{word}");
    }
    let shell = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn();
    let Ok(mut shell) = shell else {
        println!("skipped: no bash");
        return;
    };
    let mut input = shell.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
}

/// `harness models | head -0`: the reader has gone before anything is printed.
#[cfg(unix)]
#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let models = Models::shared();
    for arguments in [
        &["models"][..],
        &["completions", "bash"],
        &["inspect", UNFUSED],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(arguments);
        if arguments[0] != "completions" {
            command.arg("--models").arg(models.path());
        }
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_on_a_full_disk_is_a_failure() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["completions", "bash"])
        .stdout(full)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("cannot write to standard output: No space left"),
        "{said}"
    );
}
