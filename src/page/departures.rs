//! Where an experiment departs from its notebook and why, and the notebook's published numbers beside ours.
//!
//! As in the README, "Where this departs from the notebooks".

use super::html::Html;
use super::load::Run;
use super::number::fixed;
use crate::report::clusters::{ClusterKind, Metric};
use crate::report::stats::Kind;
use crate::statistics::grouping::ALL;

/// There, and here.
type Departure = (&'static str, &'static str);

const SEEDED_PIECES: Departure = (
    "No seed: each run made other pieces.",
    "Each piece has a random stream of its own, so the same file gives the same WAVs again, in any batch.",
);
const FAILED_PIECES: Departure = (
    "A piece that failed was printed and skipped, and dropped out of the 100.",
    "A piece that fails stops the run.",
);
const DRAWS: Departure = (
    "One draw a prompt; two draws of description 1 have scored 0.388 and 0.189.",
    "The spread over draws is reported beside the prompts.",
);
const CROPS: Departure = (
    "New crops of long pieces for each score, so that scores changed from run to run.",
    "Crops are seeded by piece, recorded, and the same for every arm.",
);

/// By the name that experiment files give the notebook.
fn departures(notebook: &str) -> &'static [Departure] {
    match notebook {
        "GenMusicSpanio" | "GenMusicSpanioBase" => &[SEEDED_PIECES, FAILED_PIECES, DRAWS, CROPS],
        "ComparisonCLAPWeights" => &[
            (
                "music_audioset loaded with strict=False on the outer module: no key matched, and every score came from random weights.",
                "Every tensor must come from the checkpoint with its shape, or the run stops and says which did not.",
            ),
            (
                "With the keys repaired and fusion on, random layers stayed on the path of every clip over 10 s: that checkpoint has no fusion layers.",
                "music_audioset runs with fusion off, as it was trained, and loads whole.",
            ),
            CROPS,
            (
                "Long pieces are shrunk for fusion as the installed torchvision does it.",
                "Fusion shrinks as the checkpoints were trained; the card can ask for the other way.",
            ),
            (
                "Means set side by side.",
                "Arms are compared piece by piece, with intervals and tests.",
            ),
            (
                "A piece that could not be read was skipped.",
                "It stops the run, or is listed with --skip-bad.",
            ),
        ],
        "TSNEEnableFusion" => &[
            CROPS,
            (
                "One joint map of both settings, with the displacement between their centroids read as an effect of fusion.",
                "The settings are two checkpoints trained apart, so a joint map splits by checkpoint and that displacement means nothing: there is one map a setting as well.",
            ),
            (
                "Intra- and inter-taste distances pooled over both settings.",
                "Every metric is computed per setting.",
            ),
            (
                "A silhouette of text embeddings, which is 1 by construction with one prompt a taste.",
                "It is not taken for a finding.",
            ),
            (
                "The prose says that fusion flattens the tastes; its own silhouettes say the opposite.",
                "A permutation test of each silhouette and a bootstrap interval of their difference; the sentence says what the numbers say.",
            ),
        ],
        "clap-encoder-spanio-audiocaps" => &[
            (
                "The weights were not loaded, so its vectors are a random projection.",
                "Every tensor comes from the checkpoint, or the run stops.",
            ),
            (
                "No seed.",
                "Nothing here is drawn: the same file gives the same vectors.",
            ),
            (
                "Captions or descriptors.",
                "Captions and distinct descriptors, and the nearest ones of any text: harness nearest.",
            ),
        ],
        _ => &[],
    }
}

