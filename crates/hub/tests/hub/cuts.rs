//! Lines that break, runs that were killed: no byte is fetched twice where that can be avoided.

use std::time::{Duration, Instant};

use hub::{Hub, HubError};

use super::hub_server::{Behaviour, HubServer};
use super::{Machine, assert_says, assert_whole, file, weights};

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
fn a_line_that_trickles_is_given_up_over_all_its_connections() {
    let server = HubServer::start(Behaviour::large(weights()));
    server.change(|b| {
        b.trickle = Some(Duration::from_millis(5));
        // Every connection brings something, which counts as progress.
        b.cuts = vec![20; 1000].into();
    });
    let machine = Machine::new();
    let mut settings = machine.settings(&server.url);
    settings.patience.stretch = Duration::from_millis(500);
    settings.patience.least = 10_000;
    let began = Instant::now();
    let error = Hub::new(settings).fetch(&file(), false).unwrap_err();
    assert!(matches!(error, HubError::CutOff { .. }), "{error}");
    assert_says(&error, &["of 300000", "given up below 10000", "run again"]);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(server.gets().len() > 1);

    server.change(|b| {
        b.trickle = None;
        b.cuts.clear();
    });
    assert_whole(&machine.fetch(&server, &file()).unwrap());
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
fn a_part_that_is_already_whole_needs_no_byte() {
    let server = HubServer::start(Behaviour::large(weights()));
    let machine = Machine::new();
    machine.leave_partial(&weights());
    assert_whole(&machine.fetch(&server, &file()).unwrap());
    assert!(server.gets().is_empty());
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
