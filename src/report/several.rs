//! Several runs side by side: what each was, and its means in one table.

use super::html::Html;
use super::load::Run;
use super::provenance;
use crate::statistics::grouping::ALL;
use crate::tables::stats::Kind;
use crate::words::thousands;

/// The table of runs, and of means by condition and taste; nothing for one run.
pub fn section(runs: &[Run], tastes: &[&str]) -> Html {
    let mut html = Html::new();
    if runs.len() < 2 {
        return html;
    }
    html.raw("<section id=\"runs\" aria-labelledby=\"h-runs\">\n<h2 id=\"h-runs\">Runs</h2>\n<ul class=\"runs\">\n");
    for run in runs {
        html.raw("<li><strong>")
            .name(&run.label)
            .raw("</strong>: ")
            .part(&provenance::lede(run));
        if run.is_random() {
            html.raw(" <span class=\"warn\">Random weights: its numbers mean nothing.</span>");
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
    let rows = runs
        .iter()
        .flat_map(|run| run.conditions().into_iter().map(move |c| (run, c)));
    let rows: Vec<(&Run, &str)> = rows.collect();
    if !rows.is_empty() {
        html.raw("<div class=\"wide\" role=\"region\" aria-label=\"Mean scores\" tabindex=\"0\"><table><caption>Mean CLAP score</caption>\n<thead><tr>\
                  <th scope=\"col\">Run</th><th scope=\"col\">Condition</th><th scope=\"col\" class=\"n\">n</th><th scope=\"col\" class=\"n\">all</th>");
        for taste in tastes {
            html.raw("<th scope=\"col\" class=\"n\">")
                .name(taste)
                .raw("</th>");
        }
        html.raw("</tr></thead>\n<tbody>\n");
        for (run, condition) in rows {
            let mean = |taste: &str| {
                let same = |row: &&crate::tables::StatsRow| {
                    row.kind == Kind::Arm && row.arm == condition && row.taste == taste
                };
                run.stats.iter().find(same)
            };
            html.raw("<tr><th scope=\"row\">")
                .name(&run.label)
                .raw("</th><td>")
                .name(condition);
            html.raw("</td><td class=\"n\">")
                .text(&mean(ALL).map_or_else(|| "–".to_owned(), |row| thousands(row.n as u64)))
                .raw("</td>")
                .cell(mean(ALL).map(|row| row.mean), 4);
            for taste in tastes {
                html.cell(mean(taste).map(|row| row.mean), 4);
            }
            html.raw("</tr>\n");
        }
        html.raw("</tbody></table></div>\n");
    }
    html.raw("</section>\n");
    html
}
