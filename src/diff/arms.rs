//! How the scores of one arm moved as a whole.

use analysis::correlation::{kendall_tau_b, pearson_r};
use analysis::mean::mean;

use super::rows::{Pair, Rows};

/// One arm, or a set of pieces under it, over the rows that both runs have.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmChange {
    pub condition: String,
    /// Rows.
    pub n: usize,
    /// Rows whose score is another one.
    pub changed: usize,
    /// The largest change without its sign, and the id of its row.
    pub largest: f64,
    pub largest_id: String,
    /// Of the changes without their signs.
    pub mean_absolute: f64,
    /// Of the changes B - A.
    pub mean: f64,
    /// Of the two lists of scores; `None` where it is not defined, see `analysis::correlation`.
    pub pearson_r: Option<f64>,
    pub kendall_tau_b: Option<f64>,
    /// `None` with fewer than two tastes.
    pub ranking: Option<Ranking>,
}

/// The tastes by their mean scores, highest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    pub a: Vec<String>,
    pub b: Vec<String>,
    /// Pairs of tastes whose order turned: in A the first has the higher mean, in B the second one.
    pub swapped: Vec<(String, String)>,
    /// Of the means; `None` when those of a run are all the same.
    pub kendall_tau_b: Option<f64>,
}

impl Ranking {
    /// Whether the order is the same.
    pub fn agrees(&self) -> bool {
        self.a == self.b
    }
}

pub(super) fn of(rows: &Rows) -> Vec<ArmChange> {
    let changes = rows
        .by_condition()
        .into_iter()
        .filter_map(|(name, pairs)| change(name, &pairs));
    changes.collect()
}

fn change(name: &str, pairs: &[&Pair]) -> Option<ArmChange> {
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().filter_map(|pair| pair.scores).unzip();
    let changes: Vec<f64> = pairs.iter().filter_map(|pair| pair.change()).collect();
    let absolute: Vec<f64> = changes.iter().map(|change| change.abs()).collect();
    // The first of several.
    let largest = pairs
        .iter()
        .rev()
        .max_by(|x, y| x.moved_by().total_cmp(&y.moved_by()))?;
    Some(ArmChange {
        condition: name.to_owned(),
        n: changes.len(),
        changed: changes.iter().filter(|change| **change != 0.0).count(),
        largest: largest.change()?.abs(),
        largest_id: largest.key.id.clone(),
        mean_absolute: mean(&absolute)?,
        mean: mean(&changes)?,
        pearson_r: pearson_r(&a, &b),
        kendall_tau_b: kendall_tau_b(&a, &b),
        ranking: ranking(pairs),
    })
}

fn ranking(pairs: &[&Pair]) -> Option<Ranking> {
    let mut tastes: Vec<&str> = Vec::new();
    for pair in pairs.iter().filter(|pair| !pair.taste.is_empty()) {
        if !tastes.contains(&pair.taste.as_str()) {
            tastes.push(&pair.taste);
        }
    }
    if tastes.len() < 2 {
        return None;
    }
    let means = tastes.iter().map(|taste| {
        let of_taste = pairs.iter().filter(|pair| pair.taste == *taste);
        let (a, b): (Vec<f64>, Vec<f64>) = of_taste.filter_map(|pair| pair.scores).unzip();
        mean(&a).zip(mean(&b))
    });
    let (a, b): (Vec<f64>, Vec<f64>) = means.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let order = |means: &[f64]| -> Vec<String> {
        let mut places: Vec<usize> = (0..tastes.len()).collect();
        // Tastes with one mean by their names.
        places.sort_by(|&x, &y| {
            let by_mean = means[y].total_cmp(&means[x]);
            by_mean.then_with(|| tastes[x].cmp(tastes[y]))
        });
        places.into_iter().map(|i| tastes[i].to_owned()).collect()
    };
    let (order_a, order_b) = (order(&a), order(&b));
    let mean_of = |means: &[f64], taste: &str| {
        let place = tastes.iter().position(|known| *known == taste);
        place.map_or(f64::NAN, |place| means[place])
    };
    let mut swapped = Vec::new();
    for (i, first) in order_a.iter().enumerate() {
        for second in &order_a[i + 1..] {
            let apart = |means| mean_of(means, first) - mean_of(means, second);
            // Tastes with one mean in a run have no order that could turn.
            if apart(&a) > 0.0 && apart(&b) < 0.0 {
                swapped.push((first.clone(), second.clone()));
            }
        }
    }
    Some(Ranking {
        a: order_a,
        b: order_b,
        swapped,
        kendall_tau_b: kendall_tau_b(&a, &b),
    })
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::pair;
    use super::*;

    #[test]
    fn changes_of_an_arm_by_hand() {
        let pairs = [
            pair("on", "1", "sweet", 0.5, 0.25),
            pair("on", "2", "sweet", 0.25, 0.25),
            pair("on", "3", "sour", 0.125, 0.375),
            pair("on", "4", "salty", 0.0, 0.0),
        ];
        let found = change("on", &pairs.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!((found.n, found.changed), (4, 2));
        assert_eq!((found.largest, found.largest_id.as_str()), (0.25, "1"));
        assert_eq!((found.mean_absolute, found.mean), (0.125, 0.0));
        let ranking = found.ranking.unwrap();
        assert_eq!(ranking.a, ["sweet", "sour", "salty"]);
        assert_eq!(ranking.b, ["sour", "sweet", "salty"]);
        assert!(!ranking.agrees());
        assert_eq!(ranking.swapped, [("sweet".to_owned(), "sour".to_owned())]);
        // Two of three pairs of tastes in the same order.
        assert!((ranking.kendall_tau_b.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn one_row_has_no_correlation_and_one_taste_no_ranking() {
        let one = pair("on", "1", "sweet", 0.5, 0.5);
        let found = change("on", &[&one]).unwrap();
        assert_eq!((found.pearson_r, found.kendall_tau_b), (None, None));
        assert_eq!((found.largest, found.ranking), (0.0, None));
    }
}
