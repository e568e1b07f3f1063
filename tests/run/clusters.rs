//! How well the tastes lie apart: maps, metrics and the columns of the notebook.

use crate::support::{GENERATE, Lab};

const CLUSTERS: &str = "\
experiment: lab
task: clusters
audio: { from: made }
tastes: [sweet, bitter]
arms:
  - { name: fused, model: fused }
  - { name: plain, model: plain }
pieces_per_taste: [2, 3, 40]
tsne: { perplexity: 5, iterations: 300 }
permutations: 200
";

#[test]
fn maps_metrics_and_the_columns_of_the_notebook() {
    let lab = Lab::generating();
    lab.write("made.yaml", &GENERATE.replace("draws: 2", "draws: 4"));
    lab.write("lab.yaml", CLUSTERS);
    let ran = lab.run(&[]);
    assert!(
        ran.stdout.contains("fused: silhouette of the tastes "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("fused less plain: "), "{}", ran.stdout);
    let lowered = "map of fused: 8 points are too few for perplexity 5; it is 2.3";
    assert!(ran.stderr.contains(lowered), "{}", ran.stderr);

    let maps = lab.csv("runs/lab/maps.csv");
    let count = |map: &str| maps.iter().filter(|row| row["map"] == map).count();
    assert_eq!((count("fused"), count("plain")), (8, 8));
    assert_eq!(
        [
            "joint, 4 rows a taste",
            "joint, 6 rows a taste",
            "joint, 8 rows a taste"
        ]
        .map(count),
        [8, 12, 16]
    );
    let records = lab.json("runs/lab/manifest.json")["maps"].clone();
    assert_eq!(
        (&records[0]["map"], &records[0]["perplexity_asked"]),
        (&"fused".into(), &5.0.into())
    );

    let text = String::from_utf8(lab.read("runs/lab/tsne.csv")).unwrap();
    assert!(text.starts_with("id,descriptor,audio_emb,text_emb,fusion,tsne_1,tsne_2,num_id,arm,"));
    let tsne = lab.csv("runs/lab/tsne.csv");
    assert_eq!(tsne.len(), 16);
    assert_eq!(
        ["id", "descriptor", "fusion", "num_id", "arm"].map(|c| tsne[1][c].as_str()),
        ["bitter_02", "bitter", "true", "2", "fused"]
    );
    assert_eq!(
        (tsne[15]["fusion"].as_str(), tsne[15]["num_id"].as_str()),
        ("false", "4")
    );

    let clusters = lab.csv("runs/lab/clusters.csv");
    let find = |metric: &str, arm: &str, pieces: &str, taste: &str| {
        let rows: Vec<_> = clusters
            .iter()
            .filter(|r| r["metric"] == metric && r["arm"] == arm && r["kind"] == "audio")
            .filter(|r| r["pieces_per_taste"] == pieces && r["taste"] == taste)
            .collect();
        assert_eq!(rows.len(), 1, "{metric} {arm} {pieces} {taste}");
        rows[0].clone()
    };
    for (pieces, n) in [("", "8"), ("2", "4"), ("3", "6")] {
        let row = find("silhouette", "plain", pieces, "all");
        assert_eq!(row["n"], n);
        let value: f64 = row["value"].parse().unwrap();
        assert!((-1.0..=1.0).contains(&value));
        let p: f64 = row["p"].parse().unwrap();
        assert!(p > 0.0 && p <= 1.0);
    }
    let (fused, plain) = (
        find("silhouette", "fused", "", "all"),
        find("silhouette", "plain", "", "all"),
    );
    let difference = find("silhouette_difference", "fused", "", "all");
    let number =
        |row: &std::collections::HashMap<String, String>| row["value"].parse::<f64>().unwrap();
    assert!((number(&difference) - (number(&fused) - number(&plain))).abs() < 1e-12);
    assert_eq!(difference["arm_b"], "plain");
    assert!(!difference["ci_low"].is_empty());
    for metric in ["davies_bouldin", "intra_distance", "inter_distance"] {
        assert!(number(&find(metric, "fused", "", "all")) > 0.0);
    }
    let displaced = clusters
        .iter()
        .filter(|r| r["metric"] == "centroid_displacement");
    assert_eq!(displaced.count(), 2);
    // One prompt a taste: nothing to say about the texts.
    assert!(clusters.iter().all(|row| row["kind"] != "text"));
    for figure in [
        "tsne",
        "tsne_joint",
        "similarity",
        "clusters",
        "scores",
        "differences",
    ] {
        assert!(
            lab.at(&format!("runs/lab/figures/{figure}.svg")).is_file(),
            "{figure}"
        );
    }
    let similarity = lab.csv("runs/lab/similarity.csv");
    assert_eq!(similarity.len(), 2 * 2 * 4);

    let results = lab.made("runs/lab");
    lab.run(&["--fresh", "--threads", "1"]);
    assert!(lab.made("runs/lab") == results);
}

#[test]
fn pieces_too_few_for_a_map_or_a_metric_leave_them_out() {
    let lab = Lab::generating();
    lab.write("made.yaml", &GENERATE.replace("draws: 2", "draws: 1"));
    lab.write("lab.yaml", CLUSTERS);
    let ran = lab.run(&[]);
    assert!(
        ran.stderr
            .contains("no map of fused: t-SNE needs at least 4 points, not 2"),
        "{}",
        ran.stderr
    );
    // The two of each arm together are four.
    let maps = lab.csv("runs/lab/maps.csv");
    assert!(maps.len() == 4 && maps.iter().all(|row| row["map"] == "joint, 2 rows a taste"));
    for file in [
        "scores.csv",
        "stats.csv",
        "embeddings.csv",
        "similarity.csv",
    ] {
        let text = String::from_utf8(lab.read(&format!("runs/lab/{file}"))).unwrap();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{file}");
    }
}
