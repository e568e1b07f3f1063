//! The table of pieces: a player and a thumbnail for each sound, and a column for each number.
//!
//! It is whole without the script, which adds playing, sorting and filtering to it. Roles are written out because on a phone the
//! rows become cards, and a browser may then forget that they are rows.

use serde::Serialize;

use super::along::Along;
use super::colours;
use super::html::{Html, shown};
use super::items::{Item, Items};
use super::load::Run;
use super::number::minutes;
use super::sources::Sound;
use super::waveform::{BUCKETS, HEIGHT};
use crate::labels::Word;
use crate::words::counted;

/// Prompts of more characters are shown by their beginning.
const SHORT: usize = 140;
const SCORE: usize = 4;

/// The section; nothing when no piece has a score.
pub fn section(items: &Items, runs: &[Run], tastes: &[&str], word: &Word) -> Html {
    let mut html = Html::new();
    if items.rows.is_empty() {
        return html;
    }
    html.raw(
        "<section id=\"pieces\" aria-labelledby=\"h-pieces\">\n<h2 id=\"h-pieces\">Pieces</h2>\n",
    );
    html.raw(
        "<p class=\"js hint\">Play with <kbd>Space</kbd>, move with <kbd>↑</kbd> <kbd>↓</kbd>",
    );
    if items.slots.len() > 1 {
        html.raw(" and between the sets with <kbd>←</kbd> <kbd>→</kbd>");
    }
    html.raw("; click a column’s name to sort by it.</p>\n");
    tools(&mut html, items, tastes, word);
    html.raw("<div class=\"wide\" role=\"region\" aria-labelledby=\"h-pieces\" tabindex=\"0\">\n<table id=\"table\" role=\"table\">\n");
    html.raw(
        "<caption class=\"vh\">Every piece with its player, its prompt and its scores</caption>\n",
    );
    head(&mut html, items, word);
    html.raw("<tbody role=\"rowgroup\">\n");
    for (i, item) in items.rows.iter().enumerate() {
        row(&mut html, items, (i, item), runs, tastes);
    }
    html.raw("</tbody>\n</table>\n</div>\n");
    html.raw("<p id=\"none\" class=\"note\" hidden>No piece matches. <button type=\"button\" id=\"clear\">Show all</button></p>\n");
    html.raw("</section>\n");
    html
}

fn tools(html: &mut Html, items: &Items, tastes: &[&str], word: &Word) {
    html.raw("<div class=\"js tools\" role=\"search\" aria-label=\"Filter the pieces\">\n");
    html.raw("<label>Find <input type=\"search\" id=\"find\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"id, prompt …\"></label>\n");
    if tastes.len() > 1 {
        html.raw("<label>")
            .text(&word.said("Taste"))
            .raw(" <select id=\"taste\"><option value=\"\">all</option>");
        for taste in tastes {
            html.raw("<option")
                .attr("value", taste)
                .raw(">")
                .text(taste)
                .raw("</option>");
        }
        html.raw("</select></label>\n");
    }
    html.raw("<output id=\"count\" for=\"find taste\">")
        .text(&counted(items.rows.len(), "piece"))
        .raw("</output>\n</div>\n");
}

fn head(html: &mut Html, items: &Items, word: &Word) {
    html.raw("<thead role=\"rowgroup\"><tr role=\"row\">");
    for slot in &items.slots {
        html.raw("<th scope=\"col\" role=\"columnheader\" class=\"listen\">");
        match slot.name.is_empty() {
            true => html.raw("Listen"),
            false => html.name(&slot.name),
        };
        html.raw("</th>");
    }
    sortable(html, "text", |html| {
        html.raw("Piece");
    });
    sortable(html, "text", |html| {
        html.text(&word.said("Taste"));
    });
    sortable(html, "text", |html| {
        html.raw("Prompt");
    });
    for column in &items.columns {
        sortable(html, "number", |html| {
            html.raw(if column.difference.is_some() {
                "<span class=\"diff\">"
            } else {
                "<span>"
            })
            .name(&column.name)
            .raw("</span>");
        });
    }
    html.raw("</tr></thead>\n");
}

