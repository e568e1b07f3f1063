//! The numbers of a table, one by one, and their places in it.

use std::collections::HashMap;

use crate::labels::Labels;
use crate::statistics::grouping::{ALL, FEW};

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    Score,
    Difference,
    Silhouette,
    DaviesBouldin,
    Intra,
    Inter,
    Matched,
    Mismatched,
    SilhouetteDifference,
    Kernel,
    Frechet,
}

impl Measure {
    /// In a CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "clap_score",
            Self::Difference => "difference",
            Self::Silhouette => "silhouette",
            Self::DaviesBouldin => "davies_bouldin",
            Self::Intra => "intra_distance",
            Self::Inter => "inter_distance",
            Self::Matched => "matched_similarity",
            Self::Mismatched => "mismatched_similarity",
            Self::SilhouetteDifference => "silhouette_difference",
            Self::Kernel => "kernel_distance",
            Self::Frechet => "frechet_distance",
        }
    }

    /// At the head of a column.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Difference => "difference",
            Self::Silhouette | Self::SilhouetteDifference => "silhouette",
            Self::DaviesBouldin => "Davies-Bouldin",
            Self::Intra => "intra",
            Self::Inter => "inter",
            Self::Matched => "matched",
            Self::Mismatched => "mismatched",
            Self::Kernel => "kernel",
            Self::Frechet => "Fréchet",
        }
    }
}

/// One number, with what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub run: String,
    /// The arm, or a set of pieces under an arm.
    pub arm: String,
    /// What it is compared with.
    pub arm_b: Option<String>,
    /// A taste, or `all`.
    pub taste: String,
    pub measure: Measure,
    /// Of how many pieces or pairs; of two sets, those of the second are `n_b`.
    pub n: usize,
    pub n_b: Option<usize>,
    pub value: f64,
    /// Bootstrap 95 % interval.
    pub interval: Option<(f64, f64)>,
    pub p: Option<f64>,
    /// Whether it is marked; see the table's notes.
    pub bold: bool,
}

/// A table: its words, and its numbers in no order but that of their runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Of its label in LaTeX.
    pub stem: &'static str,
    /// It speaks of tastes.
    pub caption: &'static str,
    pub notes: Vec<String>,
    /// Stands between the names of two arms that are compared.
    pub against: &'static str,
    /// Columns are measures in this order, or tastes where there is but one measure.
    pub measures: &'static [Measure],
    /// Whether p values are shown beside intervals.
    pub shows_p: bool,
    /// Decimals at least.
    pub decimals: usize,
    pub entries: Vec<Entry>,
}

/// The names before a row, and the numbers in its columns.
pub struct Line<'t> {
    /// Where there are several.
    pub run: Option<&'t str>,
    pub arm: &'t str,
    pub arm_b: Option<&'t str>,
    pub cells: Vec<Option<&'t Entry>>,
}

/// A column with its heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub heading: String,
    measure: Measure,
    taste: String,
}

/// A table as rows and columns.
pub struct Grid<'t> {
    /// At the head of the names.
    pub names: &'static [&'static str],
    pub columns: Vec<Column>,
    pub lines: Vec<Line<'t>>,
}

impl Table {
    pub fn grid(&self, several_runs: bool, labels: &Labels) -> Grid<'_> {
        let columns = self.columns(labels);
        let places: HashMap<(Measure, &str), usize> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| ((column.measure, column.taste.as_str()), i))
            .collect();
        let mut lines: Vec<Line<'_>> = Vec::new();
        let mut rows: HashMap<(&str, &str, Option<&str>), usize> = HashMap::new();
        for entry in &self.entries {
            let Some(column) = places.get(&(entry.measure, entry.taste.as_str())) else {
                continue;
            };
            let arm_b = entry.arm_b.as_deref();
            let row = rows.entry((&entry.run, &entry.arm, arm_b));
            let row = *row.or_insert(lines.len());
            if row == lines.len() {
                lines.push(Line {
                    run: several_runs.then_some(&entry.run),
                    arm: &entry.arm,
                    arm_b,
                    cells: vec![None; columns.len()],
                });
            }
            lines[row].cells[*column] = Some(entry);
        }
        let names: &[_] = if several_runs {
            &["run", "arm"]
        } else {
            &["arm"]
        };
        Grid {
            names,
            columns,
            lines,
        }
    }

    fn columns(&self, labels: &Labels) -> Vec<Column> {
        if let [measure] = *self.measures {
            let tastes = self.entries.iter().map(|entry| entry.taste.as_str());
            let tastes = labels.sorted(tastes.filter(|taste| *taste != ALL));
            let all = std::iter::once(ALL).chain(tastes);
            let column = |taste: &str| Column {
                heading: taste.to_owned(),
                measure,
                taste: taste.to_owned(),
            };
            return all.map(column).collect();
        }
        let has = |measure: &&Measure| self.entries.iter().any(|entry| entry.measure == **measure);
        let column = |measure: &Measure| Column {
            heading: measure.heading().to_owned(),
            measure: *measure,
            taste: ALL.to_owned(),
        };
        self.measures.iter().filter(has).map(column).collect()
    }
}

impl Grid<'_> {
    /// The numbers in a column.
    pub fn of(&self, column: usize) -> impl Iterator<Item = &Entry> {
        self.lines
            .iter()
            .filter_map(move |line| line.cells.get(column).copied().flatten())
    }

    /// What all numbers of a column are of: `n = 12`, or `n = 12 and 13`; nothing where they differ.
    pub fn n(&self, column: usize) -> Option<String> {
        let mut all = self.of(column).map(Entry::counted);
        let first = all.next()?;
        all.all(|n| n == first).then_some(first)
    }
}

impl Entry {
    pub fn counted(&self) -> String {
        match self.n_b.filter(|n_b| *n_b != self.n) {
            None => self.n.to_string(),
            Some(n_b) => format!("{} and {n_b}", self.n),
        }
    }

    /// Whether it is a difference that holds: the interval lies on one side of 0, and is of enough pieces to be one.
    pub fn is_clear(&self) -> bool {
        let excludes_0 = |(low, high)| low > 0.0 || high < 0.0;
        self.n >= FEW && self.interval.is_some_and(excludes_0)
    }
}
