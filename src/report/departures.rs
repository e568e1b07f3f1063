//! What is known of the notebook that a run redoes: where the run departs from it and why, and the notebook's published numbers
//! beside ours.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use csv::StringRecord;

use super::ReportError;
use super::html::Html;
use super::load::Run;
use crate::notebook::{Notebook, Published, Rows, Table, Verdict};
use crate::tables::Row;
use crate::tables::ScoreRow;
use crate::tables::cell::unguarded;
use crate::tables::table::reader;

/// The section; nothing when nothing is known of the runs' notebooks.
///
/// # Errors
/// When a CSV with numbers to set beside the published ones cannot be read.
pub fn section(runs: &[Run]) -> Result<Html, ReportError> {
    let mut html = Html::new();
    let mut told: Vec<&str> = Vec::new();
    for run in runs {
        let Some(known) = &run.known else { continue };
        if told.contains(&known.notebook.as_str()) {
            continue;
        }
        told.push(&known.notebook);
        html.raw("<h3>").name(&known.notebook).raw("</h3>\n");
        if let Some(place) = &known.place {
            html.raw("<p>").text(place).raw("</p>\n");
        }
        departures(&mut html, known);
        published(&mut html, run, known)?;
    }
    if html.is_empty() {
        return Ok(html);
    }
    let mut section = Html::new();
    section
        .raw("<section id=\"departures\" aria-labelledby=\"h-departures\">\n<h2 id=\"h-departures\">Beside the notebook</h2>\n")
        .part(&html)
        .raw("</section>\n");
    Ok(section)
}

fn departures(html: &mut Html, known: &Notebook) {
    if known.departures.is_empty() {
        return;
    }
    html.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Departures\"><table class=\"departures\">\n\
              <thead><tr><th scope=\"col\">The notebook</th><th scope=\"col\">Here, and why</th></tr></thead>\n<tbody>\n");
    for departure in &known.departures {
        html.raw("<tr><td>")
            .text(&departure.there)
            .raw("</td><td>")
            .text(&departure.here)
            .raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

fn published(html: &mut Html, run: &Run, known: &Notebook) -> Result<(), ReportError> {
    if known.published.is_empty() {
        return Ok(());
    }
    html.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Published numbers\"><table class=\"published\"><caption>Published numbers of the notebook, beside this run’s</caption>\n\
              <thead><tr><th scope=\"col\">Number</th><th scope=\"col\" class=\"n\">Published</th><th scope=\"col\" class=\"n\">This run</th>\
              <th scope=\"col\">Comparable?</th></tr></thead>\n<tbody>\n");
    let mut tables = Tables::default();
    for number in &known.published {
        html.raw("<tr><th scope=\"row\">")
            .text(&number.number)
            .raw("</th><td class=\"n\">")
            .text(&number.value)
            .raw("</td>");
        let ours = match run.is_random() {
            true => None,
            false => tables.ours(run, number)?,
        };
        html.cell(ours, 4).raw("<td>");
        if run.is_random() {
            html.raw("no: this run has random weights");
        } else {
            html.raw(match number.verdict {
                Verdict::Comparable => "yes: ",
                Verdict::Rough => "roughly: ",
                Verdict::Invalid => "no: ",
            });
            html.text(&number.because);
        }
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
    Ok(())
}

/// The run's CSVs that numbers were asked of, each read once: header and rows.
#[derive(Default)]
struct Tables(BTreeMap<Table, (StringRecord, Vec<StringRecord>)>);

impl Tables {
    /// The run's number for a published one.
    fn ours(&mut self, run: &Run, number: &Published) -> Result<Option<f64>, ReportError> {
        for rows in &number.ours {
            if let Some(value) = self.mean(run, rows)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The mean of a column over some rows; `None` where there are none, or none with a number.
    fn mean(&mut self, run: &Run, rows: &Rows) -> Result<Option<f64>, ReportError> {
        let Some(arm) = arm_of(run, &rows.checkpoint) else {
            return Ok(None);
        };
        let (header, records) = match self.0.entry(rows.table) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(empty) => empty.insert(read(run, rows.table)?),
        };
        let place = |column: &str| header.iter().position(|name| name == column);
        let wanted = rows.cells.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let wanted: Option<Vec<_>> = wanted
            .chain([("arm", arm)])
            .map(|(column, value)| Some((place(column)?, value)))
            .collect();
        let (Some(wanted), Some(column)) = (wanted, place(&rows.column)) else {
            return Ok(None);
        };
        let holds = |record: &&StringRecord| {
            let is = |&(at, value): &(usize, &str)| {
                record.get(at).is_some_and(|cell| unguarded(cell) == value)
            };
            wanted.iter().all(is)
        };
        let found: Vec<f64> = records
            .iter()
            .filter(holds)
            .filter_map(|record| record.get(column)?.parse().ok())
            .collect();
        Ok((!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64))
    }
}

fn read(run: &Run, table: Table) -> Result<(StringRecord, Vec<StringRecord>), ReportError> {
    let path = run.folder.join(table.file());
    if !path.exists() {
        return Ok(Default::default());
    }
    let broken = |source: csv::Error| ReportError::Texts {
        path: path.clone(),
        source,
    };
    let mut csv = reader(&path, ScoreRow::LARGEST)?;
    let header = csv.headers().map_err(broken)?.clone();
    let rows = csv
        .into_records()
        .collect::<Result<_, _>>()
        .map_err(broken)?;
    Ok((header, rows))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook;
    use crate::report::tests::run_of;
    use crate::tables::scores::row;
    use serde_json::json;

    #[test]
    fn published_numbers_stand_beside_ours_unless_weights_are_random() {
        let (mut run, _folder) =
            run_of(&[row("1", "on", "sweet", 0.25), row("2", "on", "sour", 0.5)]);
        run.known = Some(notebook::tests::ours("ComparisonCLAPWeights"));
        run.manifest = json!({ "notebook": "ComparisonCLAPWeights", "arms": [{ "name": "on", "checkpoint": "x/630k-audioset-fusion-best.pt" }] });
        let html = section(std::slice::from_ref(&run)).unwrap().into_string();
        assert!(
            html.contains("0.0389") && html.contains(">0.3750<") && html.contains("no key matched")
        );
        run.manifest["random_weights"] = json!(true);
        let html = section(std::slice::from_ref(&run)).unwrap().into_string();
        assert!(!html.contains(">0.3750<") && html.contains("no: this run has random weights"));
        run.known = None;
        assert!(section(&[run]).unwrap().is_empty());
    }
}
