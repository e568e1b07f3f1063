//! The neighbours of the queries, of a run that embeds texts.

use super::html::Html;
use super::load::Run;
use super::pieces::prompt;
use crate::tables::{NearestRow, TextKind};

/// The section; nothing when there are no neighbours.
pub fn section(run: &Run) -> Html {
    let mut html = Html::new();
    if run.nearest.is_empty() {
        return html;
    }
    html.raw("<section id=\"nearest\" aria-labelledby=\"h-nearest\">\n<h2 id=\"h-nearest\">Nearest texts</h2>\n<div class=\"columns\">\n");
    let mut tables: Vec<(&str, TextKind)> = Vec::new();
    for row in &run.nearest {
        if !tables.contains(&(row.query.as_str(), row.kind)) {
            tables.push((&row.query, row.kind));
        }
    }
    for (query, kind) in tables {
        let rows = run
            .nearest
            .iter()
            .filter(|row| row.query == query && row.kind == kind);
        html.raw("<div class=\"wide\" tabindex=\"0\" role=\"region\"")
            .attr("aria-label", &format!("{}s nearest to {query}", kind.name()))
            .raw("><table><caption>")
            .text(match kind {
                TextKind::Caption => "Captions",
                TextKind::Descriptor => "Descriptors",
            })
            .raw(" nearest to <q>")
            .name(query)
            .raw("</q></caption>\n<thead><tr><th scope=\"col\" class=\"n\">#</th><th scope=\"col\">Text</th><th scope=\"col\" class=\"n\">Cosine</th></tr></thead>\n<tbody>\n");
        rows.for_each(|row| neighbour(&mut html, row));
        html.raw("</tbody></table></div>\n");
    }
    html.raw("</div>\n</section>\n");
    html
}

fn neighbour(html: &mut Html, row: &NearestRow) {
    html.raw("<tr><td class=\"n\">")
        .count(row.rank)
        .raw("</td><td class=\"prompt\">");
    prompt(html, &row.text);
    html.raw("</td>")
        .cell(Some(row.similarity), 4)
        .raw("</tr>\n");
}
