//! Bytes that are not what the hub states or the card pins.

use std::fs;

use files::sha256_bytes;
use hub::{Fetched, HubError};

use super::hub_server::{Behaviour, HubServer};
use super::{Machine, assert_says, assert_whole, file, weights};

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
