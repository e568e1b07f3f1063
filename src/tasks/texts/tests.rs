use serde_json::json;

use crate::tasks::tests::{of_text, settings};

const TEXTS: &str = "\
experiment: musiccaps_text
task: texts
model: music
captions: { hub: google/MusicCaps, file: musiccaps-public.csv }
queries: [sweet music]
";

#[test]
fn captions_come_from_a_hub_or_a_file_of_this_machine() {
    let experiment = of_text(TEXTS, &[]).unwrap();
    assert!(experiment.pieces.is_empty());
    let texts = &settings(&experiment)["texts"];
    assert_eq!(
        (&texts["nearest"], &texts["queries"]),
        (&json!(10), &json!(["sweet music"]))
    );
    let hub = &texts["captions"]["hub"];
    assert_eq!(
        (&hub["repo"], &hub["revision"]),
        (&json!("google/MusicCaps"), &json!("main"))
    );
    let own = of_text(TEXTS, &["captions.path=own.csv"]).unwrap();
    assert_eq!(
        settings(&own)["texts"]["captions"],
        json!({ "path": "own.csv" })
    );
    for (from, to, expected) in [
        (
            "{ hub: google/MusicCaps, file: musiccaps-public.csv }",
            "{ hub: google/MusicCaps }",
            "w.yaml:4: 'captions' needs 'path' (a CSV with the columns ytid,aspect_list,caption) or 'hub' and 'file'",
        ),
        (
            "[sweet music]",
            "[a, a]",
            "w.yaml:5: 'queries.1' is empty or there twice",
        ),
    ] {
        assert_eq!(
            of_text(&TEXTS.replace(from, to), &[]).unwrap_err(),
            expected
        );
    }
}
