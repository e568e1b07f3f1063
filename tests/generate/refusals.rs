//! Command lines and prompts that are wrong: exit code 2, a message that says what to write instead, no piece.

use std::fs;

use crate::support::{Studio, names, repository};

/// Refused with exit code 2 and nothing made.
fn refused(prompts: &[&str], args: &[&str], words: &[&str]) {
    let studio = Studio::new(prompts);
    studio.fails("o", args, 2, words);
    let left = fs::read_dir(studio.at("o")).map_or(0, |_| studio.files("o").len());
    assert_eq!(left, 0);
}

#[test]
fn values_out_of_range() {
    let one = |args: &[&str], words: &[&str]| refused(&["sweet music"], args, words);
    one(&["--guidance", "0.5"], &["guidance is 0.5", "at least 1"]);
    one(&["--guidance", "-1"], &["guidance is -1", "at least 1"]);
    one(&["--guidance", "nan"], &["guidance is NaN", "at least 1"]);
    for temperature in ["0", "-1", "inf", "nan"] {
        one(
            &["--temperature", temperature],
            &["temperature", "--greedy"],
        );
    }
    one(&["--top-p", "0"], &["top-p is 0", "above 0 and at most 1"]);
    one(
        &["--top-p", "1.5"],
        &["top-p is 1.5", "above 0 and at most 1"],
    );
    one(&["--top-k", "-1"], &["--top-k"]);
    one(&["--top-k", "65"], &["65 codes", "has 64", "0 for all"]);
    one(&["--batch", "0"], &["--batch", "1.."]);
    one(&["--seed", "-1"], &["--seed"]);
    one(&["--precision", "fp16"], &["fp16", "int8"]);
}

#[test]
fn lengths_that_no_piece_has() {
    let one = |args: &[&str], words: &[&str]| refused(&["sweet music"], args, words);
    for duration in ["0", "-2", "nan", "inf"] {
        one(
            &["--duration", duration],
            &["--duration", "seconds above 0"],
        );
    }
    one(&["--duration", "0.001"], &["0.001 s", "0.02 s"]);
    let limit = ["1536 positions", "30.66 s"];
    one(
        &["--duration", "31"],
        &[&["31 s", "1553 steps"][..], &limit].concat(),
    );
    one(&["--duration", "1e300"], &limit);
    one(
        &["--max-new-tokens", "1537"],
        &[&["1537"][..], &limit].concat(),
    );
    one(&["--max-new-tokens", "18446744073709551615"], &limit);
    for tokens in ["0", "3"] {
        one(
            &["--max-new-tokens", tokens],
            &["--max-new-tokens", tokens, "at least 4 steps"],
        );
    }
}

#[test]
fn options_that_speak_against_each_other() {
    let one = |args: &[&str], words: &[&str]| refused(&["sweet music"], args, words);
    let both = ["--duration", "1", "--max-new-tokens", "50"];
    one(&both, &["--duration", "--max-new-tokens"]);
    one(
        &["--greedy", "--temperature", "0.5"],
        &["--greedy", "--temperature"],
    );
    one(&["--greedy", "--top-k", "5"], &["--greedy", "--top-k"]);
    one(&["--greedy", "--top-p", "0.5"], &["--greedy", "--top-p"]);
}

#[test]
fn a_prompt_beyond_the_text_encoder_is_named_with_its_line() {
    let long = "sweet ".repeat(10_000);
    let words = ["prompts.txt:2: ", "512 at most", "shorten it"];
    refused(&["sour", &long, "bitter"], &["--duration", "1"], &words);
}

#[test]
fn files_of_prompts_that_are_none() {
    let studio = Studio::new(&[]);
    studio.fails("o", &[], 2, &["prompts.txt", "holds no prompt"]);
    fs::write(studio.at("prompts.txt"), b"one\nm\xfcsica\n").unwrap();
    studio.fails("o", &[], 2, &["prompts.txt", "line 2 is not UTF-8"]);
    fs::remove_file(studio.at("prompts.txt")).unwrap();
    studio.fails("o", &[], 2, &["prompts.txt"]);
    assert!(!studio.at("o").exists());
}

#[test]
fn a_card_of_another_kind() {
    let clap = repository("assets/demo/models/music_audioset.yaml");
    let args = ["--model", clap.to_str().unwrap()];
    refused(
        &["sweet music"],
        &args,
        &["music_audioset", "clap", "musicgen"],
    );
    refused(
        &["sweet music"],
        &["--model", "nobody"],
        &["no card 'nobody'"],
    );
}

#[test]
fn an_output_that_cannot_be() {
    let studio = Studio::new(&["sweet music"]);
    fs::write(studio.at("file"), "mine").unwrap();
    studio.fails("file", &["--duration", "1"], 2, &["file is a file"]);
    studio.fails("file/o", &["--duration", "1"], 2, &["file is a file"]);
    assert_eq!(fs::read(studio.at("file")).unwrap(), b"mine");
}

#[test]
fn pieces_of_other_settings_are_never_mixed() {
    let studio = Studio::new(&["sweet music", "sour music"]);
    studio.ok("o", &["--duration", "0.5"]);
    let before = studio.files("o");
    let way_out = "name another folder with --out, or remove it";
    for args in [
        &["--duration", "1"][..],
        &["--seed", "1"],
        &["--guidance", "2"],
        &["--greedy"],
    ] {
        let args = match args.contains(&"--duration") {
            true => args.to_vec(),
            false => [args, &["--duration", "0.5"]].concat(),
        };
        studio.fails(
            "o",
            &args,
            2,
            &["o holds pieces that were made with other settings", way_out],
        );
    }
    studio.write_prompts(&["sweet music", "bitter music"]);
    let other = "o holds a piece 2 from another prompt";
    studio.fails("o", &["--duration", "0.5"], 2, &[other, way_out]);
    assert!(studio.files("o") == before);

    // A folder that the user filled: nothing in it is written over.
    fs::create_dir(studio.at("mine")).unwrap();
    fs::write(studio.at("mine/2.wav"), "mine").unwrap();
    studio.fails(
        "mine",
        &["--duration", "0.5"],
        2,
        &["mine holds pieces", way_out],
    );
    assert_eq!(fs::read(studio.at("mine/2.wav")).unwrap(), b"mine");
    assert_eq!(names(&studio.at("mine")), [".lock", "2.wav"]);
}
