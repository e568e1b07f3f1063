//! The page as a whole.

use sha2::{Digest, Sha256};

use super::ReportError;
use super::html::{Html, shown};
use super::items::{self, Items};
use super::load::Run;
use super::{
    colours, departures, downloads, figures, map, pieces, provenance, several, texts, words,
};
use crate::figures::font;
use crate::labels::{Labels, Word};

const STYLE: &str = include_str!("../../assets/page/page.css");
const SCRIPT: &str = include_str!("../../assets/page/page.js");
/// What the script calls labels above the legend of a map.
const IN_SCRIPT: &str = "key(\"Taste\",";

/// The page of `runs`, one or several. Their pieces are brought into their folders.
pub fn page(runs: &[Run]) -> Result<String, ReportError> {
    let (items, places) = items::items(runs)?;
    let labels = Labels::of_several(runs.iter().map(|run| &run.labels));
    let tastes = tastes(runs, &labels);
    let maps = map::maps(runs, &places, &tastes);
    let mut main = Html::new();
    main.part(&several::section(runs, &tastes))
        .part(&keys(runs));
    if let Some(maps) = &maps {
        main.part(&maps.section());
    }
    main.part(&pieces::section(&items, runs, &tastes, &labels.word));
    runs.iter().for_each(|run| {
        main.part(&texts::section(run));
    });
    main.part(&figures::section(runs))
        .part(&origins(runs))
        .part(&departures::section(runs)?)
        .part(&downloads::section(runs));

    let mut html = Html::new();
    let script = script(&labels.word);
    head(&mut html, &title(runs), &tastes, &script);
    html.raw("<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n");
    header(&mut html, runs, &main);
    html.raw("<main id=\"main\" tabindex=\"-1\">\n")
        .part(&main)
        .raw("</main>\n");
    footer(&mut html, runs);
    player(&mut html, &items);
    html.json("items", &pieces::played(&items, runs));
    html.json(
        "columns",
        &items
            .columns
            .iter()
            .map(|c| shown(&c.name))
            .collect::<Vec<_>>(),
    );
    html.json(
        "slots",
        &items
            .slots
            .iter()
            .map(|s| shown(&s.name))
            .collect::<Vec<_>>(),
    );
    html.json("maps", &maps);
    html.raw("<script>")
        .own(&script)
        .raw("</script>\n</body>\n</html>\n");
    Ok(html.into_string())
}

/// The tastes that occur anywhere, in the order of the figures.
fn tastes<'r>(runs: &'r [Run], labels: &Labels) -> Vec<&'r str> {
    let scored = runs.iter().flat_map(|run| &run.scores);
    let mapped = runs.iter().flat_map(|run| &run.maps);
    let scored = scored.map(|row| row.taste.as_str());
    labels.sorted(scored.chain(mapped.map(|row| row.taste.as_str())))
}

/// The script, with `word` for labels, which has no character that a string of a script would end at.
fn script(word: &Word) -> String {
    SCRIPT.replacen(IN_SCRIPT, &word.said(IN_SCRIPT), 1)
}

fn title(runs: &[Run]) -> String {
    let labels: Vec<&str> = runs.iter().map(|run| run.label.as_str()).collect();
    labels.join(", ")
}

fn head(html: &mut Html, title: &str, tastes: &[&str], script: &str) {
    // What the page may do is said before anything in it. `'self'` is not a file's folder for every browser: hence `file:`.
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'unsafe-inline'; font-src data:; img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'",
        font::base64(&Sha256::digest(script.as_bytes())),
    );
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\"")
        .attr("content", &policy)
        .raw(">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
        .text(title)
        .raw(" · harness</title>\n<style>\n")
        .own(font::css())
        .own(STYLE)
        .own(&colours::rules(tastes))
        .raw("</style>\n</head>\n");
}

fn header(html: &mut Html, runs: &[Run], main: &Html) {
    html.raw("<header>\n<div class=\"top\"><p class=\"brand\">harness <span>report</span></p><button type=\"button\" id=\"theme\" class=\"js\" aria-pressed=\"false\">Dark</button></div>\n");
    banner(html, runs);
    match runs {
        [run] => html
            .raw("<h1>")
            .name(&run.label)
            .raw("</h1>\n<p class=\"lede\">")
            .part(&provenance::lede(run))
            .raw("</p>\n"),
        _ => html
            .raw("<h1>")
            .count(runs.len())
            .raw(" runs side by side</h1>\n"),
    };
    html.raw("<noscript><p class=\"note\">Scripts are off: the tables, figures and links to the sounds are here; players, sorting and the map are not.</p></noscript>\n");
    html.raw("<nav aria-label=\"On this page\"><ul>");
    let main = main.clone().into_string();
    for (id, name) in [
        ("runs", "Runs"),
        ("keys", "Key numbers"),
        ("map", "Map"),
        ("pieces", "Pieces"),
        ("nearest", "Nearest texts"),
        ("figures", "Figures"),
        ("origin", "What was run"),
        ("departures", "Beside the notebook"),
        ("files", "Files"),
    ] {
        // Ids are ours alone: text from outside has its quotes escaped.
        if main.contains(&format!("<section id=\"{id}\"")) {
            html.raw("<li><a")
                .attr("href", &format!("#{id}"))
                .raw(">")
                .raw(name)
                .raw("</a></li>");
        }
    }
    html.raw("</ul></nav>\n</header>\n");
}

