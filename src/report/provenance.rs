//! What made the numbers: settings, seeds, checkpoints with hashes and licences, versions. No time, thread or folder of a machine.

use serde_json::Value;

use super::html::Html;
use super::load::Run;
use crate::words::{counted, thousands};

/// What was run, in a sentence.
pub fn lede(run: &Run) -> Html {
    let mut html = Html::new();
    let conditions = run.conditions().len();
    match run.task() {
        Some("texts") => {
            html.text(&counted(run.texts.len(), "text"))
                .raw(" embedded");
        }
        Some("compare") => {
            let sets: Vec<&str> = sets(&run.manifest);
            html.text(&counted(run.pieces(), "item")).raw(" in ");
            html.text(&counted(sets.len().max(1), "set"));
            for (i, set) in sets.iter().enumerate() {
                html.raw(if i == 0 { ": " } else { " and " }).name(set);
            }
        }
        _ => {
            html.text(&counted(run.pieces(), "piece"));
            if let Some(model) = run.said("/generation/model/card") {
                html.raw(" made with ").name(model);
            } else if let Some(from) = run.said("/pieces_from/experiment") {
                html.raw(" of the run ").name(from);
            }
            if conditions > 0 {
                html.raw(", scored under ")
                    .text(&counted(conditions, "condition"));
            }
        }
    }
    if let Some(notebook) = run.notebook() {
        html.raw("; redoes the notebook ").name(notebook);
    }
    html.raw(".");
    if run.sampled {
        html.raw(" Figures, maps, clusters and the pieces below are of a random sample of ")
            .text(&thousands(run.shown() as u64))
            .raw("; means, intervals and tests are of all.");
    }
    html
}

fn sets(manifest: &Value) -> Vec<&str> {
    let sets = manifest.get("sets").and_then(Value::as_array);
    sets.into_iter()
        .flatten()
        .filter_map(|set| set["name"].as_str())
        .collect()
}

/// The section of one run.
pub fn section(run: &Run, several: bool) -> Html {
    let m = &run.manifest;
    let mut html = Html::new();
    if m.is_null() {
        html.raw("<p class=\"note\">This folder has no manifest.json, so nobody can say what made its numbers.</p>\n");
        return html;
    }
    if several {
        html.raw("<h3>").name(&run.label).raw("</h3>\n");
    }
    html.raw("<dl class=\"facts\">\n");
    facts(&mut html, run);
    html.raw("</dl>\n");
    checkpoints(&mut html, m);
    graphs(&mut html, m);
    html
}

fn fact(html: &mut Html, term: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        html.raw("<div><dt>")
            .text(term)
            .raw("</dt><dd>")
            .name(&value)
            .raw("</dd></div>\n");
    }
}

fn facts(html: &mut Html, run: &Run) {
    let m = &run.manifest;
    let said = |pointer: &str| m.pointer(pointer).and_then(shown);
    fact(html, "Experiment", said("/experiment"));
    fact(html, "Notebook", said("/notebook"));
    fact(html, "Task", said("/settings/task"));
    fact(
        html,
        "Identity of the settings",
        said("/identity").map(|hash| hash.chars().take(16).collect()),
    );
    fact(html, "Seed", said("/seed"));
    let crops =
        said("/crops/policy").map(|policy| match m.pointer("/crops/sha256").and_then(shown) {
            Some(hash) => format!("{policy}, from a file with sha256 {hash}"),
            None => policy,
        });
    fact(html, "Crops of pieces over 10 s", crops);
    let skipped = match m["skipped"].as_u64() {
        Some(n) if n > 0 => format!("; {n} could not be read and were left out, see skipped.csv"),
        _ => String::new(),
    };
    fact(html, "Pieces", said("/pieces").map(|n| n + &skipped));
    fact(
        html,
        "Pieces from the run",
        said("/pieces_from/experiment").map(|name| {
            let hash = said("/pieces_from/identity").unwrap_or_default();
            format!("{name} ({})", hash.chars().take(16).collect::<String>())
        }),
    );
    for set in m
        .get("sets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = set["name"].as_str().unwrap_or_default();
        // The run that its pieces come from; a folder of files has none.
        let set = set.get("from").unwrap_or(set);
        let from = set["experiment"]
            .as_str()
            .map(|e| format!(": run {e}"))
            .unwrap_or_default();
        let hash = set["identity"]
            .as_str()
            .map(|h| format!(" ({})", h.chars().take(16).collect::<String>()));
        fact(
            html,
            "Set",
            Some(format!("{name}{from}{}", hash.unwrap_or_default())),
        );
    }
    fact(
        html,
        &run.say("Tastes"),
        m.pointer("/settings/tastes").and_then(shown),
    );
    generation(html, m);
    let provider = said("/runtime/provider")
        .map(|p| format!("{p}, {}", said("/runtime/precision").unwrap_or_default()));
    fact(html, "Provider", provider);
    fact(html, "ONNX Runtime", said("/runtime/onnxruntime"));
    fact(html, "harness", said("/harness/version"));
}

