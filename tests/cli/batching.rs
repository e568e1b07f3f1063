//! What is embedded beside a clip or a text, in which order and on how many threads must not matter.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{
    Call, Embedding, FUSED, Models, UNFUSED, demo_pieces, largest_difference, read_embeddings, row,
};

/// Relative L2: room for another order of float32 sums, as for other shapes, and for nothing else.
const SAME: f64 = 1e-5;

fn embed(models: &Models, card: &str, audio: &[PathBuf], more: &[&str]) -> Vec<Embedding> {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.csv");
    let mut call = Call::embed(models, card).option("--out", &out);
    for path in audio {
        call = call.option("--audio", path);
    }
    more.iter().fold(call, |call, word| call.arg(word)).ok();
    read_embeddings(&out)
}

/// The demo's pieces and a copy of a long one: 13 files, more than any batch divides.
fn thirteen(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(demo_pieces()).unwrap() {
        let path = entry.unwrap().path();
        let to = folder.join(path.file_name().unwrap());
        fs::copy(&path, &to).unwrap();
        paths.push(to);
    }
    let copy = folder.join("copy.ogg");
    fs::copy(folder.join("sweet_02.ogg"), &copy).unwrap();
    paths.push(copy);
    paths.sort();
    assert_eq!(paths.len(), 13);
    paths
}

fn id(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn report(what: &str, error: f64) {
    let bits = if error == 0.0 { ", bit for bit" } else { "" };
    println!("{what}: at most {error:.1e}{bits}");
    assert!(error <= SAME, "{what}: {error:.1e}");
}

#[test]
fn clips_together_are_as_each_alone() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let paths = thirteen(folder.path());
    for card in [FUSED, UNFUSED] {
        let centre = ["--crop-policy", "center"];
        let together = embed(&models, card, &[folder.path().to_owned()], &centre);
        assert_eq!(together.len(), 13);
        let mut alone = Vec::new();
        for path in &paths {
            let mut one = embed(&models, card, std::slice::from_ref(path), &centre);
            assert_eq!(one.len(), 1);
            assert_eq!(one[0].crops, row(&together, id(path)).crops, "{}", id(path));
            alone.append(&mut one);
        }
        report(
            &format!("{card}, alone or together"),
            largest_difference(&alone, &together),
        );
        let (copy, original) = (row(&together, "copy"), row(&together, "sweet_02"));
        assert_eq!(copy.values, original.values, "{card}: a copy of a file");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let models = Models::shared();
    for card in [FUSED, UNFUSED] {
        let with = |threads| embed(&models, card, &[demo_pieces()], &["--threads", threads]);
        let (one, two, three) = (with("1"), with("2"), with("3"));
        report(
            &format!("{card}, 1 or 2 threads"),
            largest_difference(&one, &two),
        );
        report(
            &format!("{card}, 1 or 3 threads"),
            largest_difference(&one, &three),
        );
        let crops = |rows: &[Embedding]| rows.iter().map(|r| r.crops.clone()).collect::<Vec<_>>();
        assert_eq!(crops(&one), crops(&two));
    }
}

#[test]
fn files_come_out_in_the_order_given_with_the_same_numbers() {
    let models = Models::shared();
    let names = ["sour_02.mp3", "bitter_03.ogg", "sweet_03.flac"];
    let mut paths = names.map(|name| demo_pieces().join(name));
    let given = embed(&models, FUSED, &paths, &[]);
    let ids: Vec<&str> = given.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["sour_02", "bitter_03", "sweet_03"]);
    paths.reverse();
    let reversed = embed(&models, FUSED, &paths, &[]);
    assert_eq!(reversed[0].id, "sweet_03");
    report(
        "files in another order",
        largest_difference(&given, &reversed),
    );
    let folder = embed(&models, FUSED, &[demo_pieces()], &[]);
    report("files or their folder", largest_difference(&given, &folder));
    for piece in &given {
        assert_eq!(piece.crops, row(&reversed, &piece.id).crops);
        assert_eq!(piece.crops, row(&folder, &piece.id).crops);
    }
}

#[test]
fn texts_together_are_as_each_alone() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    // From 1 word to more than the 77 tokens that are kept, so that several batches with padding are needed.
    let texts: Vec<String> = (0..24)
        .map(|i| {
            format!(
                "take {i} of a {}waltz",
                "slow and quiet ".repeat((i * 7) % 24)
            )
        })
        .collect();
    let embed_texts = |texts: &[String]| {
        let (file, out) = (
            folder.path().join("texts.txt"),
            folder.path().join("out.csv"),
        );
        fs::write(&file, texts.join("\n")).unwrap();
        Call::embed(&models, UNFUSED)
            .option("--text", &file)
            .option("--out", &out)
            .ok();
        read_embeddings(&out)
    };
    let together = embed_texts(&texts);
    assert_eq!(together.len(), texts.len());
    let mut alone = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let mut one = embed_texts(std::slice::from_ref(text));
        one[0].id = (i + 1).to_string();
        assert!(
            one[0].crops.is_empty(),
            "without audio there are no columns of crops"
        );
        alone.append(&mut one);
    }
    report(
        "texts alone or together",
        largest_difference(&alone, &together),
    );
}

#[test]
fn the_same_command_twice_writes_the_same_bytes() {
    let models = Models::shared();
    let folder = TempDir::new().unwrap();
    let texts = folder.path().join("texts.txt");
    fs::write(&texts, "sweet music\nbitter music, \"very\" slow\n").unwrap();
    for card in [FUSED, UNFUSED] {
        let written = ["a.csv", "b.csv"].map(|name| {
            let out = folder.path().join(name);
            Call::embed(&models, card)
                .option("--audio", demo_pieces())
                .option("--text", &texts)
                .option("--seed", "7")
                .option("--out", &out)
                .ok();
            fs::read(out).unwrap()
        });
        assert!(written[0] == written[1], "{card}");
    }
}
