//! A table in LaTeX: booktabs for its lines, siunitx for its numbers.

use super::entry::{Entry, Grid, Line, Table};
use super::escape::{comment, is_latin, latex};
use super::head::Head;
use crate::report::number::decimals;

pub fn written(tables: &[Table], head: &Head) -> String {
    let tables: Vec<String> = tables.iter().map(|table| one(table, head)).collect();
    let body = tables.join("\n");
    let mut text = format!(
        "% Made by `harness table` of harness {} from:\n",
        env!("CARGO_PKG_VERSION")
    );
    for origin in &head.origins {
        text += &format!("%   {}\n", comment(origin));
    }
    text += "% Needs in the preamble: \\usepackage{booktabs} and \\usepackage{siunitx}; accents need UTF-8, which is the default.\n";
    if !is_latin(&body) {
        text += "% Some names are not in Latin letters: use lualatex or xelatex and a font that has them.\n";
    }
    if let Some(warning) = head.warning() {
        text += &format!("% WARNING: {}.\n", comment(&warning));
    }
    text + &body
}

fn one(table: &Table, head: &Head) -> String {
    let grid = table.grid(head.several, &head.labels);
    let mut text = format!(
        "\\begin{{table}}\n  \\centering\n  \\setlength{{\\tabcolsep}}{{4pt}}\n  \\sisetup{{detect-weight=true}}\n  \\caption{{{}}}\n  \\label{{tab:{}-{}}}\n",
        caption(table, head),
        label(&head.label),
        table.stem
    );
    let places: Vec<usize> = (0..grid.columns.len())
        .map(|i| places(table, &grid, i))
        .collect();
    let formats = places
        .iter()
        .enumerate()
        .map(|(i, places)| format(&grid, i, *places));
    text += &format!(
        "  \\begin{{tabular}}{{{} {}}}\n    \\toprule\n",
        "l".repeat(grid.names.len()),
        formats.collect::<Vec<_>>().join(" ")
    );
    text += &heads(&grid);
    text += "    \\midrule\n";
    let lines: Vec<String> = grid
        .lines
        .iter()
        .map(|line| row(table, &grid, line, &places))
        .collect();
    text += &lines.join("    \\addlinespace\n");
    text += "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
    text
}

fn caption(table: &Table, head: &Head) -> String {
    let warning = head.warning().map(|warning| {
        let text = latex(&warning);
        format!("\\textbf{{{}.}} ", capital(&text))
    });
    let notes = table.notes.iter().map(|note| latex(note));
    let sentences: Vec<String> = [latex(&head.labels.word.said(table.caption))]
        .into_iter()
        .chain(notes)
        .collect();
    format!("{}{}.", warning.unwrap_or_default(), sentences.join(". "))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// What may stand in a label whatever the packages.
fn label(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

/// Decimals of a column: no bound of an interval may look like 0 that is not.
fn places(table: &Table, grid: &Grid<'_>, column: usize) -> usize {
    let bounds = |entry: &Entry| {
        entry.interval.map_or(vec![entry.value], |(low, high)| {
            vec![entry.value, low, high]
        })
    };
    decimals(
        table.decimals,
        &grid.of(column).flat_map(bounds).collect::<Vec<_>>(),
    )
}

/// `S[table-format=-1.3]`.
fn format(grid: &Grid<'_>, column: usize, places: usize) -> String {
    let numbers: Vec<String> = grid
        .of(column)
        .map(|entry| fixed(entry.value, places))
        .collect();
    let negative = numbers.iter().any(|number| number.starts_with('-'));
    let digits = numbers
        .iter()
        .filter_map(|number| number.trim_start_matches('-').find('.'));
    let sign = if negative { "-" } else { "" };
    format!(
        "S[table-format={sign}{}.{places}]",
        digits.max().unwrap_or(1)
    )
}

/// The headings, and beneath them n where it is that of the whole column.
fn heads(grid: &Grid<'_>) -> String {
    let names = grid.names.iter().map(|name| (*name).to_owned());
    let columns = grid
        .columns
        .iter()
        .map(|column| format!("{{{}}}", latex(&column.heading)));
    let mut text = joined(names.chain(columns));
    let n: Vec<Option<String>> = (0..grid.columns.len()).map(|i| grid.n(i)).collect();
    if n.iter().any(Option::is_some) {
        let names = grid.names.iter().map(|_| String::new());
        let n = n
            .into_iter()
            .map(|n| n.map_or_else(String::new, |n| small(&counted(&n))));
        text += &joined(names.chain(n));
    }
    text
}

/// A row of numbers, and beneath it what the arm is compared with, intervals, p and n, as far as there are any.
fn row(table: &Table, grid: &Grid<'_>, line: &Line<'_>, places: &[usize]) -> String {
    let names = line.run.into_iter().chain([line.arm]).map(latex);
    let cells = line.cells.iter().zip(places);
    let cells = cells.map(|(entry, places)| match entry {
        None => "{--}".to_owned(),
        Some(entry) => {
            let bold = if entry.bold { "\\bfseries " } else { "" };
            format!("{bold}{}", fixed(entry.value, *places))
        }
    });
    let mut text = joined(names.chain(cells));
    let run = line.run.map(|_| String::new());
    let arm_b = line
        .arm_b
        .map(|arm| format!("{} {}", table.against, latex(arm)));
    let names = run.into_iter().chain([arm_b.unwrap_or_default()]);
    let below = line.cells.iter().enumerate().map(|(i, entry)| {
        entry.map_or_else(String::new, |entry| below(table, grid, i, entry, places[i]))
    });
    let second: Vec<String> = names.chain(below).collect();
    if second.iter().any(|cell| !cell.is_empty()) {
        text += &joined(second.into_iter());
    }
    text
}

fn below(table: &Table, grid: &Grid<'_>, column: usize, entry: &Entry, places: usize) -> String {
    let mut parts = Vec::new();
    if let Some((low, high)) = entry.interval {
        parts.push(format!(
            "[\\num{{{}}}, \\num{{{}}}]",
            fixed(low, places),
            fixed(high, places)
        ));
    }
    if let Some(p) = entry.p.filter(|_| table.shows_p) {
        parts.push(match p < 0.001 {
            true => "$p < \\num{0.001}$".to_owned(),
            false => format!("$p = \\num{{{p:.3}}}$"),
        });
    }
    if grid.n(column).is_none() {
        parts.push(counted(&entry.counted()));
    }
    match parts.is_empty() {
        true => String::new(),
        false => small(&parts.join(", ")),
    }
}

fn counted(n: &str) -> String {
    format!("$n = {}$", n.replace(" and ", "$ and $"))
}

/// Not a number: braces keep it from siunitx.
fn small(text: &str) -> String {
    format!("{{\\footnotesize {text}}}")
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    format!("    {} \\\\\n", cells.collect::<Vec<_>>().join(" & "))
}

/// A number with a hyphen for its minus, and never -0.
fn fixed(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}