fn generation(html: &mut Html, m: &Value) {
    let Some(settings) = m.pointer("/settings/generation") else {
        return;
    };
    let keys = [
        "draws",
        "duration_s",
        "guidance",
        "temperature",
        "top_k",
        "top_p",
    ];
    let parts = keys
        .iter()
        .filter_map(|key| Some(format!("{key} {}", shown(&settings[*key])?)));
    fact(
        html,
        "Made with",
        Some(parts.collect::<Vec<_>>().join(" · ")),
    );
    let prompts = settings
        .pointer("/prompts/text")
        .or_else(|| settings.pointer("/prompts/url"));
    fact(html, "Prompts", prompts.and_then(shown));
}

/// A value in words; nothing for null.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => Some(
            values
                .iter()
                .filter_map(shown)
                .collect::<Vec<_>>()
                .join(", "),
        ),
        other => Some(other.to_string()),
    }
}

/// Every model of the manifest with what it was used for.
fn models(m: &Value) -> Vec<(String, &Value)> {
    let arms = m
        .get("arms")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut found: Vec<(String, &Value)> = arms
        .map(|arm| (arm["name"].as_str().unwrap_or_default().to_owned(), arm))
        .collect();
    if let Some(model) = m.pointer("/generation/model") {
        found.insert(0, ("the pieces".to_owned(), model));
    }
    found
}

fn checkpoints(html: &mut Html, m: &Value) {
    let models = models(m);
    if models.is_empty() {
        return;
    }
    html.raw("<div class=\"wide\" role=\"region\" aria-label=\"Checkpoints\" tabindex=\"0\"><table class=\"checkpoints\"><caption>Checkpoints</caption>\n<thead><tr>\
              <th scope=\"col\">For</th><th scope=\"col\">Checkpoint</th><th scope=\"col\">Architecture</th><th scope=\"col\">Licence</th>\
              <th scope=\"col\">sha256</th></tr></thead>\n<tbody>\n");
    for (name, model) in models {
        let text = |key: &str| model[key].as_str().unwrap_or_default();
        html.raw("<tr><th scope=\"row\">")
            .name(&name)
            .raw("</th><td>")
            .name(text("checkpoint"));
        html.raw("<small>card ").name(text("card"));
        let revision = model.pointer("/files/0/revision").and_then(Value::as_str);
        if let Some(revision) = revision {
            html.raw(", revision <code>").text(revision).raw("</code>");
        }
        html.raw("</small></td><td>").name(text("architecture"));
        if let Some(shrink) = model["fusion_shrink"]
            .as_str()
            .filter(|_| text("architecture").contains("fusion on"))
        {
            html.raw("<small>fusion shrinks: ")
                .name(shrink)
                .raw("</small>");
        }
        let leftover = model["leftover_tensors"].as_array().map_or(0, Vec::len);
        if leftover > 0 {
            html.raw("<small>")
                .text(&counted(leftover, "tensor"))
                .raw(" left unused</small>");
        }
        html.raw("</td><td>")
            .name(text("licence"))
            .raw("</td><td><code class=\"hash\">")
            .text(text("checkpoint_sha256"));
        html.raw("</code>");
        if let Some(hash) = model.pointer("/tokenizer/sha256").and_then(Value::as_str) {
            html.raw("<small>tokenizer <code class=\"hash\">")
                .text(hash)
                .raw("</code></small>");
        }
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

fn graphs(html: &mut Html, m: &Value) {
    let models = models(m);
    let has_graphs = |(_, model): &(String, &Value)| model["graphs"].is_object();
    if !models.iter().any(has_graphs) {
        return;
    }
    html.raw("<details class=\"graphs\"><summary>Graphs, their hashes, and where their nodes ran</summary>\n\
              <div class=\"wide\" role=\"region\" aria-label=\"Graphs\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">For</th><th scope=\"col\">Graph</th>\
              <th scope=\"col\">Nodes ran on</th><th scope=\"col\">sha256 of graph and weights</th></tr></thead>\n<tbody>\n");
    for (name, model) in models {
        for (graph, record) in model["graphs"].as_object().into_iter().flatten() {
            html.raw("<tr><th scope=\"row\">")
                .name(&name)
                .raw("</th><td>")
                .name(graph)
                .raw("</td><td>");
            for (i, (provider, nodes)) in record["nodes_ran_on"]
                .as_object()
                .into_iter()
                .flatten()
                .enumerate()
            {
                let nodes = nodes
                    .as_u64()
                    .and_then(|n| usize::try_from(n).ok())
                    .unwrap_or(0);
                html.raw(if i > 0 { ", " } else { "" })
                    .name(provider)
                    .raw(": ")
                    .text(&thousands(nodes as u64));
            }
            html.raw("</td><td><code class=\"hash\">")
                .text(record["sha256"].as_str().unwrap_or_default())
                .raw("</code><small><code class=\"hash\">")
                .text(record["weights_sha256"].as_str().unwrap_or_default())
                .raw("</code></small></td></tr>\n");
        }
    }
    html.raw("</tbody></table></div></details>\n");
}