fn sortable(html: &mut Html, kind: &'static str, name: impl FnOnce(&mut Html)) {
    html.raw("<th scope=\"col\" role=\"columnheader\" aria-sort=\"none\" class=\"s-")
        .raw(kind)
        .raw("\"><button type=\"button\" class=\"sort\"")
        .attr("data-kind", kind)
        .raw(">");
    name(html);
    html.raw("<span class=\"arrow\" aria-hidden=\"true\"></span></button></th>");
}

fn row(html: &mut Html, items: &Items, (i, item): (usize, &Item), runs: &[Run], tastes: &[&str]) {
    html.raw("<tr role=\"row\" data-i=\"").count(i).raw("\"");
    html.attr("data-taste", &item.taste).raw(">");
    for (s, slot) in items.slots.iter().enumerate() {
        html.raw("<td role=\"cell\" class=\"listen\"");
        if !slot.name.is_empty() {
            html.attr("data-l", &slot.name);
        }
        html.raw(">");
        player(html, item, (i, s), &slot.name, &runs[slot.run].address);
        html.raw("</td>");
    }
    html.raw("<th scope=\"row\" role=\"rowheader\" class=\"id\">");
    name(html, &item.id);
    if let Some(instrument) = &item.instrument {
        html.raw("<small>").name(instrument).raw("</small>");
    }
    html.raw("</th><td role=\"cell\" class=\"taste\">");
    if item.taste.is_empty() {
        html.raw("<span aria-hidden=\"true\">–</span><span class=\"vh\">none</span>");
    } else {
        html.raw("<span class=\"tag\">");
        dot(html, &item.taste, tastes);
        let several = item.tastes.as_deref().filter(|all| *all != item.taste);
        name(html, several.unwrap_or(&item.taste));
        html.raw("</span>");
    }
    html.raw("</td><td role=\"cell\" class=\"prompt\">");
    prompt(html, &item.prompt);
    for (own, slot) in item.own_prompts.iter().zip(&items.slots) {
        if let Some(own) = own {
            html.raw("<div class=\"own\"><span class=\"quiet\">")
                .name(&slot.name)
                .raw(", made from:</span> ");
            prompt(html, own);
            html.raw("</div>");
        }
    }
    html.raw("</td>");
    let cells = item.scores.iter().zip(&item.along).zip(&items.columns);
    for ((score, along), column) in cells {
        number(
            html,
            (*score, along.as_ref()),
            &column.name,
            column.difference.is_some(),
        );
    }
    html.raw("</tr>\n");
}

/// The colour of a taste.
fn dot(html: &mut Html, taste: &str, tastes: &[&str]) {
    let place = tastes.iter().position(|t| *t == taste);
    let marks = colours::marks(tastes);
    let Some(mark) = place.and_then(|i| marks.get(i)) else {
        return;
    };
    let style = match mark.hollow {
        true => format!("box-shadow:inset 0 0 0 2px {}", mark.colour),
        false => format!("background:{}", mark.colour),
    };
    html.raw("<span class=\"dot\" aria-hidden=\"true\"")
        .attr("style", &style)
        .raw("></span>");
}

