//! `harness figures`: from the CSVs alone.

use std::fs;

use crate::support::{Lab, ran};

#[test]
fn figures_come_out_the_same_without_any_runtime() {
    let lab = Lab::new();
    lab.run(&["--out", "r"]);
    let names = [
        "scores.svg",
        "scores.png",
        "differences.svg",
        "differences.png",
        "tsne.svg",
        "tsne.png",
        "clusters.svg",
        "clusters.png",
        "similarity.svg",
        "similarity.png",
    ];
    let read = || names.map(|name| lab.read(&format!("r/figures/{name}")));
    let first = read();
    fs::remove_dir_all(lab.at("r/figures")).unwrap();
    fs::remove_dir_all(lab.at("models")).unwrap();
    fs::remove_dir_all(lab.at("pieces")).unwrap();

    let mut figures = lab.command(&["figures", "r"]);
    figures
        .env("HARNESS_CACHE", lab.at("cache"))
        .env("PATH", "");
    let drawn = ran(&mut figures);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""));
    let listed: Vec<_> = names
        .iter()
        .map(|name| format!("r/figures/{name}"))
        .collect();
    assert_eq!(drawn.stdout.lines().collect::<Vec<_>>(), listed);
    assert!(read() == first);
    assert!(!lab.at("cache").exists());
}

#[test]
fn a_folder_that_is_no_run_is_named() {
    let lab = Lab::with(&[]);
    let none = "No such file or directory (os error 2)";
    lab.harness(&["figures", "pieces"])
        .assert_fails(1, &format!("cannot read pieces/scores.csv: {none}"));
    assert_eq!(lab.files("pieces").len(), 0);
    lab.harness(&["figures", "nowhere"])
        .assert_fails(1, &format!("cannot read nowhere/scores.csv: {none}"));
    assert!(!lab.at("nowhere").exists());
}

/// A run of texts has no scores, and its figures come from its other CSVs.
#[test]
fn a_run_of_texts_is_drawn_without_scores() {
    let lab = Lab::with(&[]);
    fs::create_dir(lab.at("texts")).unwrap();
    let manifest = "{\"format\": 1, \"settings\": {\"task\": \"texts\"}}";
    lab.write("texts/manifest.json", manifest);
    lab.write(
        "texts/maps.csv",
        "map,arm,id,taste,tsne_1,tsne_2\nmusic,music,a,sweet,1,2\nmusic,music,'=b,,-3,0.5\n",
    );
    lab.write(
        "texts/histogram.csv",
        "set,low,high,count\ncaption,0.1,0.2,3\ncaption,0.2,0.3,5\ndescriptor,0.1,0.2,1\n",
    );
    lab.write(
        "texts/nearest.csv",
        "query,kind,rank,similarity,text,id\nsweet,caption,1,0.5,<b>a & b</b>,a\n",
    );
    let drawn = lab.harness(&["figures", "texts"]);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""));
    let stems = ["histogram", "tsne", "nearest"];
    let listed = stems.iter().flat_map(|stem| {
        ["svg", "png"].map(|extension| format!("texts/figures/{stem}.{extension}"))
    });
    assert!(drawn.stdout.lines().eq(listed), "{}", drawn.stdout);
    let nearest = String::from_utf8(lab.read("texts/figures/nearest.svg")).unwrap();
    assert!(nearest.contains("&lt;b&gt;a &amp; b&lt;/b&gt;"));

    lab.write(
        "texts/maps.csv",
        "map,arm,id,taste,tsne_1\nmusic,music,a,,1\n",
    );
    let expected = "cannot read texts/maps.csv: it has no column `tsne_2`; \
        a maps.csv begins with the line map,arm,id,taste,tsne_1,tsne_2";
    lab.harness(&["figures", "texts"]).assert_fails(1, expected);

    let manifest = "{\"format\": 1, \"settings\": {\"task\": \"clap_scores\"}}";
    lab.write("texts/manifest.json", manifest);
    let expected = "cannot read texts/scores.csv: No such file or directory (os error 2)";
    lab.harness(&["figures", "texts"]).assert_fails(1, expected);
}

#[test]
fn what_does_not_belong_to_the_scores_is_refused() {
    let lab = Lab::new();
    lab.run(&["--out", "r"]);
    let maps = "map,arm,id,taste,tsne_1,tsne_2\non,on,stranger,sweet,1,2\n";
    lab.write("r/maps.csv", maps);
    let refused = lab.harness(&["figures", "r"]);
    assert_eq!(refused.code, Some(1));
    let expected = "r/maps.csv does not belong to the scores beside it: it has the piece stranger";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
}

/// On demand, and from then on with every figure, so that none goes on showing other numbers.
#[test]
fn pdfs_are_drawn_on_demand_and_kept_up() {
    let lab = Lab::new();
    lab.run(&["--out", "r"]);
    assert!(!lab.at("r/figures/scores.pdf").exists());
    let drawn = lab.harness(&["figures", "r", "--pdf"]);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""));
    assert!(
        drawn
            .stdout
            .contains("r/figures/scores.png\nr/figures/scores.pdf\n")
    );
    let pdf = lab.read("r/figures/scores.pdf");
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));

    lab.write("r/figures/scores.pdf", "of other numbers");
    fs::remove_file(lab.at("r/figures/tsne.pdf")).unwrap();
    let drawn = lab.harness(&["figures", "r"]);
    assert!(drawn.stdout.contains("scores.pdf") && !drawn.stdout.contains("tsne.pdf"));
    assert!(lab.read("r/figures/scores.pdf") == pdf);
}
