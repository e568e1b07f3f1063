//! `run experiments/weights.yaml --demo`: the command of the first minute. It makes the pieces first.

use std::fs;

use crate::support::{Lab, Ran, repository};

const NOTICE: &str =
    "demo: small bundled models with random weights; the numbers below mean nothing\n";
const SHRUNK: &str =
    "demo: gen_spanio_base: 3 draws a prompt instead of 25, pieces of 12 s instead of 29.92 s\n";
const FIRST: &str = "weights takes its pieces from gen_spanio_base, which has no finished run: it is made first (12 \
                     pieces, 2.4 min of audio)\n";
const ARMS: [&str; 3] = [
    "630k, fusion on",
    "630k, fusion off",
    "music_audioset, fusion off",
];
const CARDS: [&str; 3] = [
    "630k-audioset-fusion-best",
    "630k-audioset-best",
    "music_audioset",
];

fn demo(lab: &Lab, args: &[&str]) -> Ran {
    let weights = repository("experiments/weights.yaml");
    let ran = lab.harness(&[&["run", weights.to_str().unwrap(), "--demo"], args].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

fn numbers(list: &str) -> Vec<f64> {
    let list = list.trim_matches(['[', ']']);
    list.split(',').map(|x| x.trim().parse().unwrap()).collect()
}

#[test]
fn everything_is_made_and_hangs_together() {
    let lab = Lab::with(&[]);
    let ran = demo(&lab, &[]);
    assert_eq!(ran.stderr, format!("{NOTICE}{SHRUNK}{FIRST}"));

    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        [
            "mean", "CLAP", "score", "n", "all", "bitter", "sour", "sweet", "salty"
        ]
    );
    assert_eq!(lines.len(), 8);
    for (i, arm) in ARMS.iter().enumerate() {
        let (means, spread) = (lines[1 + i], lines[4 + i]);
        assert!(means.starts_with(&format!("{arm} ")), "{means}");
        let told = format!("{arm}: draws of one prompt differ with sd 0.");
        assert!(spread.starts_with(&told), "{spread}");
        assert!(spread.contains("(12 draws of 4 prompts)"), "{spread}");
    }
    assert_eq!(lines[7], "runs/weights");
    let (audio, others): (Vec<String>, Vec<String>) = lab
        .files("runs/weights")
        .into_iter()
        .partition(|file| file.starts_with("audio/"));
    // Linked from the run that made them.
    let made = lab.files("runs/gen_spanio_base/audio");
    assert_eq!(
        audio,
        made.iter()
            .map(|file| format!("audio/{file}"))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        others,
        [
            ".embeddings.f32",
            ".identity",
            ".journal.jsonl",
            ".lock",
            "clusters.csv",
            "draws.csv",
            "embeddings.csv",
            "embeddings.npy",
            "figures/by_prompt.png",
            "figures/by_prompt.svg",
            "figures/clusters.png",
            "figures/clusters.svg",
            "figures/differences.png",
            "figures/differences.svg",
            "figures/scores.png",
            "figures/scores.svg",
            "figures/similarity.png",
            "figures/similarity.svg",
            "figures/tsne.png",
            "figures/tsne.svg",
            "manifest.json",
            "maps.csv",
            "notebook.yaml",
            "report.html",
            "scores.csv",
            "similarity.csv",
            "stats.csv",
            "text_embeddings.npy"
        ]
    );
    for (file, columns) in [
        (
            "scores.csv",
            "id,prompt,audio_path,clap_score,taste,prompt_id,draw,arm,front,middle,back,offset",
        ),
        (
            "embeddings.csv",
            "prompt,audio_name,clap_score,audio_emb,text_emb,taste,arm,id",
        ),
        (
            "stats.csv",
            "kind,arm,arm_b,taste,n,mean,sd,min,q1,median,q3,max,ci_low,ci_high,wins,cohens_d,pearson_r,kendall_tau_b,t_p,wilcoxon_p,t_p_holm,wilcoxon_p_holm",
        ),
    ] {
        let text = String::from_utf8(lab.read(&format!("runs/weights/{file}"))).unwrap();
        assert_eq!(text.lines().next().unwrap(), columns);
    }

    let scores = lab.csv("runs/weights/scores.csv");
    let embeddings = lab.csv("runs/weights/embeddings.csv");
    assert_eq!((scores.len(), embeddings.len()), (36, 36));
    for (i, (score, embedding)) in scores.iter().zip(&embeddings).enumerate() {
        assert_eq!(score["arm"], ARMS[i / 12]);
        for column in ["id", "prompt", "taste", "arm", "clap_score"] {
            assert_eq!(score[column], embedding[column]);
        }
        assert_eq!(
            score["prompt"],
            format!("{} music, ambient for fine restaurant", score["taste"])
        );
        let (audio, text) = (
            numbers(&embedding["audio_emb"]),
            numbers(&embedding["text_emb"]),
        );
        assert!(audio.len() > 1 && audio.len() == text.len());
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
        assert!((dot(&audio, &audio) - 1.0).abs() < 1e-6);
        assert!((dot(&text, &text) - 1.0).abs() < 1e-6);
        assert_eq!(score["clap_score"], format!("{:.6}", dot(&audio, &text)));
        let taken = |columns: &[&str]| columns.iter().all(|column| !score[*column].is_empty());
        assert_eq!(taken(&["front", "middle", "back"]), i < 12);
        assert_eq!(taken(&["offset"]), i >= 12);
        let id = format!("{}_{:0>2}", score["prompt_id"], score["draw"]);
        assert_eq!(score["id"], id);
        let path = format!("runs/gen_spanio_base/audio/{id}.wav");
        assert_eq!(score["audio_path"], path);
    }
    for (off, music) in scores[12..24].iter().zip(&scores[24..]) {
        assert_eq!(
            off["offset"], music["offset"],
            "every arm hears the same part"
        );
    }
    // The arm that both have gives the same scores: crops are drawn once for a piece.
    let made = lab.csv("runs/gen_spanio_base/scores.csv");
    for (score, made) in scores[..12].iter().zip(&made) {
        for column in ["id", "clap_score", "front", "middle", "back", "arm"] {
            assert_eq!(score[column], made[column]);
        }
    }
    for figure in ["scores", "differences", "by_prompt"] {
        let svg = lab.read(&format!("runs/weights/figures/{figure}.svg"));
        let svg = String::from_utf8(svg).unwrap();
        assert!(svg.contains("random weights: not a finding"));
        assert!(svg.contains("weights · 12 pieces · seed 0 · harness "));
    }
}

#[test]
fn the_manifest_says_what_made_the_numbers() {
    let lab = Lab::with(&[]);
    demo(&lab, &["--out", "r", "--seed", "5"]);
    let manifest = lab.json("r/manifest.json");
    assert_eq!(manifest["experiment"], "weights");
    assert_eq!(manifest["notebook"], "ComparisonCLAPWeights");
    assert_eq!(manifest["seed"], 5);
    assert_eq!(manifest["crops"]["policy"], "seeded");
    assert_eq!(manifest["random_weights"], true);
    assert_eq!(
        (&manifest["pieces"], &manifest["skipped"]),
        (&12.into(), &0.into())
    );
    assert_eq!(manifest["harness"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["settings"]["pieces"].as_array().unwrap().len(), 12);
    let identity = String::from_utf8(lab.read("r/.identity")).unwrap();
    assert_eq!(manifest["identity"], identity.trim_end());

    let runtime = &manifest["runtime"];
    assert_eq!(
        (&runtime["provider"], &runtime["precision"]),
        (&"cpu".into(), &"fp32".into())
    );
    assert!(runtime["threads"].as_u64().unwrap() > 0);
    assert!(
        runtime["build"]
            .as_str()
            .unwrap()
            .starts_with("ORT Build Info")
    );
    for version in ["onnxruntime", "library_sha256"] {
        assert!(!runtime[version].as_str().unwrap().is_empty());
    }

    let arms = manifest["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 3);
    for ((arm, name), card) in arms.iter().zip(ARMS).zip(CARDS) {
        assert_eq!((&arm["name"], &arm["card"]), (&name.into(), &card.into()));
        assert_eq!(arm["checkpoint"], format!("{card}.pt"));
        let checkpoint = fs::read(repository(&format!("assets/demo/{card}.pt"))).unwrap();
        let sha256 = files::sha256_bytes(&checkpoint);
        assert_eq!(arm["checkpoint_sha256"], sha256);
        assert_eq!(arm["files"][0]["sha256"], sha256);
        assert_eq!(arm["files"][0]["bytes"], checkpoint.len());
        let tokenizer = fs::read(repository("assets/demo/tokenizer.json")).unwrap();
        assert_eq!(arm["tokenizer"]["sha256"], files::sha256_bytes(&tokenizer));
        assert_eq!(
            (&arm["licence"], &arm["fusion_shrink"]),
            (&"cc0-1.0".into(), &"plain".into())
        );
        let fusion = if card.contains("fusion") {
            "fusion on"
        } else {
            "fusion off"
        };
        assert!(arm["architecture"].as_str().unwrap().ends_with(fusion));
        for graph in ["audio", "text"] {
            let graph = &arm["graphs"][graph];
            let path = graph["path"].as_str().unwrap();
            let sha256 = |path: &str| files::sha256_file(path.as_ref()).unwrap();
            assert_eq!(graph["sha256"], sha256(path));
            assert_eq!(graph["weights_sha256"], sha256(&format!("{path}.data")));
            let placed = graph["nodes_ran_on"].as_object().unwrap();
            assert_eq!(placed.keys().collect::<Vec<_>>(), ["CPUExecutionProvider"]);
            assert!(placed["CPUExecutionProvider"].as_u64().unwrap() > 10);
        }
    }
}

/// A second run has nothing to compute; the manifest still says where the nodes of the first one ran.
/// What a demo says of pieces that are there.
const TAKEN: &str =
    "weights takes its pieces from runs/gen_spanio_base (12 pieces, 2.4 min of audio)\n";

#[test]
fn a_second_run_and_a_fresh_one_write_the_same_bytes() {
    let lab = Lab::with(&[]);
    let first = demo(&lab, &[]);
    let (results, journal) = (
        lab.drawn_results("runs/weights"),
        lab.read("runs/weights/.journal.jsonl"),
    );
    let arms = lab.json("runs/weights/manifest.json")["arms"].clone();
    for args in [&[][..], &["--fresh"]] {
        let again = demo(&lab, args);
        assert_eq!(
            (again.stdout, again.stderr),
            (first.stdout.clone(), format!("{NOTICE}{TAKEN}"))
        );
        assert!(lab.drawn_results("runs/weights") == results, "{args:?}");
        assert!(
            lab.read("runs/weights/.journal.jsonl") == journal,
            "{args:?}"
        );
        let manifest = lab.json("runs/weights/manifest.json");
        assert_eq!(manifest["arms"], arms);
        assert_ne!(manifest["runtime"]["build"], "");
    }
    assert_eq!(fs::read_dir(lab.at("runs")).unwrap().count(), 2);
}