/// The section; nothing when the run redoes no notebook that we know.
pub fn section(runs: &[Run]) -> Html {
    let mut html = Html::new();
    let mut told: Vec<&str> = Vec::new();
    for run in runs {
        let Some(notebook) = run.notebook().filter(|name| !departures(name).is_empty()) else {
            continue;
        };
        let published = published(run, notebook);
        if told.contains(&notebook) {
            continue;
        }
        told.push(notebook);
        html.raw("<h3>").name(notebook).raw("</h3>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Departures\"><table class=\"departures\">\n\
                  <thead><tr><th scope=\"col\">The notebook</th><th scope=\"col\">Here, and why</th></tr></thead>\n<tbody>\n");
        for (there, here) in departures(notebook) {
            html.raw("<tr><td>")
                .text(there)
                .raw("</td><td>")
                .text(here)
                .raw("</td></tr>\n");
        }
        html.raw("</tbody></table></div>\n").part(&published);
    }
    if html.is_empty() {
        return html;
    }
    let mut section = Html::new();
    section
        .raw("<section id=\"departures\" aria-labelledby=\"h-departures\">\n<h2 id=\"h-departures\">Beside the notebook</h2>\n")
        .part(&html)
        .raw("</section>\n");
    section
}

/// What the notebook published, and our number for the same thing.
struct Compared {
    what: String,
    published: String,
    ours: Option<f64>,
    remark: &'static str,
}

fn published(run: &Run, notebook: &str) -> Html {
    let rows = match notebook {
        "ComparisonCLAPWeights" => weights(run),
        "GenMusicSpanio" => descriptions(run),
        "TSNEEnableFusion" => silhouettes(run),
        _ => Vec::new(),
    };
    let mut html = Html::new();
    if rows.is_empty() {
        return html;
    }
    html.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Published numbers\"><table class=\"published\"><caption>Published numbers of the notebook, beside this run’s</caption>\n\
              <thead><tr><th scope=\"col\">Number</th><th scope=\"col\" class=\"n\">Published</th><th scope=\"col\" class=\"n\">This run</th>\
              <th scope=\"col\">Comparable?</th></tr></thead>\n<tbody>\n");
    for row in rows {
        html.raw("<tr><th scope=\"row\">")
            .text(&row.what)
            .raw("</th><td class=\"n\">")
            .text(&row.published)
            .raw("</td>");
        let ours = row.ours.filter(|_| !run.is_random());
        html.cell(ours, 4).raw("<td>");
        match run.is_random() {
            true => html.raw("no: this run has random weights"),
            false => html.text(row.remark),
        };
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
    html
}

/// The arm whose checkpoint is this file.
fn arm_of<'r>(run: &'r Run, checkpoint: &str) -> Option<&'r str> {
    let arms = run.manifest.get("arms")?.as_array()?;
    let arm = arms.iter().find(|arm| {
        let file = arm["checkpoint"].as_str().unwrap_or_default();
        file.rsplit(['/', '\\']).next() == Some(checkpoint)
    })?;
    arm["name"].as_str()
}

const FUSED: &str = "630k-audioset-fusion-best.pt";
const PLAIN: &str = "630k-audioset-best.pt";

fn weights(run: &Run) -> Vec<Compared> {
    let of = |checkpoint: &str, taste: &str, pick: fn(&crate::report::StatsRow) -> Option<f64>| {
        let arm = arm_of(run, checkpoint)?;
        let row = run
            .stats
            .iter()
            .find(|row| row.kind == Kind::Arm && row.arm == arm && row.taste == taste)?;
        pick(row)
    };
    let mut rows = vec![
        Compared {
            what: "630k, fusion on: mean".into(),
            published: "0.0389".into(),
            ours: of(FUSED, ALL, |row| Some(row.mean)),
            remark: "yes, up to other pieces",
        },
        Compared {
            what: "630k, fusion on: sd".into(),
            published: "0.1246".into(),
            ours: of(FUSED, ALL, |row| row.sd),
            remark: "yes, up to other pieces",
        },
    ];
    for (taste, mean) in [
        ("bitter", -0.0951),
        ("sour", 0.0191),
        ("sweet", 0.21),
        ("salty", 0.0218),
    ] {
        rows.push(Compared {
            what: format!("630k, fusion on: mean of {taste}"),
            published: fixed(mean, 4),
            ours: of(FUSED, taste, |row| Some(row.mean)),
            remark: "yes, up to other pieces",
        });
    }
    for (taste, median) in [
        ("bitter", 0.21),
        ("sour", -0.01),
        ("sweet", 0.22),
        ("salty", 0.19),
    ] {
        rows.push(Compared {
            what: format!("630k, fusion off: median of {taste}"),
            published: fixed(median, 2),
            ours: of(PLAIN, taste, |row| Some(row.median)),
            remark: "roughly: read off a plot",
        });
    }
    for (what, published) in [
        (
            "“music_audioset, fusion on”, strict=False: mean (sd)",
            "−0.0181 (0.0089)",
        ),
        (
            "“music_audioset, fusion on”, keys stripped: mean (sd)",
            "−0.0367 (0.0602)",
        ),
        (
            "“music_audioset, fusion off”: mean (sd)",
            "about −0.072 (0.005)",
        ),
    ] {
        rows.push(Compared {
            what: what.into(),
            published: published.into(),
            ours: None,
            remark: "no: the weights were not, or not wholly, loaded there",
        });
    }
    rows
}

