//! Killed, interrupted, twice at once: finished pieces stay, and the result is the same to the byte.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::support::{Studio, names, ran, spawn};

const PROMPTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Long pieces one at a time: there is time to stop in between.
const ARGS: [&str; 4] = ["--duration", "20", "--batch", "1"];

/// The program at work in `out`, with `pieces` finished and not all.
fn started(studio: &Studio, out: &str, pieces: usize) -> Child {
    let mut child = spawn(studio.command(out, &ARGS));
    let begin = Instant::now();
    while !studio.at(&format!("{out}/{pieces}.wav")).exists() {
        assert!(
            child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_secs(120),
            "it ended before it could be stopped, or makes no pieces"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn stopped_in_any_way_it_goes_on_to_the_same_bytes() {
    let studio = Studio::new(&PROMPTS);
    studio.ok("whole", &ARGS);
    let whole = studio.files("whole");
    assert_eq!(whole.len(), 8);

    let mut child = started(&studio, "killed", 3);
    child.kill().unwrap();
    assert_eq!(ran(child.wait_with_output().unwrap()).code, None);
    let kept = studio.files("killed");
    assert!((3..8).contains(&kept.len()) && kept == whole[..kept.len()]);
    studio.ok("killed", &ARGS);
    assert!(studio.files("killed") == whole);
    // What the killed process was writing is gone, too.
    assert!(
        !names(&studio.at("killed"))
            .iter()
            .any(|name| name.starts_with(".part"))
    );

    // While one is at work in a folder, a second one is refused; Ctrl-C then keeps what is finished.
    let child = started(&studio, "stopped", 2);
    signal(&child, "-STOP");
    studio.fails(
        "stopped",
        &ARGS,
        1,
        &["another harness is at work in stopped"],
    );
    signal(&child, "-INT");
    signal(&child, "-CONT");
    let stopped = ran(child.wait_with_output().unwrap());
    assert_eq!(
        (stopped.code, stopped.stderr.trim_end()),
        (
            Some(130),
            "error: interrupted; the pieces finished before are in stopped, and the same command goes on from there"
        )
    );
    let kept = studio.files("stopped");
    assert!((2..8).contains(&kept.len()) && kept == whole[..kept.len()]);
    let said = studio.ok("stopped", &ARGS);
    assert!(
        said.contains(&format!(", {} of them made before; ", kept.len())),
        "{said}"
    );
    assert!(studio.files("stopped") == whole);
}
