//! Pages of made-up runs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::load::Run;
use super::*;
use crate::labels::{Labels, Word};
use crate::notebook::NOTEBOOK;
use crate::tables::scores::row;
use crate::tables::{self, Row, ScoreRow, StatsRow};

/// A run folder with these scores and their statistics, read.
pub(super) fn run_of(rows: &[ScoreRow]) -> (Run, TempDir) {
    let folder = folder_of(rows);
    (Run::read(folder.path(), &Value::Null).unwrap(), folder)
}

fn folder_of(rows: &[ScoreRow]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tables::write(&folder.path().join(ScoreRow::FILE), rows, &Word::default()).unwrap();
    let stats = crate::statistics::stats(rows, 0, &Labels::default()).unwrap();
    tables::write(
        &folder.path().join(StatsRow::FILE),
        &stats,
        &Word::default(),
    )
    .unwrap();
    folder
}

fn wav(path: &Path, seed: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let samples: Vec<f32> = (0..4000)
        .map(|i| ((i * (seed + 3)) as f32 / 40.0).sin() * 0.5)
        .collect();
    clap_audio::write_wav(path, &samples, 8000).unwrap();
}

fn page(folder: &Path, manifest: &Value) -> String {
    let path = write(folder, manifest).unwrap();
    assert_eq!(path, folder.join(REPORT));
    fs::read_to_string(path).unwrap()
}

