use crate::tasks::tests::{of_text, settings};

const COMPARE: &str = "\
experiment: reprompt
task: compare
sets:
  - { name: improved, files: DIR/a }
  - { name: base, files: DIR/b }
text: \"{taste} music\"
tastes: [sweet, bitter]
arms: [{ name: on, model: a }]
";

#[test]
fn two_sets_are_compared_item_by_item() {
    let experiment = of_text(COMPARE, &[]).unwrap();
    let keys: Vec<_> = experiment
        .pieces
        .iter()
        .map(|p| p.key().into_owned())
        .collect();
    assert_eq!(keys, ["improved/sweet_1", "base/sweet_1"]);
    assert!(experiment.pieces.iter().all(|p| p.prompt == "sweet music"));
    assert_eq!(settings(&experiment)["clusters"]["permutations"], 10_000);
    for (from, to, expected) in [
        (
            "  - { name: base, files: DIR/b }\n",
            "",
            "w.yaml:3: 'sets' has 1 entries; two sets are compared",
        ),
        (
            "name: base",
            "name: improved",
            "w.yaml:5: two sets are called 'improved'",
        ),
        (
            "name: base",
            "name: a/b",
            "w.yaml:5: the id 'a/b' must be 1 to 200 bytes without '/', '\\' and control characters, no '.' first",
        ),
        (
            "files: DIR/b",
            "flies: DIR/b",
            "w.yaml:5: unknown key 'flies' in 'sets.1'; did you mean 'files'? (valid here: name, from, files, csv, columns)",
        ),
        (
            "files: DIR/b",
            "from: ..",
            "w.yaml:5: 'sets.1.from' is neither the name of an experiment nor a run folder with a '/', such as \
             runs/gen_spanio_base",
        ),
        (
            "text: \"{taste} music\"\n",
            "",
            "w.yaml:4: 'sets.0' has 'files' and no 'text'; add the prompt, such as text: \"{taste} music\"",
        ),
        (
            "{taste} music",
            "{tase} music",
            "w.yaml:6: 'text' has the unknown place '{tase}'; did you mean 'taste'? (valid here: taste, id)",
        ),
    ] {
        assert_eq!(
            of_text(&COMPARE.replace(from, to), &[]).unwrap_err(),
            expected
        );
    }
}
