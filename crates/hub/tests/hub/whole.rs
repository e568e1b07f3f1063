//! Downloads that go well, and where the file lies then.

use std::fs;

use files::sha256_bytes;
use hub::RepoKind;

use super::hub_server::{Behaviour, COMMIT, HubServer};
use super::{Machine, assert_whole, file, weights};

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
fn a_small_file_behind_a_redirect_gets_its_size_from_there() {
    let storage = HubServer::start(Behaviour::small(weights()));
    let hub = HubServer::start(Behaviour::small(weights()));
    hub.change(|b| b.redirect = Some(storage.url.clone()));
    let machine = Machine::new();
    assert_whole(&machine.fetch(&hub, &file()).unwrap());
}