fn player(html: &mut Html, item: &Item, (i, s): (usize, usize), slot: &str, address: &str) {
    let spoken = match slot {
        "" => item.id.clone(),
        slot => format!("{}, {slot}", item.id),
    };
    let at = |html: &mut Html| {
        html.raw(" data-i=\"")
            .count(i)
            .raw("\" data-s=\"")
            .count(s)
            .raw("\"");
    };
    match &item.sounds[s] {
        Some(Sound::Here {
            address: file,
            wave,
        }) => {
            html.raw("<button type=\"button\" class=\"play\" tabindex=\"-1\"");
            at(html);
            html.attr("aria-label", &format!("Play {spoken}"))
                .raw("></button>");
            html.raw("<span class=\"wave\" aria-hidden=\"true\"");
            at(html);
            html.raw("><svg viewBox=\"0 0 ")
                .count(BUCKETS)
                .raw(" ")
                .number(HEIGHT)
                .raw("\" preserveAspectRatio=\"none\"><path")
                .attr("d", &wave.path())
                .raw("/></svg></span><a class=\"length\"")
                .attr("href", &format!("{address}{file}"))
                .attr("aria-label", &format!("The sound file of {spoken}"))
                .raw(">")
                .text(&minutes(wave.seconds))
                .raw("</a>");
        }
        Some(Sound::Missing(why)) => {
            html.raw(
                "<button type=\"button\" class=\"play\" tabindex=\"-1\" aria-disabled=\"true\"",
            );
            at(html);
            html.attr("aria-label", &format!("{spoken}: {why}"))
                .raw("></button><span class=\"missing\" aria-hidden=\"true\">")
                .text(why)
                .raw("</span>");
        }
        None => {
            html.raw("<span aria-hidden=\"true\">–</span><span class=\"vh\">none</span>");
        }
    }
}

/// An id or a taste; a long one opens, as a prompt does.
fn name(html: &mut Html, name: &str) {
    match name.chars().nth(SHORT) {
        None => {
            html.name(name);
        }
        Some(_) => prompt(html, name),
    }
}

/// A prompt; a long one opens.
pub fn prompt(html: &mut Html, prompt: &str) {
    if prompt.is_empty() {
        html.raw("<span class=\"quiet\">empty</span>");
        return;
    }
    match prompt.char_indices().nth(SHORT) {
        None => {
            html.raw("<span dir=\"auto\">").text(prompt).raw("</span>");
        }
        Some((end, _)) => {
            html.raw("<details><summary><span dir=\"auto\">")
                .text(prompt[..end].trim_end())
                .raw("…</span></summary><p dir=\"auto\">")
                .text(prompt)
                .raw("</p></details>");
        }
    }
}

fn number(
    html: &mut Html,
    (value, along): (Option<f64>, Option<&Along>),
    column: &str,
    difference: bool,
) {
    let mut cell = Html::new();
    cell.cell(value, SCORE);
    let cell = cell.into_string();
    // The same cell with its role and its label.
    let rest = cell.strip_prefix("<td class=\"n\"").unwrap_or_default();
    html.raw(if difference {
        "<td role=\"cell\" class=\"n diff\""
    } else {
        "<td role=\"cell\" class=\"n\""
    })
    .attr("data-l", column);
    match along {
        Some(along) => {
            html.own(rest.strip_suffix("</td>").unwrap_or(rest));
            along.draw(html);
            html.raw("</td>");
        }
        None => {
            html.own(rest);
        }
    }
}

/// What the script needs to know of an item.
#[derive(Debug, Serialize)]
pub struct Played<'a> {
    id: std::borrow::Cow<'a, str>,
    taste: std::borrow::Cow<'a, str>,
    prompt: std::borrow::Cow<'a, str>,
    /// By slot, `null` where nothing plays.
    src: Vec<Option<String>>,
    /// By column, as shown; `null` where there is none.
    scores: Vec<Option<String>>,
}

/// The items for the script.
pub fn played<'a>(items: &'a Items, runs: &[Run]) -> Vec<Played<'a>> {
    let of = |item: &'a Item| {
        let src = item
            .sounds
            .iter()
            .zip(&items.slots)
            .map(|(sound, slot)| match sound {
                Some(Sound::Here { address, .. }) => {
                    Some(format!("{}{address}", runs[slot.run].address))
                }
                _ => None,
            });
        let scores = item
            .scores
            .iter()
            .map(|s| s.map(|s| super::number::fixed(s, SCORE)));
        Played {
            id: shown(&item.id),
            taste: shown(&item.taste),
            prompt: shown(&item.prompt),
            src: src.collect(),
            scores: scores.collect(),
        }
    };
    items.rows.iter().map(of).collect()
}