/// What nobody must miss.
fn banner(html: &mut Html, runs: &[Run]) {
    let random: Vec<&Run> = runs.iter().filter(|run| run.is_random()).collect();
    if random.is_empty() {
        return;
    }
    html.raw("<div class=\"banner\" role=\"note\"><strong>Random weights: the numbers on this page mean nothing.</strong> ");
    if random.len() < runs.len() {
        html.raw("This is so for ");
        for (i, run) in random.iter().enumerate() {
            html.raw(if i > 0 { ", " } else { "" }).name(&run.label);
        }
        html.raw(". ");
    }
    let demo = random.iter().all(|run| run.manifest["demo"] == true);
    html.raw(match demo {
        true => "It is a demo: small bundled models, fewer and shorter pieces. It shows that everything works, and no sentence or figure below is a finding.",
        false => "No sentence or figure below is a finding.",
    })
    .raw("</div>\n");
}

fn keys(runs: &[Run]) -> Html {
    let mut html = Html::new();
    let found: Vec<(&Run, Html)> = runs
        .iter()
        .map(|run| (run, words::key_numbers(run)))
        .filter(|(_, keys)| !keys.is_empty())
        .collect();
    if found.is_empty() {
        return html;
    }
    html.raw(
        "<section id=\"keys\" aria-labelledby=\"h-keys\">\n<h2 id=\"h-keys\">Key numbers</h2>\n",
    );
    html.raw(if runs.len() > 1 {
        "<div class=\"beside\">\n"
    } else {
        ""
    });
    for (run, keys) in &found {
        html.raw("<div>");
        if runs.len() > 1 {
            html.raw("<p class=\"of-run\">")
                .name(&run.label)
                .raw("</p>");
        }
        if run.is_random() {
            html.raw(
                "<p class=\"warn\">Random weights: none of these sentences is a finding.</p>\n",
            );
        }
        html.part(keys).raw("</div>\n");
    }
    html.raw(if runs.len() > 1 { "</div>\n" } else { "" })
        .raw("</section>\n");
    html
}

fn origins(runs: &[Run]) -> Html {
    let mut html = Html::new();
    html.raw("<section id=\"origin\" aria-labelledby=\"h-origin\">\n<h2 id=\"h-origin\">What was run</h2>\n");
    for run in runs {
        html.part(&provenance::section(run, runs.len() > 1));
        skipped(&mut html, run);
    }
    html.raw("</section>\n");
    html
}

fn skipped(html: &mut Html, run: &Run) {
    if run.skipped.is_empty() {
        return;
    }
    html.raw(
        "<details class=\"skipped\"><summary>Pieces that could not be read and were left out: ",
    )
    .count(run.skipped.len())
    .raw("</summary><ul>\n");
    for row in &run.skipped {
        html.raw("<li>")
            .name(&row.path)
            .raw(": ")
            .name(&row.reason)
            .raw("</li>\n");
    }
    html.raw("</ul></details>\n");
}

fn footer(html: &mut Html, runs: &[Run]) {
    html.raw("<footer><p>");
    if let Some(version) = runs.iter().find_map(|run| run.said("/harness/version")) {
        html.raw("Computed by harness ").text(version).raw(". ");
    }
    html.raw("This file and its folder are all there is: nothing is loaded from elsewhere.</p></footer>\n");
}

/// One player for all pieces.
fn player(html: &mut Html, items: &Items) {
    html.raw("<p id=\"live\" class=\"vh\" role=\"status\" aria-live=\"polite\"></p>\n");
    if items.rows.is_empty() {
        return;
    }
    html.raw(
        "<div id=\"player\" role=\"region\" aria-label=\"Player\" hidden>\
         <div class=\"now\"><strong id=\"now-id\" dir=\"auto\"></strong> <span id=\"now-about\" dir=\"auto\"></span></div>\
         <div class=\"controls\"><button type=\"button\" id=\"previous\" aria-label=\"Previous piece\">‹</button>\
         <audio id=\"audio\" controls preload=\"none\"></audio>\
         <button type=\"button\" id=\"next\" aria-label=\"Next piece\">›</button></div></div>\n",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_calls_labels_by_their_word() {
        assert_eq!(SCRIPT.matches(IN_SCRIPT).count(), 1);
        assert_eq!(script(&Word::default()), SCRIPT);
        let mood = script(&Word::new("mood", None).unwrap());
        assert!(mood.contains("key(\"Mood\",") && !mood.contains(IN_SCRIPT));
    }
}