fn descriptions(run: &Run) -> Vec<Compared> {
    let arm = arm_of(run, FUSED);
    let ours = |prompt: &str| {
        let arm = arm?;
        let of_prompt = run.scores.iter().filter(|row| {
            row.arm == arm
                && (row.prompt_id.as_deref() == Some(prompt)
                    || row.prompt_id.is_none() && row.id == prompt)
        });
        let scores: Vec<f64> = of_prompt.map(|row| row.clap_score).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    };
    [
        ("1", "0.388, another draw 0.189"),
        ("2", "0.483"),
        ("3", "0.177"),
    ]
    .map(|(id, published)| Compared {
        what: format!("description {id}: score"),
        published: published.into(),
        ours: ours(id),
        remark: "roughly: another draw of the same prompt",
    })
    .into()
}

fn silhouettes(run: &Run) -> Vec<Compared> {
    // So many rows a taste of both settings together: half of them are of one setting.
    let published = [
        (20, "0.0939", "0.0964"),
        (30, "0.0477", "0.0796"),
        (50, "0.0499", "0.0714"),
    ];
    let ours = |checkpoint: &str, rows: usize| {
        let arm = arm_of(run, checkpoint)?;
        let of_arm = |row: &&crate::report::ClusterRow| {
            row.kind == ClusterKind::Audio
                && row.metric == Metric::Silhouette
                && row.arm == arm
                && row.taste == ALL
        };
        let mut found = run.clusters.iter().filter(of_arm);
        let pieces = rows / 2;
        let subset = found
            .clone()
            .find(|row| row.pieces_per_taste == Some(pieces));
        let whole = found.find(|row| row.pieces_per_taste.is_none() && row.n == 4 * pieces);
        subset.or(whole).map(|row| row.value)
    };
    let mut rows = Vec::new();
    for (count, off, on) in published {
        for (setting, checkpoint, value) in [("off", PLAIN, off), ("on", FUSED, on)] {
            rows.push(Compared {
                what: format!("silhouette, fusion {setting}, {count} rows a taste"),
                published: value.into(),
                ours: ours(checkpoint, count),
                remark: "yes, up to other pieces and crops",
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::run_of;
    use crate::report::scores::row;
    use serde_json::json;

    #[test]
    fn published_numbers_stand_beside_ours_unless_weights_are_random() {
        let (mut run, _folder) =
            run_of(&[row("1", "on", "sweet", 0.25), row("2", "on", "sour", 0.5)]);
        run.manifest = json!({ "notebook": "ComparisonCLAPWeights", "arms": [{ "name": "on", "checkpoint": "x/630k-audioset-fusion-best.pt" }] });
        let html = section(std::slice::from_ref(&run)).into_string();
        assert!(
            html.contains("0.0389") && html.contains(">0.3750<") && html.contains("no key matched")
        );
        run.manifest["random_weights"] = json!(true);
        let html = section(std::slice::from_ref(&run)).into_string();
        assert!(!html.contains(">0.3750<") && html.contains("no: this run has random weights"));
        run.manifest["notebook"] = json!("something else");
        assert!(section(&[run]).is_empty());
    }
}
