//! Experiments that cannot be generated: refused before anything is made, with exit code 2.

use crate::support::{GENERATE, Lab};

fn refused(lab: &Lab, args: &[&str], message: &str) {
    let ran = lab.harness(&[&["run", "made.yaml"], args].concat());
    ran.assert_fails(2, message);
    assert!(!lab.at("runs").exists());
}

#[test]
fn settings_that_make_no_sense_are_named_with_their_place() {
    let lab = Lab::generating();
    for (set, message) in [
        ("draws=0", "'draws' is 0; it must be from 1 to 10000"),
        (
            "duration_s=0",
            "'duration_s' must be a number of seconds above 0",
        ),
        (
            "duration_s=-0.5",
            "'duration_s' must be a number of seconds above 0",
        ),
        (
            "guidance=0.5",
            "'guidance' must be 1 or more; 1 is without guidance",
        ),
        (
            "temperature=0",
            "'temperature' must be above 0; for the likeliest code at every step (greedy) set top_k: 1",
        ),
        (
            "top_p=0",
            "'top_p' must be above 0 and at most 1; 1 is all codes",
        ),
        (
            "top_p=1.5",
            "'top_p' must be above 0 and at most 1; 1 is all codes",
        ),
        (
            "top_k=1",
            "with top_k: 1 nothing is drawn, and the 2 draws of a prompt would be the same piece; set draws: 1 as well",
        ),
        (
            "prompts.text=music",
            "'prompts.text' makes one prompt a taste: it needs {taste} in it and the list beside it, such as tastes: \
             [sweet, bitter, sour, salty]",
        ),
        (
            "prompts.text={tast} music",
            "'prompts.text' has the unknown place '{tast}'; did you mean 'taste'? (valid here: taste, id)",
        ),
        (
            "tastes=[sweet, a/b]",
            "the id 'a/b' must be 1 to 200 bytes without '/', '\\' and control characters, no '.' first",
        ),
        (
            "tastes=[a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u]",
            "'tastes' has 21 entries; the figures have room for 20",
        ),
        (
            "tastes=[sweet, Sweet]",
            "the taste 'Sweet' differs from another one by its case alone, and many file systems take their files for one",
        ),
        (
            "tastes=[all]",
            "'all' stands for all tastes together in every table; rename that taste",
        ),
        (
            "guidanc=3",
            "unknown key 'guidanc'; did you mean 'guidance'? (valid here: experiment, notebook, task, label, model, prompts, \
             tastes, draws, duration_s, guidance, temperature, top_k, top_p, arms, crops, seed, limit)",
        ),
        (
            "prompts.txt=x",
            "unknown key 'txt' in 'prompts'; did you mean 'text'? (valid here: text, rewrite, path, url, sha256)",
        ),
    ] {
        refused(&lab, &["--set", set], &format!("--set {set}: {message}"));
    }
    refused(&lab, &["--limit", "0"], "--limit 0 leaves no piece");
    lab.write(
        "made.yaml",
        &GENERATE.replace("duration_s: 0.4", "duration_s: -1"),
    );
    refused(
        &lab,
        &[],
        "made.yaml:7: 'duration_s' must be a number of seconds above 0",
    );
}

#[test]
fn what_the_checkpoint_limits_is_told_with_the_limit() {
    let lab = Lab::generating();
    let config: serde_json::Value = serde_json::from_slice(
        &std::fs::read(crate::support::repository(
            "assets/demo/musicgen/config.json",
        ))
        .unwrap(),
    )
    .unwrap();
    let decoder = &config["decoder"];
    let (positions, vocab) = (
        decoder["max_position_embeddings"].as_u64().unwrap(),
        decoder["vocab_size"].as_u64().unwrap(),
    );
    let longest = (positions - 3) as f64 / 50.0;
    refused(
        &lab,
        &["--set", "duration_s=3600"],
        &format!(
            "made, 'duration_s' 3600: 180003 steps are more than the model's {positions} positions; a piece has at most \
             {positions} steps, which are {longest:.2} s"
        ),
    );
    refused(
        &lab,
        &["--set", "duration_s=0.001"],
        "made, 'duration_s' 0.001: 0 steps make no frame: 4 codebooks need at least 4 steps",
    );
    let top_k = vocab + 1;
    refused(
        &lab,
        &["--set", &format!("top_k={top_k}")],
        &format!(
            "made, 'top_k' {top_k}: top-k is {top_k} codes, and a codebook has {vocab}; name at most {vocab}, or 0 for all \
             of them"
        ),
    );
}

#[test]
fn models_of_the_wrong_kind_are_refused() {
    let lab = Lab::generating();
    refused(
        &lab,
        &["--set", "model=plain"],
        "card plain is of kind clap; name one of kind musicgen here",
    );
    refused(
        &lab,
        &["--set", "arms.0.model=tiny"],
        "arm 'plain': card tiny is of kind musicgen; name one of kind clap here",
    );
}

#[test]
fn a_prompt_that_is_too_long_is_refused_before_a_piece_is_made() {
    let lab = Lab::generating();
    let words = "sweet ".repeat(10_000);
    let ran = lab.harness(&[
        "run",
        "made.yaml",
        "--set",
        &format!("prompts.text={words}{{taste}}"),
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr
            .starts_with("error: piece sweet_01: its prompt has ")
            && ran
                .stderr
                .contains("the text encoder takes 512 at most; shorten it"),
        "{}",
        ran.stderr
    );
    assert!(!lab.at("runs").exists());
}

#[test]
fn crops_that_a_piece_will_lack_are_named_before_it_is_made() {
    let lab = Lab::generating();
    lab.write("crops.csv", "id,front,middle,back,offset\nother,,,,5\n");
    refused(
        &lab,
        &["--set", "duration_s=11", "--crops", "crops.csv"],
        "crops.csv has no offset for sweet_01: the piece is 11.0 s long, and arm 'plain' hears 10 s of it; add the row, \
         or leave out --crops",
    );
}
