//! Neither batch, order nor resume changes a piece.

use crate::support::Studio;

/// Of different lengths, so that they are padded differently; one is empty, and one comes twice.
const PROMPTS: [&str; 8] = [
    "sweet music, ambient for fine restaurant",
    "",
    "a slow and very bitter piece for two cellos, a bass clarinet and the sound of rain on a tin roof at night",
    "sour",
    "salty music",
    "sweet music, ambient for fine restaurant",
    "music",
    "bitter music, ambient for fine restaurant",
];

#[test]
fn pieces_are_the_same_bytes_in_every_batch_and_after_a_resume() {
    let studio = Studio::new(&PROMPTS);
    let more = ["--duration", "1.5", "--save-codes"];
    let with = |args: &[&'static str]| [&more[..], args].concat();
    studio.ok("eight", &with(&["--batch", "8"]));
    let expected = studio.files("eight");
    let names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 16);
    assert_eq!(names[..4], ["1.npy", "1.wav", "2.npy", "2.wav"]);
    for args in [
        &["--batch", "1"][..],
        &["--batch", "3"],
        &["--threads", "1"],
        &["--threads", "5"],
        &[],
    ] {
        let out = format!("other{}", args.join(""));
        studio.ok(&out, &with(args));
        assert!(studio.files(&out) == expected, "{args:?}");
    }

    // The same prompt twice is two pieces.
    let wav = |n: &str| &expected.iter().find(|(name, _)| name == n).unwrap().1;
    assert!(wav("1.wav") != wav("6.wav"));

    // Three pieces at first, one of them lost since; the rest is made in other company.
    studio.write_prompts(&PROMPTS[..3]);
    studio.ok("resumed", &with(&["--batch", "2"]));
    std::fs::remove_file(studio.at("resumed/2.wav")).unwrap();
    studio.write_prompts(&PROMPTS);
    let said = studio.ok("resumed", &with(&["--batch", "8"]));
    assert!(
        said.contains("8 pieces of 1.50 s in resumed, 2 of them made before; "),
        "{said}"
    );
    assert!(studio.files("resumed") == expected);

    let said = studio.ok("resumed", &with(&[]));
    assert_eq!(
        said.trim_end(),
        "8 pieces of 1.50 s in resumed, all made before"
    );
}

#[test]
fn a_piece_belongs_to_its_line() {
    let studio = Studio::new(&["sweet music", "sour music"]);
    studio.ok("two", &["--duration", "1", "--greedy"]);
    studio.write_prompts(&["sour music", "sweet music"]);
    studio.ok("turned", &["--duration", "1", "--greedy"]);
    for (one, other) in [("1", "2"), ("2", "1")] {
        let (one, other) = (format!("two/{one}.wav"), format!("turned/{other}.wav"));
        assert!(studio.samples(&one) == studio.samples(&other));
    }
    assert!(studio.samples("two/1.wav") != studio.samples("two/2.wav"));
}
