//! Two runs of the demo's models, with other crops.

use crate::lab::Lab;

#[test]
fn other_crops_move_the_long_pieces_and_nothing_else() {
    let lab = Lab::new();
    lab.run(&["--out", "seeded"]);
    lab.run(&["--out", "again"]);
    lab.run(&["--out", "center", "--set", "crops=center"]);

    let same = lab.harness(&["diff", "seeded", "again"]);
    assert_eq!(same.code, Some(0), "{}{}", same.stdout, same.stderr);
    assert!(
        same.stdout.contains("\nno setting differs\n")
            && same.stdout.contains("\nstats.csv: no mean changed\n")
    );

    let ran = lab.harness(&["diff", "seeded", "center", "--out", "rows.csv"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("\nsetting  A       B\ncrops    seeded  center\n\n"),
        "{}",
        ran.stdout
    );
    let (a, b) = (lab.csv("seeded/scores.csv"), lab.csv("center/scores.csv"));
    let rows = lab.csv("rows.csv");
    assert_eq!(rows.len(), a.len());
    for ((a, b), row) in a.iter().zip(&b).zip(&rows) {
        assert_eq!((&row["condition"], &row["id"]), (&a["arm"], &a["id"]));
        let score = |row: &std::collections::HashMap<String, String>| {
            row["clap_score"].parse::<f64>().unwrap()
        };
        let change: f64 = row["change"].parse().unwrap();
        assert!((change - (score(b) - score(a))).abs() < 1e-9);
        let crops = |row: &std::collections::HashMap<String, String>| {
            ["front", "middle", "back", "offset"].map(|column| row[column].clone())
        };
        let distance: f64 = row["audio_distance"].parse().unwrap();
        assert_eq!(crops(a) == crops(b), distance == 0.0, "{row:?}");
        let cosine: f64 = row["audio_cosine"].parse().unwrap();
        assert_eq!(cosine, 1.0 - distance);
        assert_eq!(
            (&*row["text_distance"], &*row["text_cosine"]),
            ("0.0", "1.0")
        );
    }
    assert!(rows.iter().any(|row| row["audio_distance"] != "0.0"));
}
