//! A table in Markdown, as GitHub and pandoc read it.

use super::entry::{Entry, Grid, Table};
use super::escape::{comment, markdown};
use super::head::Head;
use crate::report::number::{self, decimals, fixed};

pub fn written(tables: &[Table], head: &Head) -> String {
    let mut text = format!(
        "<!-- Made by `harness table` of harness {} from: {} -->\n",
        env!("CARGO_PKG_VERSION"),
        comment(&head.origins.join("; "))
    );
    if let Some(warning) = head.warning() {
        text += &format!(
            "<!-- WARNING: {} -->\n\n**Warning: {}.**\n",
            comment(&warning),
            markdown(&warning)
        );
    }
    for table in tables {
        text += &format!("\n{}", one(table, head));
    }
    text
}

fn one(table: &Table, head: &Head) -> String {
    let grid = table.grid(head.several, &head.labels);
    let names = grid.names.iter().map(|name| (*name).to_owned());
    let headings = grid
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| match grid.n(i) {
            Some(n) => format!("{} (n = {n})", markdown(&column.heading)),
            None => markdown(&column.heading),
        });
    let mut text = format!(
        "{}.\n\n{}",
        markdown(&head.labels.word.said(table.caption)),
        line(names.chain(headings))
    );
    let left = grid.names.iter().map(|_| "---".to_owned());
    text += &line(left.chain(grid.columns.iter().map(|_| "---:".to_owned())));
    for row in &grid.lines {
        let arm = match row.arm_b {
            None => markdown(row.arm),
            Some(arm_b) => format!(
                "{} {} {}",
                markdown(row.arm),
                table.against,
                markdown(arm_b)
            ),
        };
        let names = row.run.map(markdown).into_iter().chain([arm]);
        let cells = row.cells.iter().enumerate().map(|(i, entry)| match entry {
            None => "–".to_owned(),
            Some(entry) => cell(table, &grid, i, entry),
        });
        text += &line(names.chain(cells));
    }
    let notes = table.notes.iter().map(|note| markdown(note));
    let notes: Vec<String> = notes.collect();
    text + &format!("\n{}.\n", notes.join(". "))
}

fn cell(table: &Table, grid: &Grid<'_>, column: usize, entry: &Entry) -> String {
    let bounds = entry.interval.map_or(vec![], |(low, high)| vec![low, high]);
    let places = decimals(table.decimals, &[vec![entry.value], bounds].concat());
    let value = fixed(entry.value, places);
    let mut text = match entry.bold {
        true => format!("**{value}**"),
        false => value,
    };
    if let Some((low, high)) = entry.interval {
        text += &format!(" \\[{}, {}\\]", fixed(low, places), fixed(high, places));
    }
    if let Some(p) = entry.p.filter(|_| table.shows_p) {
        text += &format!(", {}", markdown(&number::p(p).replace('\u{a0}', " ")));
    }
    if grid.n(column).is_none() {
        text += &format!(", n = {}", entry.counted());
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}
