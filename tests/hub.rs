//! Downloads from a small local hub that misbehaves: cut lines, wrong bytes, refusals. Loopback only.

#[path = "support/hub_server.rs"]
mod hub_server;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::files::sha256_bytes;
use harness::hub::{Fetched, Hub, HubError, HubFile, Patience, RepoKind, Settings, Token};
use hub_server::{Behaviour, COMMIT, HubServer};
use tempfile::TempDir;

const TOKEN: &str = "hf_notAToken";

/// 300,000 bytes that do not repeat in step with any buffer.
fn weights() -> Vec<u8> {
    (0..300_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn file() -> HubFile {
    HubFile {
        repo: "lukewys/laion_clap".to_owned(),
        kind: RepoKind::Model,
        file: "sub/630k best.pt".to_owned(),
        revision: COMMIT.to_owned(),
        sha256: None,
    }
}

/// A cache in an empty folder, and the hub seen through it.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        Machine {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn settings(&self, url: &str) -> Settings {
        Settings {
            endpoint: Some(url.to_owned()),
            cache: self.cache(),
            token: None,
            offline: false,
            certificates: None,
            proxy: false,
            checked: self.root.path().join("checked"),
            patience: Patience {
                retries: 3,
                pause: Duration::from_millis(1),
                connect: Duration::from_secs(5),
                silence: Duration::from_secs(5),
            },
        }
    }

    fn hub(&self, server: &HubServer) -> Hub {
        Hub::new(self.settings(&server.url))
    }

    fn fetch(&self, server: &HubServer, file: &HubFile) -> Result<Fetched, HubError> {
        self.hub(server).fetch(file, false)
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("hub")
    }

    fn repo(&self) -> PathBuf {
        self.cache().join("models--lukewys--laion_clap")
    }

    fn blobs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.repo().join("blobs")) else {
            return Vec::new();
        };
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// What an earlier run left when it was killed.
    fn leave_partial(&self, bytes: &[u8]) {
        let blobs = self.repo().join("blobs");
        fs::create_dir_all(&blobs).unwrap();
        let name = format!("{}.incomplete", sha256_bytes(&weights()));
        fs::write(blobs.join(name), bytes).unwrap();
    }
}

fn assert_whole(fetched: &Fetched) {
    assert_eq!(fs::read(&fetched.path).unwrap(), weights());
    assert_eq!(fetched.sha256, sha256_bytes(&weights()));
    assert_eq!(fetched.bytes, weights().len() as u64);
    assert_eq!(fetched.revision, COMMIT);
}

