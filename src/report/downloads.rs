//! Links to the files of the run folder.

use super::html::{Html, segment};
use super::load::Run;
use crate::labels::{Said, Word};

/// What a file holds.
fn about(file: &str, word: &Word) -> Said {
    word.said(match file {
        "scores.csv" => "a score for every piece under every condition",
        "sample.csv" => "the scores of the sample that figures show",
        "prompts.csv" => "the prompts of the array of their embeddings, row by row",
        "pieces.jsonl" => "every piece: its prompt, its file, its hash",
        "stats.csv" => "summaries and paired differences, with intervals and tests",
        "draws.csv" => "the draws of each prompt",
        "clusters.csv" => "how well the tastes lie apart",
        "distances.csv" => "Fréchet and kernel distances of the sets",
        "similarity.csv" => "mean cosines, taste by taste",
        "maps.csv" => "places on the t-SNE maps",
        "tsne.csv" => "the joint map, in the notebook’s columns",
        "nearest.csv" => "the nearest texts of each query",
        "histogram.csv" => "cosines of pairs of texts, in bins",
        "embeddings.csv" => "embeddings as JSON lists",
        "embeddings.npy" => "the embeddings of the pieces as a NumPy array",
        "text_embeddings.npy" => "the embeddings of the prompts as a NumPy array",
        "skipped.csv" => "pieces that were left out, and why",
        "manifest.json" => "settings, hashes, versions",
        _ => "",
    })
}

pub fn section(runs: &[Run]) -> Html {
    let mut html = Html::new();
    html.raw("<section id=\"files\" aria-labelledby=\"h-files\">\n<h2 id=\"h-files\">Files</h2>\n<div class=\"columns\">\n");
    for run in runs {
        html.raw("<div>");
        if runs.len() > 1 {
            html.raw("<h3>").name(&run.label).raw("</h3>");
        }
        html.raw("<ul class=\"files\">\n");
        for file in &run.files {
            html.raw("<li><a")
                .attr("href", &format!("{}{}", run.address, segment(file)))
                .raw(" download>")
                .text(file)
                .raw("</a> <span class=\"quiet\">")
                .text(&about(file, &run.labels.word))
                .raw("</span></li>\n");
        }
        html.raw("</ul></div>\n");
    }
    html.raw("</div>\n</section>\n");
    html
}
