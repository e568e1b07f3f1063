//! How much the windows of a piece differ, against how much pieces differ.

use crate::tables::WindowSpreadRow;

/// Takes pieces one after the other and keeps none.
#[derive(Debug, Default)]
pub struct WindowSpread {
    /// In the order in which they came.
    conditions: Vec<Condition>,
}

#[derive(Debug, Default)]
struct Condition {
    name: String,
    pieces: usize,
    windows: usize,
    /// Squares of the windows' distances from the mean of their piece.
    within: f64,
    /// Of the pieces' scores, their mean and the squares of their distances from it.
    mean: f64,
    between: f64,
}

impl WindowSpread {
    /// A piece with its score and those of its windows.
    pub fn add(
        &mut self,
        condition: &str,
        score: f64,
        windows: impl ExactSizeIterator<Item = f64> + Clone,
    ) {
        let place = self.conditions.iter().position(|c| c.name == condition);
        let place = place.unwrap_or_else(|| {
            self.conditions.push(Condition {
                name: condition.to_owned(),
                ..Condition::default()
            });
            self.conditions.len() - 1
        });
        let all = &mut self.conditions[place];
        let count = windows.len();
        let mean = windows.clone().sum::<f64>() / count.max(1) as f64;
        all.within += windows.map(|score| (score - mean).powi(2)).sum::<f64>();
        all.windows += count;
        all.pieces += 1;
        // Welford: of many pieces the sum of squares would lose what it is about.
        let off = score - all.mean;
        all.mean += off / all.pieces as f64;
        all.between += off * (score - all.mean);
    }

    /// A row for each condition.
    pub fn rows(&self) -> Vec<WindowSpreadRow> {
        let sd = |squares: f64, free: usize| (free > 0).then(|| (squares / free as f64).sqrt());
        let row = |all: &Condition| WindowSpreadRow {
            condition: all.name.clone(),
            pieces: all.pieces,
            windows: all.windows,
            sd_within: sd(all.within, all.windows - all.pieces.min(all.windows)),
            sd_pieces: sd(all.between, all.pieces.saturating_sub(1)),
        };
        self.conditions.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_pooled_over_pieces_and_kept_apart_by_condition() {
        let mut spread = WindowSpread::default();
        spread.add("on", 0.2, [0.1, 0.3].into_iter());
        spread.add("off", 0.5, [0.5].into_iter());
        spread.add("on", 0.6, [0.6, 0.6, 0.6].into_iter());
        let rows = spread.rows();
        assert_eq!((rows[0].pieces, rows[0].windows), (2, 5));
        // (0.01 + 0.01) / 3, and the sd of 0.2 and 0.6.
        assert!((rows[0].sd_within.unwrap() - (0.02f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((rows[0].sd_pieces.unwrap() - 0.08f64.sqrt()).abs() < 1e-12);
        assert_eq!((rows[1].sd_within, rows[1].sd_pieces), (None, None));
    }
}
