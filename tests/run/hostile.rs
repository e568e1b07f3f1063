//! Ids and prompts of strangers: in the CSVs, the figures and the report alike they are text and nothing else.

use std::fs;

use resvg::usvg;

use crate::support::Lab;

/// Every id names a file of the report's audio, so none has a '/'.
const IDS: [&str; 7] = [
    "=1+1",
    "@SUM(A1)",
    "<script>alert(1)<script>",
    "a, \"b\" & 'c'",
    "🎵 sweet 🍋",
    "שלום מוזיקה",
    "-x.y",
];

fn prompts() -> Vec<String> {
    let mut prompts: Vec<String> = [
        "=cmd|' /C calc'!A0",
        "</script><script>document.title='x'</script>",
        "two\nlines, and \"quotes\"",
        "<img src=x onerror=alert(1)>",
        "sweet 🎼 music 👩🏽‍🎤",
        "موسيقى حلوة \u{202e}evil",
    ]
    .map(str::to_owned)
    .to_vec();
    prompts.push("sweet ".repeat(333) + "xy");
    prompts
}

#[test]
fn strange_ids_and_prompts_are_text_everywhere() {
    let lab = Lab::with(&[]);
    lab.piece("sweet_01.wav", "p.wav");
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["path", "prompt", "id", "taste"]).unwrap();
    let tastes = ["<b>sweet</b>", "=sour", "a\"b"];
    for (i, (id, prompt)) in IDS.iter().zip(prompts()).enumerate() {
        csv.write_record(["pieces/p.wav", &prompt, id, tastes[i % 3]])
            .unwrap();
    }
    fs::write(lab.at("p.csv"), csv.into_inner().unwrap()).unwrap();
    lab.write(
        "lab.yaml",
        "experiment: lab\ntask: clap_scores\naudio: { csv: p.csv }\narms:\n  - { name: \"<i>plain</i>\", model: plain }\n  \
         - { name: \"=fused\", model: fused }\n",
    );
    lab.run(&[]);

    let raw = String::from_utf8(lab.read("runs/lab/scores.csv")).unwrap();
    assert!(
        raw.contains("\n'=1+1,'=cmd|") && !raw.contains("\n=1+1") && !raw.contains(",=cmd"),
        "{raw}"
    );
    let scores = lab.csv("runs/lab/scores.csv");
    assert_eq!(scores.len(), 14);
    for (i, (id, prompt)) in IDS.iter().zip(prompts()).enumerate() {
        let guarded = |text: &str| match text.starts_with(['=', '@', '-']) {
            true => format!("'{text}"),
            false => text.to_owned(),
        };
        assert_eq!(scores[i]["id"], guarded(id));
        assert_eq!(scores[i]["prompt"], guarded(&prompt));
    }

    // The figures are drawn again from those files, and every one is well-formed.
    let drawn = lab.harness(&["figures", "runs/lab"]);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""));
    let figures: Vec<&str> = drawn
        .stdout
        .lines()
        .filter(|path| path.ends_with(".svg"))
        .collect();
    assert!(figures.len() >= 3, "{}", drawn.stdout);
    for figure in figures {
        let svg = String::from_utf8(lab.read(figure)).unwrap();
        usvg::Tree::from_str(&svg, &usvg::Options::default()).unwrap();
        for markup in ["<script", "<b>", "<i>", "<img"] {
            assert!(!svg.contains(markup), "{figure} holds {markup}");
        }
    }

    let html = String::from_utf8(lab.read("runs/lab/report.html")).unwrap();
    for markup in [
        "<script>alert",
        "<script>document",
        "<img",
        "<b>sweet",
        "<i>plain",
    ] {
        assert!(!html.contains(markup), "{markup}");
    }
    assert!(html.contains("&lt;b&gt;sweet"));
    // Seven names of files, all of them in the folder.
    assert_eq!(
        fs::read_dir(lab.at("runs/lab/audio")).unwrap().count(),
        IDS.len()
    );

    // Crops and differences read the guarded cells back.
    lab.run(&["--crops", "runs/lab/scores.csv", "--out", "again"]);
    let same = lab.harness(&["diff", "runs/lab", "again"]);
    assert_eq!(same.code, Some(0), "{}{}", same.stdout, same.stderr);
}

#[test]
fn a_table_edited_by_hand_is_named_with_its_column() {
    let lab = Lab::new();
    lab.run(&[]);
    for (file, column) in [
        ("scores.csv", "arm"),
        ("stats.csv", "wins"),
        ("similarity.csv", "n"),
    ] {
        let path = format!("runs/lab/{file}");
        let before = lab.read(&path);
        let edited = String::from_utf8(before.clone()).unwrap();
        let header = edited.lines().next().unwrap().to_owned();
        let renamed = header
            .split(',')
            .map(|c| if c == column { "other" } else { c });
        let renamed = renamed.collect::<Vec<_>>().join(",");
        lab.write(&path, &edited.replacen(&header, &renamed, 1));
        for command in ["figures", "report"] {
            let ran = lab.harness(&[command, "runs/lab"]);
            assert_eq!(ran.code, Some(1), "{command} {file}");
            let told = format!("cannot read {path}: it has no column `{column}`");
            assert!(ran.stderr.contains(&told), "{command}: {}", ran.stderr);
        }
        fs::write(lab.at(&path), before).unwrap();
    }
    let manifest = String::from_utf8(lab.read("runs/lab/manifest.json")).unwrap();
    lab.write(
        "runs/lab/manifest.json",
        &manifest.replacen("\"format\": 1", "\"format\": 2", 1),
    );
    for args in [
        &["figures", "runs/lab"][..],
        &["report", "runs/lab"],
        &["diff", "runs/lab", "runs/lab"],
        &["nearest", "runs/lab", "x"],
    ] {
        let ran = lab.harness(args);
        assert_ne!(ran.code, Some(0), "{args:?}");
        assert!(
            ran.stderr.contains("a newer harness wrote it (format 2"),
            "{args:?}: {}",
            ran.stderr
        );
    }
}
