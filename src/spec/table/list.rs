//! Rows as a reader of one kind of file gives them.

use csv::StringRecord;

pub(super) struct List {
    /// How a missing column is told: `the header must name the columns`.
    pub must: &'static str,
    /// As the file calls them; the fields of each row are in their order, and a row may have fewer.
    pub columns: Vec<String>,
    /// What else there is, of which rows have nothing.
    pub others: Vec<String>,
    /// Each with its line.
    pub rows: Vec<StringRecord>,
}
