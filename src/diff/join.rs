//! Two tables put side by side, row by row.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Display};
use std::hash::Hash;

use foreign::{Foreign, Safe};

use super::DiffError;
use super::words::shown;
use crate::tables::TableError;

/// What a row is matched by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The arm, or a set of pieces under it; of texts `caption` or `descriptor`.
    pub condition: String,
    pub id: String,
}

impl Safe for Key {}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} under {}", shown(&self.id), shown(&self.condition))
    }
}

/// One file of a pair: what it is called in messages, and its rows in their order.
pub(super) struct Table<I> {
    pub name: String,
    pub rows: I,
}

/// Keys that one table has and the other one does not, in the order of the rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alone<K> {
    pub a: Vec<K>,
    pub b: Vec<K>,
}

/// Give every pair of rows with one key to `both`, with its place in A, and the keys that have no partner back.
///
/// Both tables are read in step, and a row waits in memory only until its partner comes: two runs of one experiment have
/// their rows in the same order, so that nothing waits.
///
/// # Errors
/// When a table cannot be read, or has two rows with one key.
pub(super) fn join<T, K: Clone + Eq + Hash + Display>(
    a: Table<impl Iterator<Item = Result<T, TableError>>>,
    b: Table<impl Iterator<Item = Result<T, TableError>>>,
    key: impl Fn(&T) -> K,
    mut both: impl FnMut(&K, usize, T, T),
) -> Result<Alone<K>, DiffError> {
    let (mut waiting_a, mut waiting_b) = (Waiting::new(a.name), Waiting::new(b.name));
    let (mut rows_a, mut rows_b) = (a.rows, b.rows);
    loop {
        let (row_a, row_b) = (rows_a.next().transpose()?, rows_b.next().transpose()?);
        if row_a.is_none() && row_b.is_none() {
            break;
        }
        if let Some(row) = row_a {
            let key = key(&row);
            let place = waiting_a.number(&key)?;
            match waiting_b.rows.remove(&key) {
                Some((_, partner)) => both(&key, place, row, partner),
                None => _ = waiting_a.rows.insert(key, (place, row)),
            }
        }
        if let Some(row) = row_b {
            let key = key(&row);
            let place = waiting_b.number(&key)?;
            match waiting_a.rows.remove(&key) {
                Some((place, partner)) => both(&key, place, partner, row),
                None => _ = waiting_b.rows.insert(key, (place, row)),
            }
        }
    }
    Ok(Alone {
        a: waiting_a.left(),
        b: waiting_b.left(),
    })
}

/// Rows of one table whose partner has not come.
struct Waiting<T, K> {
    name: String,
    rows: HashMap<K, (usize, T)>,
    seen: HashSet<K>,
}

impl<T, K: Clone + Eq + Hash + Display> Waiting<T, K> {
    fn new(name: String) -> Self {
        Self {
            name,
            rows: HashMap::new(),
            seen: HashSet::new(),
        }
    }

    /// The place of a row that is read now, from 0.
    fn number(&mut self, key: &K) -> Result<usize, DiffError> {
        let place = self.seen.len();
        match self.seen.insert(key.clone()) {
            true => Ok(place),
            false => Err(DiffError::Twice {
                file: self.name.clone(),
                key: Foreign::new(key.to_string()),
            }),
        }
    }

    fn left(self) -> Vec<K> {
        let mut left: Vec<(usize, K)> = self
            .rows
            .into_iter()
            .map(|(key, (place, _))| (place, key))
            .collect();
        left.sort_by_key(|(place, _)| *place);
        left.into_iter().map(|(_, key)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: &'static [(&'static str, i32)]) -> Table<Rows> {
        Table {
            name: name.to_owned(),
            rows: rows.iter().map(Ok),
        }
    }

    type Row = &'static (&'static str, i32);
    type Rows = std::iter::Map<
        std::slice::Iter<'static, (&'static str, i32)>,
        fn(Row) -> Result<Row, TableError>,
    >;

    #[test]
    fn rows_meet_in_any_order_and_those_left_over_keep_theirs() {
        let a = table(
            "a",
            &[("x", 1), ("only a", 0), ("y", 2), ("z", 3), ("also", 0)],
        );
        let b = table("b", &[("z", 30), ("only b", 0), ("y", 20), ("x", 10)]);
        let mut met = Vec::new();
        let alone = join(
            a,
            b,
            |row: &Row| row.0.to_owned(),
            |key, place, a, b| met.push((place, key.clone(), a.1, b.1)),
        )
        .unwrap();
        met.sort();
        let expected = [(0, "x", 1, 10), (2, "y", 2, 20), (3, "z", 3, 30)];
        assert_eq!(met, expected.map(|(p, k, a, b)| (p, k.to_owned(), a, b)));
        assert_eq!(alone.a, ["only a", "also"]);
        assert_eq!(alone.b, ["only b"]);
    }

    #[test]
    fn a_key_that_is_there_twice_is_an_error_even_when_its_partner_has_come() {
        let (a, b) = (
            table("a", &[("x", 1)]),
            table("b.csv", &[("x", 1), ("x", 2)]),
        );
        let error = join(a, b, |row: &Row| row.0.to_owned(), |_, _, _, _| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "b.csv has two rows of x: every row needs an id of its own"
        );
    }
}