fn assert_says(error: &HubError, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{part}` in: {message}");
    }
}

#[test]
fn a_file_is_fetched_once_and_lies_where_the_other_tools_look() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let hub = machine.hub(&server);
    assert_eq!(hub.cached(&file()), None);
    let fetched = hub.fetch(&file(), false).unwrap();
    assert_whole(&fetched);
    let snapshot = machine.repo().join("snapshots").join(COMMIT);
    assert_eq!(fetched.path, snapshot.join("sub/630k best.pt"));
    assert_eq!(machine.blobs(), [sha256_bytes(&weights())]);
    let path = &server.gets()[0].path;
    assert_eq!(
        *path,
        format!("/lukewys/laion_clap/resolve/{COMMIT}/sub/630k%20best.pt")
    );

    let requests = server.seen().len();
    assert_whole(&hub.fetch(&file(), false).unwrap());
    assert_whole(&hub.fetch(&file(), true).unwrap());
    assert_eq!(hub.cached(&file()), Some(fetched.path));
    assert_eq!(server.seen().len(), requests, "the cache is enough");
}

#[test]
fn what_python_has_downloaded_is_used_without_a_network() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let snapshot = machine.repo().join("snapshots").join(COMMIT).join("sub");
    fs::create_dir_all(&snapshot).unwrap();
    fs::write(snapshot.join("630k best.pt"), weights()).unwrap();
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    assert!(server.seen().is_empty());
}

#[test]
fn the_plan_gets_size_hash_and_commit() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let info = machine.hub(&server).metadata(&file()).unwrap();
    assert_eq!(info.bytes, 300_000);
    assert_eq!(info.sha256, Some(sha256_bytes(&weights())));
    assert_eq!(info.commit, COMMIT);
    assert!(server.gets().is_empty() && machine.blobs().is_empty());

    server.change(|b| b.linked_etag = None);
    let info = machine.hub(&server).metadata(&file()).unwrap();
    assert_eq!((info.bytes, info.sha256), (300_000, None));
}

#[test]
fn a_cut_line_goes_on_where_it_broke() {
    let server = HubServer::start(Behaviour::large(weights()));
    server.change(|b| b.cuts = [150_000, 50_000].into());
    let machine = Machine::new();
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    let gets = server.gets();
    let starts: Vec<_> = gets.iter().map(|g| g.from).collect();
    assert_eq!(starts, [Some(0), Some(150_000), Some(200_000)]);
    let sent: usize = gets.iter().map(|g| g.sent).sum();
    assert_eq!(sent, weights().len(), "no byte twice");
}

#[test]
fn a_line_that_stays_cut_is_given_up_and_the_next_run_goes_on() {
    let server = HubServer::start(Behaviour::large(weights()));
    server.change(|b| b.cuts = [100_000, 0, 0, 0, 0, 0].into());
    let machine = Machine::new();
    let error = machine.fetch(&server, &file()).unwrap_err();
    assert!(
        matches!(error, HubError::CutOff { have: 100_000, .. }),
        "{error}"
    );
    assert_says(&error, &["630k best.pt", "100000 of 300000", "run again"]);
    assert_eq!(
        server.gets().len(),
        4,
        "one that brought bytes, three retries"
    );

    server.change(|b| b.cuts.clear());
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    assert_eq!(server.gets()[4].from, Some(100_000));
}

#[test]
fn what_a_killed_run_left_is_gone_on_with() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    machine.leave_partial(&weights()[..123_456]);
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    let gets = server.gets();
    assert_eq!(gets.len(), 1);
    assert_eq!(
        (gets[0].from, gets[0].sent),
        (Some(123_456), 300_000 - 123_456)
    );
    assert_eq!(machine.blobs().len(), 1);
}

#[test]
fn a_part_that_nothing_can_check_is_not_gone_on_with() {
    let server = HubServer::start(Behaviour::small(weights()));
    let machine = Machine::new();
    let blobs = machine.repo().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    let etag = Behaviour::small(Vec::new()).etag;
    fs::write(blobs.join(format!("{etag}.incomplete")), [0u8; 1000]).unwrap();
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    assert_eq!(server.gets()[0].from, Some(0));
}

#[test]
fn a_part_that_is_already_whole_needs_no_byte() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    machine.leave_partial(&weights());
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    assert!(server.gets().is_empty());
}

#[test]
fn a_damaged_part_is_thrown_away_and_the_whole_fetched() {
    let server = HubServer::start(Behaviour::large(weights()));
    for left in [vec![0u8; 200_000], vec![0u8; 300_000], vec![0u8; 300_001]] {
        let machine = Machine::new();
        machine.leave_partial(&left);
        assert_whole(&machine.fetch(&server, &file()).unwrap());
        assert_eq!(machine.blobs().len(), 1);
    }
    let starts: Vec<_> = server.gets().iter().map(|g| g.from).collect();
    assert_eq!(starts, [Some(200_000), Some(0), Some(0), Some(0)]);
}

#[test]
fn a_server_that_does_no_parts_sends_the_whole_and_no_byte_is_doubled() {
    let server = HubServer::start(Behaviour::large(weights()));
    server.change(|b| {
        b.ranges = false;
        b.cuts = [100_000].into();
    });
    let machine = Machine::new();
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    let sent: Vec<_> = server.gets().iter().map(|g| g.sent).collect();
    assert_eq!(sent, [100_000, 300_000]);
}

#[test]
fn bytes_that_are_not_what_the_hub_states_are_removed() {
    let stated = "ab".repeat(32);
    let server = HubServer::start(Behaviour::large(weights()));
    server.change(|b| b.linked_etag = Some(stated.clone()));
    let machine = Machine::new();
    let error = machine.fetch(&server, &file()).unwrap_err();
    assert!(matches!(error, HubError::Damaged { .. }));
    let found = sha256_bytes(&weights());
    assert_says(&error, &[&stated, &found, "run again", "630k best.pt"]);
    assert!(machine.blobs().is_empty());
    assert_eq!(machine.hub(&server).cached(&file()), None);
}

#[test]
fn a_card_with_a_wrong_hash_is_told_before_the_first_byte() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let mut card = file();
    card.sha256 = Some("CD".repeat(32));
    let error = machine.fetch(&server, &card).unwrap_err();
    assert!(matches!(error, HubError::PinMismatch { .. }));
    let found = sha256_bytes(&weights());
    assert_says(&error, &[&"cd".repeat(32), &found, "correct the `sha256`"]);
    assert!(server.gets().is_empty());

    // The same with the file in the cache: it is what the hub stated and stays for other cards.
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    let error = machine.fetch(&server, &card).unwrap_err();
    assert!(matches!(error, HubError::PinMismatch { .. }));
    card.sha256 = Some(found.to_uppercase());
    assert_whole(&machine.fetch(&server, &card).unwrap());
    assert_eq!(server.gets().len(), 1);
}

#[test]
fn where_the_hub_states_no_hash_the_cards_pin_decides() {
    let server = HubServer::start(Behaviour::small(weights()));
    let machine = Machine::new();
    let mut card = file();
    card.sha256 = Some("cd".repeat(32));
    let error = machine.fetch(&server, &card).unwrap_err();
    assert!(matches!(error, HubError::PinMismatch { .. }));
    assert!(machine.blobs().is_empty(), "removed");

    card.sha256 = Some(sha256_bytes(&weights()));
    assert_whole(&machine.fetch(&server, &card).unwrap());
}

#[test]
fn a_file_damaged_in_the_cache_is_noticed_and_fetched_again() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let hub = machine.hub(&server);
    let damage = |fetched: &Fetched| {
        fs::write(&fetched.path, b"cut").unwrap();
    };
    let first = hub.fetch(&file(), false).unwrap();
    damage(&first);
    assert_whole(&hub.fetch(&file(), false).unwrap());
    assert_eq!(server.gets().len(), 2);

    damage(&first);
    let error = hub.fetch(&file(), true).unwrap_err();
    assert!(matches!(error, HubError::Damaged { .. }), "{error}");
    assert_eq!(hub.cached(&file()), None, "removed");
}

#[test]
fn two_at_once_download_once() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_whole(&machine.fetch(&server, &file()).unwrap()));
        }
    });
    assert_eq!(server.gets().len(), 1);
}

#[test]
fn a_branch_is_asked_for_each_time_and_remembered_for_offline() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let mut branch = file();
    branch.revision = "refs/pr/5".to_owned();
    assert_whole(&machine.fetch(&server, &branch).unwrap());
    assert!(server.gets()[0].path.contains("/resolve/refs%2Fpr%2F5/"));
    let note = machine.repo().join("refs/refs/pr/5");
    assert_eq!(fs::read_to_string(note).unwrap(), COMMIT);
    assert_whole(&machine.hub(&server).fetch(&branch, true).unwrap());

    let later = "c".repeat(40);
    server.change(|b| b.commit = later.clone());
    assert_eq!(machine.fetch(&server, &branch).unwrap().revision, later);
    assert_eq!(
        server.gets().len(),
        1,
        "the same bytes are not fetched again"
    );
}

#[test]
fn a_dataset_has_its_own_place() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    let mut prompts = file();
    prompts.kind = RepoKind::Dataset;
    let fetched = machine.fetch(&server, &prompts).unwrap();
    assert!(server.gets()[0].path.starts_with("/datasets/lukewys/"));
    let folder = machine.cache().join("datasets--lukewys--laion_clap");
    assert!(fetched.path.starts_with(folder));
}

#[test]
fn an_empty_file_is_a_file() {
    let server = HubServer::start(Behaviour::small(Vec::new()));
    let machine = Machine::new();
    let fetched = machine.fetch(&server, &file()).unwrap();
    assert_eq!((fetched.bytes, fetched.sha256), (0, sha256_bytes(b"")));
}

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

#[test]
fn a_small_file_behind_a_redirect_gets_its_size_from_there() {
    let storage = HubServer::start(Behaviour::small(weights()));
    let hub = HubServer::start(Behaviour::small(weights()));
    hub.change(|b| b.redirect = Some(storage.url.clone()));
    let machine = Machine::new();
    assert_whole(&machine.fetch(&hub, &file()).unwrap());
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
