//! The figures of the runs, each beside the one of the same name of the other runs.

use super::html::{Html, segment};
use super::inline_svg::Drawing;
use super::load::Run;

/// Figures whose colours are a scale: they keep their white paper on a dark page.
const ON_PAPER: [&str; 2] = ["similarity", "similarity_text"];

pub fn section(runs: &[Run]) -> Html {
    let mut stems: Vec<&str> = Vec::new();
    for drawing in runs.iter().flat_map(|run| &run.figures) {
        if !stems.contains(&drawing.stem.as_str()) {
            stems.push(&drawing.stem);
        }
    }
    let mut html = Html::new();
    if stems.is_empty() {
        return html;
    }
    html.raw("<section id=\"figures\" aria-labelledby=\"h-figures\">\n<h2 id=\"h-figures\">Figures</h2>\n");
    for stem in stems {
        html.raw(if runs.len() > 1 {
            "<div class=\"beside\">\n"
        } else {
            ""
        });
        for run in runs {
            if let Some(drawing) = run.figures.iter().find(|d| d.stem == stem) {
                figure(&mut html, run, drawing, runs.len() > 1);
            }
        }
        html.raw(if runs.len() > 1 { "</div>\n" } else { "" });
    }
    html.raw("</section>\n");
    html
}

fn figure(html: &mut Html, run: &Run, drawing: &Drawing, several: bool) {
    let keeps_paper = ON_PAPER.contains(&drawing.stem.as_str());
    html.raw(if keeps_paper {
        "<figure class=\"paper\">"
    } else {
        "<figure>"
    })
    .raw("<div class=\"wide\" role=\"img\" tabindex=\"0\"")
    .attr("aria-label", &drawing.title)
    .raw("><div class=\"drawing\"")
    .attr("style", &format!("--w:{}px", drawing.size.0))
    .raw(">")
    .own(&drawing.svg)
    .raw("</div></div>\n<figcaption>");
    if several {
        html.raw("<strong>").name(&run.label).raw("</strong> · ");
    }
    let file = format!("{}figures/{}", run.address, segment(&drawing.stem));
    // A figure that says in words what it shows has its title in the drawing.
    let caption = match drawing.about.is_empty() {
        true => &drawing.title,
        false => &drawing.about,
    };
    html.text(caption)
        .raw(" <span class=\"links\"><a")
        .attr("href", &format!("{file}.svg"))
        .attr("aria-label", &format!("{} as SVG", drawing.title))
        .raw(">SVG</a>");
    if drawing.has_png {
        html.raw(" <a")
            .attr("href", &format!("{file}.png"))
            .attr("aria-label", &format!("{} as PNG", drawing.title))
            .raw(">PNG</a>");
    }
    html.raw("</span></figcaption></figure>\n");
}
