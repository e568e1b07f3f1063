//! Pieces from a file of descriptions: of this machine, or fetched by its hash.

use std::process::Command;

use crate::hub_server::{Behaviour, HubServer};
use crate::support::{GENERATE, Lab, ran, repository};

const DESCRIPTIONS: &str = r#"[
  {"id": 1, "instrument": "piano, strings", "description": "A bitter-sweet \"tune\""},
  {"id": "=2", "instrument": "", "description": "Something <plain>"}
]"#;

fn lab() -> Lab {
    let lab = Lab::generating();
    lab.write("d.json", DESCRIPTIONS);
    let text = "{ text: \"{taste} music\" }";
    assert!(GENERATE.contains(text));
    lab.write("made.yaml", &GENERATE.replace(text, "{ path: d.json }"));
    lab
}

#[test]
fn every_description_is_a_prompt_and_its_first_taste_is_its_own() {
    let lab = lab();
    let ran = lab.make(&["--set", "draws=1"]);
    assert_eq!(
        ran.stderr,
        "1 descriptions name none of the tastes sweet, bitter: =2\n"
    );
    assert_eq!(lab.files("runs/made/audio"), ["1.wav", "=2.wav"]);
    let text = String::from_utf8(lab.read("runs/made/scores.csv")).unwrap();
    assert_eq!(
        text.lines().next().unwrap(),
        "id,instrument,description,audio_path,clap_score,taste,tastes,prompt_id,draw,arm,front,middle,back,offset"
    );
    let scores = lab.csv("runs/made/scores.csv");
    let row = |i: usize| {
        ["id", "instrument", "description", "taste", "tastes"].map(|c| scores[i][c].as_str())
    };
    let first = [
        "1",
        "piano, strings",
        "A bitter-sweet \"tune\"",
        "bitter",
        "bitter sweet",
    ];
    assert_eq!(row(0), first);
    assert_eq!(row(1), ["'=2", "", "Something <plain>", "", ""]);

    // The figures come again from the CSVs, whose prompts are called descriptions.
    let figure = || lab.read("runs/made/figures/by_prompt.svg");
    let drawn = figure();
    std::fs::remove_dir_all(lab.at("runs/made/figures")).unwrap();
    let figures = lab.harness(&["figures", "runs/made"]);
    assert_eq!(figures.code, Some(0), "{}", figures.stderr);
    assert!(figure() == drawn);

    lab.make(&["--out", "two"]);
    assert_eq!(
        lab.files("two/audio"),
        ["1_01.wav", "1_02.wav", "=2_01.wav", "=2_02.wav"]
    );
}

#[test]
fn a_bad_file_is_refused_with_its_place() {
    let lab = lab();
    let expected = "a JSON list of {\"id\", \"instrument\", \"description\"} is expected";
    for (text, message) in [
        ("", format!("cannot use d.json: it is empty; {expected}")),
        ("id,description", format!("d.json:1: expected value; {expected}")),
        (
            "{}",
            format!("d.json:1: invalid type: map, expected a sequence; {expected}"),
        ),
        (
            "[{\"id\": \"../../x\", \"instrument\": \"\", \"description\": \"\"}]",
            "d.json, item 1: the id '../../x' must be 1 to 200 bytes without '/', '\\' and control characters, no '.' first"
                .to_owned(),
        ),
    ] {
        lab.write("d.json", text);
        lab.harness(&["run", "made.yaml"]).assert_fails(2, &message);
    }
    lab.harness(&["run", "made.yaml", "--set", "prompts.path=none.json"])
        .assert_fails(
            2,
            "cannot read none.json: No such file or directory (os error 2)",
        );
    lab.harness(&["run", "made.yaml", "--set", "prompts={url: 'https://example.org/d.json'}"])
        .assert_fails(
            2,
            "--set prompts={url: 'https://example.org/d.json'}: 'prompts.url' needs 'sha256' beside it: what lies at an \
             address may change, and the hash says which file is meant",
        );
    assert!(!lab.at("runs").exists());
}

/// With a cache of the lab's own, and without the proxies of the machine.
fn on(lab: &Lab, mut command: Command) -> Command {
    command
        .env("HARNESS_CACHE", lab.at("cache"))
        .env("HF_TOKEN", "hf_secret");
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    command
}

