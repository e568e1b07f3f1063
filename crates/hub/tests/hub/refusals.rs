//! The hub refuses, is away, is silent or lies; and who gets the token.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hub::{Hub, HubError, Token};

use super::hub_server::{Behaviour, HubServer};
use super::{Machine, assert_says, assert_whole, file, weights};

const TOKEN: &str = "hf_notAToken";

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_host() {
    let storage = HubServer::start(Behaviour::large(weights()));
    let hub = HubServer::start(Behaviour::large(weights()));
    hub.change(|b| b.redirect = Some(storage.url.clone()));
    let machine = Machine::new();
    let mut settings = machine.settings(&hub.url);
    settings.token = Token::new(TOKEN).unwrap();
    assert_whole(&Hub::new(settings).fetch(&file(), false).unwrap());
    let expected = Some(format!("Bearer {TOKEN}"));
    assert!(hub.seen().iter().all(|s| s.authorization == expected));
    assert_eq!(storage.gets().len(), 1);
    assert!(storage.seen().iter().all(|s| s.authorization.is_none()));
    for entry in walk(machine.root.path()) {
        let bytes = fs::read(&entry).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(TOKEN), "{}", entry.display());
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(walk(&path)),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn refusals_say_what_to_do() {
    let cases: [(u16, &str, Option<&str>, &[&str]); 8] = [
        (
            404,
            "EntryNotFound",
            None,
            &["no such file at this revision"],
        ),
        (404, "RevisionNotFound", None, &["no such revision"]),
        (404, "", None, &["no such repository, revision or file"]),
        (401, "RepoNotFound", None, &["check the names", "HF_TOKEN"]),
        (401, "", Some(TOKEN), &["token is not valid"]),
        (
            403,
            "GatedRepo",
            Some(TOKEN),
            &["gated", "accept its terms"],
        ),
        (401, "GatedRepo", None, &["gated", "set HF_TOKEN"]),
        (410, "", None, &["410"]),
    ];
    for (status, code, token, parts) in cases {
        let server = HubServer::start(Behaviour::large(weights()));
        server.change(|b| b.failures = [(status, code)].into());
        let machine = Machine::new();
        let mut settings = machine.settings(&server.url);
        settings.token = token.and_then(|t| Token::new(t).unwrap());
        let error = Hub::new(settings).fetch(&file(), false).unwrap_err();
        assert_says(&error, parts);
        assert_says(&error, &["lukewys/laion_clap", "630k best.pt"]);
        assert!(!error.to_string().contains(TOKEN));
        assert_eq!(server.seen().len(), 1, "asked once");
    }
}

#[test]
fn a_busy_hub_is_asked_again() {
    let server = HubServer::start(Behaviour::large(weights()));
    server.change(|b| b.failures = [(503, ""), (429, ""), (500, "")].into());
    let machine = Machine::new();
    assert_whole(&machine.fetch(&server, &file()).unwrap());

    server.change(|b| b.failures = [(503, ""); 9].into());
    let error = machine.hub(&server).metadata(&file()).unwrap_err();
    assert!(matches!(error, HubError::Status { status: 503, .. }));
}

#[test]
fn storage_that_refuses_is_asked_again_through_the_hub() {
    let storage = HubServer::start(Behaviour::large(weights()));
    storage.change(|b| b.failures = [(403, "")].into());
    let hub = HubServer::start(Behaviour::large(weights()));
    hub.change(|b| b.redirect = Some(storage.url.clone()));
    let machine = Machine::new();
    assert_whole(&machine.fetch(&hub, &file()).unwrap());
    assert_eq!(hub.gets().len(), 2);
}

#[test]
fn a_hub_out_of_reach_is_named_with_the_ways_round_it() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let machine = Machine::new();
    let hub = Hub::new(machine.settings(&format!("http://{port}")));
    for error in [
        hub.fetch(&file(), false).unwrap_err(),
        hub.metadata(&file()).unwrap_err(),
    ] {
        assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
        assert_says(
            &error,
            &[
                "lukewys/laion_clap",
                "630k best.pt",
                "network",
                "source: { path: ... }",
                "HF_HOME",
            ],
        );
    }
}

#[test]
fn a_silent_hub_is_not_waited_for_without_end() {
    // Accepts by its backlog and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let machine = Machine::new();
    let mut settings = machine.settings(&format!("http://{}", listener.local_addr().unwrap()));
    settings.patience.silence = Duration::from_millis(50);
    settings.patience.retries = 1;
    let error = Hub::new(settings).fetch(&file(), false).unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
}

#[test]
fn offline_asks_nobody() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let error = machine.hub(&server).fetch(&file(), true).unwrap_err();
    assert!(matches!(error, HubError::Offline(_)));
    assert_says(
        &error,
        &["630k best.pt", "--offline", "source: { path: ... }"],
    );
    let mut settings = machine.settings(&server.url);
    settings.offline = true;
    assert!(Hub::new(settings).fetch(&file(), false).is_err());
    assert!(server.seen().is_empty());
}

#[test]
fn names_that_leave_their_folder_are_refused_before_anything_else() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    for name in ["../x", "/etc/passwd", "a\\b", "a\0b", ""] {
        let mut bad = file();
        bad.file = name.to_owned();
        let error = machine.fetch(&server, &bad).unwrap_err();
        assert!(matches!(error, HubError::Name { .. }), "{error}");
        assert_eq!(machine.hub(&server).cached(&bad), None);
    }
    assert!(server.seen().is_empty());
}

#[test]
fn answers_that_are_not_a_hubs_are_refused() {
    type Change = fn(&mut Behaviour);
    let lies: [Change; 5] = [
        |b| b.commit = "../../../evil".to_owned(),
        |b| b.commit = "a".repeat(40),
        |b| b.linked_etag = Some("../../evil".to_owned()),
        |b| b.linked_size = Some(u64::MAX),
        |b| b.redirect = Some(String::new()),
    ];
    for lie in lies {
        let server = HubServer::start(Behaviour::large(weights()));
        server.change(lie);
        let machine = Machine::new();
        let error = machine.fetch(&server, &file()).unwrap_err();
        assert!(matches!(error, HubError::Protocol { .. }), "{error}");
        assert_eq!(machine.hub(&server).cached(&file()), None);
    }
}
