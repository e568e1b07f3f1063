//! What each setting does to the pieces.

use crate::support::Studio;

#[test]
fn lengths_are_those_asked_for() {
    let studio = Studio::new(&["sweet music"]);
    let lengths: [(&[&str], usize); 5] = [
        (&["--duration", "0.02"], 1),
        (&["--duration", "1.49"], 75),
        (&["--max-new-tokens", "4"], 1),
        (&["--max-new-tokens", "53"], 50),
        (&["--duration", "30.66"], 1533),
    ];
    for (i, (args, frames)) in lengths.into_iter().enumerate() {
        let out = i.to_string();
        studio.ok(&out, &[args, &["--save-codes"]].concat());
        let codes = studio.codes(&format!("{out}/1.npy"));
        assert_eq!(codes.len(), 4);
        assert!(codes.iter().all(|codebook| codebook.len() == frames));
        assert_eq!(studio.samples(&format!("{out}/1.wav")).len(), 640 * frames);
    }
}

#[test]
fn the_default_length_is_that_of_the_notebooks() {
    let studio = Studio::new(&["sweet music"]);
    let said = studio.ok("o", &["--guidance", "1"]);
    assert!(said.contains("1 piece of 29.92 s in o; loading "), "{said}");
    assert!(said.contains("(1499 steps of "), "{said}");
    assert_eq!(studio.samples("o/1.wav").len(), 957_440);
}

#[test]
fn every_setting_of_the_choice_counts_and_so_does_the_seed() {
    let studio = Studio::new(&["sweet music"]);
    let settings: [&[&str]; 8] = [
        &[],
        &["--seed", "1"],
        &["--guidance", "1"],
        &["--guidance", "4.5"],
        &["--temperature", "0.5"],
        &["--top-k", "0"],
        &["--top-p", "0.3"],
        &["--greedy"],
    ];
    let made: Vec<Vec<Vec<i64>>> = settings
        .into_iter()
        .enumerate()
        .map(|(i, args)| {
            let out = i.to_string();
            studio.ok(&out, &[args, &["--duration", "2", "--save-codes"]].concat());
            studio.codes(&format!("{out}/1.npy"))
        })
        .collect();
    for (i, one) in made.iter().enumerate() {
        assert!(
            !made[..i].contains(one),
            "{:?} changed nothing",
            settings[i]
        );
        assert!(one.iter().flatten().all(|code| *code >= 0));
    }
    // The likeliest code alone is left.
    studio.ok("k", &["--top-k", "1", "--duration", "2", "--save-codes"]);
    assert_eq!(studio.codes("k/1.npy"), made[7]);
}

#[test]
fn greedy_does_not_depend_on_the_seed() {
    let studio = Studio::new(&["sweet music"]);
    studio.ok("o", &["--greedy", "--duration", "1", "--seed", "1"]);
    let said = studio.ok("o", &["--greedy", "--duration", "1", "--seed", "2"]);
    assert!(said.contains("all made before"), "{said}");
}

#[test]
fn an_empty_line_is_a_prompt_and_codes_are_saved_on_demand_only() {
    let studio = Studio::new(&[""]);
    studio.ok("o", &["--duration", "0.5"]);
    let names = || -> Vec<String> {
        studio
            .files("o")
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(names(), ["1.wav"]);
    let (_, before) = &studio.files("o")[0];
    studio.ok("o", &["--duration", "0.5", "--save-codes"]);
    assert_eq!(names(), ["1.npy", "1.wav"]);
    assert!(studio.files("o")[1].1 == *before);
}
