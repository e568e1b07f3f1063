//! A card whose checkpoint is on a hub: from the first byte to the manifest.

use std::fs;
use std::process::Command;

use crate::hub_server::{Behaviour, COMMIT, HubServer};
use crate::support::{Lab, ran, repository};

const PIECES: [(&str, &str); 2] = [
    ("sweet_01.wav", "sweet_01.wav"),
    ("sour_01.wav", "sour_01.wav"),
];

fn on(server: &HubServer, mut command: Command) -> Command {
    command.env("HF_ENDPOINT", &server.url);
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    command
}

#[test]
fn a_checkpoint_is_fetched_checked_exported_and_recorded() {
    let lab = Lab::with(&PIECES);
    lab.run(&["--out", "local"]);
    let bytes = lab.read("plain.pt");
    let (size, sha256) = (bytes.len(), files::sha256_bytes(&bytes));
    let server = HubServer::start(Behaviour::large(bytes));
    // Half way through, the line is cut.
    server.change(|b| b.cuts.push_back(size / 2));
    fs::remove_file(lab.at("plain.pt")).unwrap();
    fs::remove_dir_all(lab.at("models/graphs")).unwrap();
    lab.card(
        "plain",
        &format!("{{ hub: lab/model, file: model.pt, sha256: {sha256} }}"),
        false,
    );

    let check = ran(&mut on(&server, lab.command(&["check", "lab.yaml"])));
    assert_eq!(check.code, Some(0), "{}", check.stderr);
    assert!(
        check.stdout.contains("plain, 1 file to download, 0.8 MB\n"),
        "{}",
        check.stdout
    );
    assert_eq!(server.gets().len(), 0);
    assert!(!lab.at("hf").exists());

    let run = ran(&mut on(
        &server,
        lab.command(&["run", "lab.yaml", "--out", "r"]),
    ));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let gets: Vec<_> = server
        .gets()
        .iter()
        .map(|get| (get.from, get.sent))
        .collect();
    assert_eq!(
        gets,
        [(Some(0), size / 2), (Some(size / 2), size - size / 2)]
    );
    assert!(lab.results("r") == lab.results("local"));
    let arm = &lab.json("r/manifest.json")["arms"][1];
    assert_eq!(
        (&arm["checkpoint"], &arm["checkpoint_sha256"]),
        (&"model.pt".into(), &sha256.as_str().into())
    );
    let file = &arm["files"][0];
    assert_eq!(
        (&file["revision"], &file["sha256"], &file["bytes"]),
        (&COMMIT.into(), &sha256.into(), &size.into())
    );
    assert!(
        file["path"]
            .as_str()
            .unwrap()
            .starts_with(lab.at("hf").to_str().unwrap())
    );
    assert!(
        lab.json("r/manifest.json")["arms"][0]["files"][0]
            .get("revision")
            .is_none()
    );

    // The second run needs no network.
    drop(server);
    let journal = lab.read("r/.journal.jsonl");
    lab.run(&["--out", "r", "--offline"]);
    assert!(lab.read("r/.journal.jsonl") == journal);
    lab.run(&["--out", "r2", "--offline"]);
    assert!(lab.results("r2") == lab.results("local"));
}

#[test]
fn other_bytes_than_the_card_pins_never_run() {
    let lab = Lab::with(&PIECES);
    let bytes = lab.read("music.pt");
    let found = files::sha256_bytes(&bytes);
    let server = HubServer::start(Behaviour::large(bytes));
    let pinned = files::sha256_bytes(&lab.read("plain.pt"));
    lab.card(
        "plain",
        &format!("{{ hub: lab/model, file: model.pt, revision: {COMMIT}, sha256: {pinned} }}"),
        false,
    );
    let run = ran(&mut on(&server, lab.command(&["run", "lab.yaml"])));
    run.assert_fails(
        1,
        &format!(
            "card plain: model.pt of lab/model at {COMMIT} is not the file that the card pins: the card has sha256 \
             {pinned}, the file {found}; correct the `sha256` or the `revision` of the card, if you trust this file"
        ),
    );
    assert!(!lab.at("runs").exists() && !lab.at("models/graphs").exists());
}

#[test]
fn captions_are_fetched_from_a_data_set_and_held_to_their_pin() {
    let lab = Lab::with(&[]);
    let bytes = fs::read(repository("assets/demo/captions.csv")).unwrap();
    let sha256 = files::sha256_bytes(&bytes);
    let server = HubServer::start(Behaviour::small(bytes));
    let experiment = |pin: &str| {
        format!(
            "experiment: lab\ntask: texts\nmodel: plain\n\
             captions: {{ hub: lab/captions, file: captions.csv, sha256: {pin} }}\n"
        )
    };
    lab.write("lab.yaml", &experiment(&sha256));
    let run = |args: &[&str]| {
        ran(&mut on(
            &server,
            lab.command(&[&["run", "lab.yaml"], args].concat()),
        ))
    };
    let first = run(&["--limit", "8"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(server.seen().iter().all(|seen| {
        seen.path
            .starts_with("/datasets/lab/captions/resolve/main/")
    }));
    let captions = lab.csv("runs/lab/embeddings.csv");
    assert_eq!(
        captions
            .iter()
            .filter(|row| row["kind"] == "caption")
            .count(),
        8
    );
    // It is here now.
    let again = run(&["--offline", "--limit", "8"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);

    lab.write("lab.yaml", &experiment(&"0".repeat(64)));
    let other = run(&["--out", "other"]);
    assert_eq!(other.code, Some(1));
    assert!(
        other
            .stderr
            .contains("captions: captions.csv of lab/captions at main"),
        "{}",
        other.stderr
    );
    assert!(!lab.at("other").exists());
}