/// Tags that a browser would see, in order; panics on markup that does not balance.
fn balanced(html: &str) {
    const VOID: [&str; 5] = ["meta", "input", "br", "path", "img"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.split_once("<body").map(|(_, body)| body).unwrap();
    rest = rest.split_once('>').unwrap().1;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n', '/'])
            .next()
            .unwrap();
        if tag.starts_with('/') {
            if name == "body" || name == "html" {
                continue;
            }
            assert_eq!(
                open.pop(),
                Some(name),
                "closes {name} near {}",
                &after[..after.len().min(80)]
            );
        } else if name == "script" {
            rest = rest.split_once("</script>").unwrap().1;
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "a, \"quoted\" 'text', line\nbreak\r\nand\ttab",
    "🍋 sour 🎵",
    "موسيقى حلوة \u{202e}evil",
    "=HYPERLINK(\"http://h/\")",
    "nul\u{0} esc\u{1b}[2J",
    "</script><!--",
    "../../up",
];

#[test]
fn hostile_texts_are_texts() {
    let long = "x<b>".repeat(500);
    let texts = HOSTILE.iter().copied().chain([long.as_str()]);
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sounds/a.wav");
    wav(&sound, 1);
    let rows: Vec<ScoreRow> = texts
        .enumerate()
        .map(|(i, text)| ScoreRow {
            prompt: text.to_owned(),
            taste: if i % 2 == 0 {
                text.to_owned()
            } else {
                "sweet".to_owned()
            },
            audio_path: "sounds/a.wav".to_owned(),
            arm: "<i>arm</i>".to_owned(),
            ..row(text, "", "", 0.1 * i as f64)
        })
        .collect();
    let made = folder_of(&rows);
    fs::create_dir(made.path().join("sounds")).unwrap();
    fs::copy(&sound, made.path().join("sounds/a.wav")).unwrap();
    let manifest = json!({ "experiment": "</title><script>alert(3)</script>", "notebook": "<b>", "generation": {}, "identity": "<i>",
        "arms": [{ "name": "<i>arm</i>", "licence": "<u>", "graphs": { "<g>": { "nodes_ran_on": { "<p>": 3 } } } }] });
    let html = page(made.path(), &manifest);
    balanced(&html);
    for bad in [
        "<script>alert",
        "<img",
        "<i>",
        "<b>x",
        "</title><",
        "onerror=alert(2)>\"",
        "<u>",
        "<g>",
        "\u{0}",
        "\u{1b}",
        "\u{202e}",
    ] {
        let body = html.split_once("</style>").unwrap().1;
        assert!(!body.contains(bad), "{bad}");
    }
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("<details><summary>") && html.contains("<bdi>=HYPERLINK"));
    // Every piece is in audio/ under a name that stays there.
    let names: Vec<_> = fs::read_dir(made.path().join("audio"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(names.len(), 10);
    assert!(!made.path().join("../up.wav").exists());
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let rows: Vec<ScoreRow> = (0..6)
        .flat_map(|i| {
            ["on", "off"].map(|arm| {
                row(
                    &format!("p{i}"),
                    arm,
                    ["sour", "sweet"][i % 2],
                    (i as f64).sin(),
                )
            })
        })
        .collect();
    let folder = folder_of(&rows);
    for i in 0..6 {
        wav(&folder.path().join(format!("p{i}.wav")), i);
    }
    let manifest = |seconds: f64, threads: u64| {
        json!({ "format": 1, "experiment": "lab", "settings": { "task": "clap_scores" },
        "times": { "seconds": seconds }, "runtime": { "threads": threads, "provider": "cpu", "precision": "fp32" } })
    };
    let first = page(folder.path(), &manifest(1.0, 1));
    assert_eq!(page(folder.path(), &manifest(2.0, 8)), first);
    assert!(
        first.contains("href=\"audio/p3.wav\"")
            && first.contains(">0:01</a>")
            && !first.contains("NaN")
    );
    assert!(!first.contains(&*folder.path().to_string_lossy()));
    balanced(&first);
    // The folder is whole: without the sources it still gives the same page.
    (0..6).for_each(|i| fs::remove_file(folder.path().join(format!("p{i}.wav"))).unwrap());
    assert_eq!(page(folder.path(), &manifest(3.0, 2)), first);
}

#[test]
fn missing_and_damaged_sounds_are_rows_without_a_player() {
    let rows = [
        row("gone", "on", "sour", 0.1),
        row("text", "on", "sweet", 0.2),
        row("there", "on", "sweet", 0.25),
    ];
    let folder = folder_of(&rows);
    fs::write(folder.path().join("text.wav"), "root:x:0:0").unwrap();
    wav(&folder.path().join("there.wav"), 1);
    let html = page(folder.path(), &Value::Null);
    assert_eq!(html.matches("aria-disabled=\"true\" data-i").count(), 2);
    assert!(
        html.contains("the sound file is not there")
            && html.contains("the sound file cannot be read")
    );
    assert!(
        !folder.path().join("audio/text.wav").exists(),
        "what is no sound is not brought in"
    );
    assert!(html.contains("no manifest.json"));
    balanced(&html);
}

#[test]
fn random_weights_are_told_before_anything_else() {
    let folder = folder_of(&[row("1", "on", "sour", 0.1)]);
    let html = page(
        folder.path(),
        &json!({ "experiment": "lab", "random_weights": true, "demo": true }),
    );
    let banner = html
        .find("<strong>Random weights: the numbers on this page mean nothing.")
        .unwrap();
    assert!(banner < html.find("<h1>").unwrap());
    assert!(html.contains("none of these sentences is a finding"));
    let html = page(
        folder.path(),
        &json!({ "experiment": "lab", "random_weights": false }),
    );
    assert!(!html.contains("class=\"banner\""));
}

#[test]
fn what_is_no_run_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    for path in [folder.path(), &nowhere] {
        let error = write_for(&[path.to_owned()], None).unwrap_err().to_string();
        assert!(error.contains("is no run folder"), "{error}");
    }
    fs::write(folder.path().join("manifest.json"), r#"{"format": 99}"#).unwrap();
    let error = write_for(&[folder.path().to_owned()], None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("update harness"), "{error}");
    let folder = folder_of(&[row("1", "on", "sour", 0.1)]);
    fs::write(folder.path().join("stats.csv"), "kind,arm\narm,on\n").unwrap();
    let error = write_for(&[folder.path().to_owned()], None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("stats.csv: it has no column `arm_b`"),
        "{error}"
    );
}

#[test]
fn two_runs_stand_side_by_side_and_their_pieces_are_joined() {
    let root = tempfile::tempdir().unwrap();
    let folders = ["one", "two"].map(|name| root.path().join("runs").join(name));
    for (f, folder) in folders.iter().enumerate() {
        fs::create_dir_all(folder).unwrap();
        let rows: Vec<ScoreRow> = (0..3)
            .map(|i| row(&format!("p{i}"), "on", "sour", 0.1 * (i + f) as f64))
            .collect();
        tables::write(&folder.join(ScoreRow::FILE), &rows, &Word::default()).unwrap();
        (0..3).for_each(|i| wav(&folder.join(format!("p{i}.wav")), i + f));
        fs::write(
            folder.join("manifest.json"),
            r#"{"experiment": "lab", "seed": 3}"#,
        )
        .unwrap();
    }
    let page = write_for(
        &[folders[0].clone(), folders[1].clone(), folders[0].clone()],
        None,
    )
    .unwrap();
    assert_eq!(
        page,
        fs::canonicalize(root.path().join("runs"))
            .unwrap()
            .join(REPORT)
    );
    let html = fs::read_to_string(&page).unwrap();
    balanced(&html);
    assert!(html.contains("<h1>2 runs side by side</h1>"));
    assert!(
        html.contains("href=\"one/audio/p0.wav\"") && html.contains("href=\"two/audio/p2.wav\"")
    );
    assert!(
        html.contains("<bdi>one − two</bdi>"),
        "the difference has a column"
    );
    assert_eq!(html.matches("<tr role=\"row\" data-i=").count(), 3);
    let out = root.path().join("pages/x.html");
    fs::create_dir(root.path().join("pages")).unwrap();
    write_for(&folders, Some(&out)).unwrap();
    assert!(
        fs::read_to_string(&out)
            .unwrap()
            .contains("href=\"../runs/two/audio/p2.wav\"")
    );
}

#[test]
fn sets_of_a_comparison_play_side_by_side() {
    let rows: Vec<ScoreRow> = ["old", "new"]
        .iter()
        .flat_map(|set| {
            (0..3).map(move |i| ScoreRow {
                set: Some((*set).to_owned()),
                condition: Some((*set).to_owned()),
                own_prompt: Some(format!("own of {set}")),
                audio_path: format!("{set}/{i}.wav"),
                ..row(
                    &i.to_string(),
                    "on",
                    "sour",
                    if *set == "old" { 0.5 } else { 0.125 },
                )
            })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    tables::write(&folder.path().join(ScoreRow::FILE), &rows, &Word::default()).unwrap();
    for set in ["old", "new"] {
        (0..3).for_each(|i| wav(&folder.path().join(format!("{set}/{i}.wav")), i));
    }
    let manifest = json!({ "settings": { "task": "compare" }, "sets": [{ "name": "old" }, { "name": "new" }] });
    let html = page(folder.path(), &manifest);
    balanced(&html);
    assert!(html.contains("href=\"audio/old/0.wav\"") && html.contains("href=\"audio/new/0.wav\""));
    assert!(html.contains("data-v=\"0.375\">0.3750</td>"));
    assert!(html.contains("3 items in 2 sets: <bdi>old</bdi> and <bdi>new</bdi>"));
    assert!(html.contains("own of new"));
}

#[test]
fn texts_have_neighbours_and_a_map_that_reads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("embeddings.csv"), "text,embedding,kind,id,count\n\"a <b> song\",\"[1]\",caption,abc,1\n'=x,\"[1]\",descriptor,1,4\n").unwrap();
    fs::write(
        at("nearest.csv"),
        "query,kind,rank,similarity,text,id\n\"sweet, <i>\",caption,1,0.5,\"a <b> song\",abc\n",
    )
    .unwrap();
    fs::write(
        at("histogram.csv"),
        "set,low,high,count\ncaption,0.1,0.2,3\ncaption,0.2,0.3,9\n",
    )
    .unwrap();
    fs::write(
        at("maps.csv"),
        "map,arm,id,taste,tsne_1,tsne_2\ncaptions,music,abc,,1,2\n",
    )
    .unwrap();
    let name = "clap-encoder-spanio-audiocaps";
    let known = crate::notebook::beside(
        &Path::new("experiments").join("x.yaml"),
        name,
        &Word::default(),
    )
    .unwrap();
    fs::write(at(NOTEBOOK), known.unwrap()).unwrap();
    let manifest = json!({ "settings": { "task": "texts" }, "notebook": name });
    let html = page(folder.path(), &manifest);
    balanced(&html);
    assert!(
        html.contains("2 texts embedded")
            && html.contains("<b>1 caption</b> and <b>1 distinct descriptor</b>")
    );
    assert!(
        html.contains(
            "Half of all pairs of <bdi>captions</bdi> have a cosine of at most <b>0.30</b>"
        )
    );
    assert!(html.contains("<bdi>sweet, &lt;i&gt;</bdi>") && html.contains("random projection"));
    assert!(
        html.contains("[\"abc\",\"a \\u003cb\\u003e song\"]"),
        "the map has the text"
    );
    assert!(!html.contains("id=\"pieces\"") && !html.contains("id=\"player\""));
}