#[test]
fn a_file_is_fetched_once_by_its_hash_and_no_token_goes_there() {
    let lab = lab();
    let server = HubServer::start(Behaviour::small(DESCRIPTIONS.into()));
    let url = format!("{}/d.json", server.url);
    let sha256 = files::sha256_bytes(DESCRIPTIONS.as_bytes());
    let prompts = |sha256: &str| format!("prompts={{ url: '{url}', sha256: {sha256} }}");
    let check = |sha256: &str, more: &[&str]| {
        let set = prompts(sha256);
        let args = [&["check", "made.yaml", "--set", &set], more].concat();
        ran(&mut on(&lab, lab.command(&args)))
    };
    let other = files::sha256_bytes(b"other");

    check(&sha256, &["--offline"]).assert_fails(
        1,
        &format!(
            "{url} (sha256 {sha256}) is not in the cache, and --offline forbids to download it; run once with a network, \
             or name a copy of the file with `path`"
        ),
    );
    assert_eq!(server.gets().len(), 0);
    check(&other, &[]).assert_fails(
        1,
        &format!(
            "{url} is not the file that the experiment pins: `sha256` says {other}, the file has {sha256}; it was not \
             kept. Correct `sha256` if you trust this file, or name a copy of the pinned one with `path`"
        ),
    );
    server.change(|b| b.cuts.push_back(10));
    let fetched = check(&sha256, &[]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.stderr);
    assert!(
        fetched.stderr.contains(&format!("downloaded {url} (")),
        "{}",
        fetched.stderr
    );
    assert!(
        fetched.stdout.contains("  pieces      4 pieces, "),
        "{}",
        fetched.stdout
    );
    assert_eq!(
        server.gets().len(),
        3,
        "the wrong one, the one that was cut, the whole"
    );
    assert!(server.gets().iter().all(|get| get.authorization.is_none()));

    // A damaged copy is fetched again; a whole one needs nobody.
    let copy = format!("cache/downloads/{sha256}");
    lab.write(&copy, "[");
    let again = check(&sha256, &[]);
    assert!(
        again.stderr.contains("is damaged and is fetched again"),
        "{}",
        again.stderr
    );
    drop(server);
    assert_eq!(check(&sha256, &["--offline"]).code, Some(0));

    // A local file wins over the address, also one that the command line names beside it.
    lab.write("mine.json", &DESCRIPTIONS.replace("bitter-sweet", "sweet"));
    let set = prompts(&other);
    let args = [
        "check",
        "made.yaml",
        "--set",
        &set,
        "--set",
        "prompts.path=mine.json",
    ];
    assert_eq!(ran(&mut on(&lab, lab.command(&args))).code, Some(0));
}

#[test]
fn a_file_that_is_too_large_is_not_kept() {
    let lab = lab();
    let server = HubServer::start(Behaviour::small(vec![b' '; (16 << 20) + 1]));
    let url = format!("{}/d.json", server.url);
    let set = format!("prompts={{ url: '{url}', sha256: {} }}", "0".repeat(64));
    let args = ["check", "made.yaml", "--set", &set];
    ran(&mut on(&lab, lab.command(&args))).assert_fails(
        1,
        &format!("{url} holds more than 16777216 bytes, the most for such a file; it was not kept"),
    );
    assert!(!lab.at("cache/downloads").exists());
}

#[test]
fn the_shipped_experiments_run_as_a_demo() {
    let lab = Lab::generating();
    let experiments = ["gen_spanio_base", "gen_spanio"].map(|name| {
        let path = repository(&format!("experiments/{name}.yaml"));
        path.to_str().unwrap().to_owned()
    });
    let args = [
        "run",
        &experiments[0],
        &experiments[1],
        "--demo",
        "--set",
        "duration_s=0.5",
    ];
    let ran = lab.harness(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "demo: small bundled models with random weights; the numbers below mean nothing\n\
         demo: gen_spanio_base: 3 draws a prompt instead of 25\n\
         demo: gen_spanio: a few bundled descriptions\n"
    );
    assert_eq!(lab.files("runs/gen_spanio_base/audio").len(), 12);
    assert_eq!(
        lab.files("runs/gen_spanio/audio"),
        ["1.wav", "2.wav", "3.wav", "4.wav", "5.wav"]
    );
    let tastes: Vec<String> = lab
        .csv("runs/gen_spanio/scores.csv")
        .iter()
        .map(|r| r["tastes"].clone())
        .collect();
    assert_eq!(
        tastes,
        ["sweet", "bitter sour", "salty sweet", "sour", "bitter"]
    );
    for name in ["gen_spanio_base", "gen_spanio"] {
        let manifest = lab.json(&format!("runs/{name}/manifest.json"));
        assert_eq!(
            (&manifest["demo"], &manifest["random_weights"]),
            (&true.into(), &true.into())
        );
    }
}
