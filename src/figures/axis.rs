//! A linear scale with round ticks.

/// Maps values to px, with the ticks that lie on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    /// Where `low` and `high` are drawn, px.
    from: f64,
    to: f64,
    step: f64,
}

/// Shown when there is nothing to show, or when every value is the same.
const LEAST_SPAN: f64 = 0.1;

impl Axis {
    /// A scale over `values` with room at both ends, about `ticks` round ticks, and 0 on it when 0 is near.
    pub fn over(values: impl Iterator<Item = f64>, ticks: f64) -> Self {
        let (mut low, mut high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        if low > high {
            (low, high) = (0.0, 0.0);
        }
        let span = (high - low).max(LEAST_SPAN);
        if low > 0.0 && low < 0.6 * span {
            low = 0.0;
        }
        if high < 0.0 && high > -0.6 * span {
            high = 0.0;
        }
        let short = (LEAST_SPAN - (high - low)).max(0.0);
        let room = 0.05 * (high - low).max(LEAST_SPAN) + short / 2.0;
        let (low, high) = (low - room, high + room);
        let step = round_step((high - low) / ticks);
        Self {
            low,
            high,
            from: 0.0,
            to: 1.0,
            step,
        }
    }

    /// A scale from `low` to `high` and no further.
    pub fn between(low: f64, high: f64, ticks: f64) -> Self {
        let step = round_step((high - low) / ticks);
        let (from, to) = (0.0, 1.0);
        Self {
            low,
            high,
            from,
            to,
            step,
        }
    }

    /// The same scale drawn from `from` (its low end) to `to` px.
    pub fn placed(&self, from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            ..self.clone()
        }
    }

    /// Where `value` lies, px.
    pub fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The value at the scale's low end.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The value at the scale's high end.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// From one tick to the next.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Whether 0 lies on the scale.
    pub fn has_zero(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }

    /// Round values on the scale with their labels; a true minus sign, as many decimals as the step needs.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let decimals = (0..12)
            .find(|&d| {
                let scaled = self.step * 10_f64.powi(d);
                (scaled - scaled.round()).abs() < 1e-6
            })
            .unwrap_or(12);
        let (first, last) = (
            (self.low / self.step - 1e-9).ceil(),
            (self.high / self.step + 1e-9).floor(),
        );
        // A step is chosen for a handful of ticks; the limit only guards against rounding.
        (0..100)
            .map(|i| first + f64::from(i))
            .take_while(|k| *k <= last)
            .map(|k| {
                (
                    k * self.step,
                    signed(k * self.step, decimals as usize, false),
                )
            })
            .collect()
    }
}

/// A number with a true minus sign, and with a plus sign if `plus`; a rounded zero has none.
pub fn signed(value: f64, decimals: usize, plus: bool) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let zero = digits.chars().all(|c| c == '0' || c == '.');
    match value {
        _ if zero => digits,
        v if v < 0.0 => format!("−{digits}"),
        _ if plus => format!("+{digits}"),
        _ => digits,
    }
}

/// The next of 1, 2, 2.5 and 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let nice = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|m| m * power >= step * 0.999);
    nice.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_zero() {
        let axis = Axis::over([-0.21, 0.48].into_iter(), 6.0);
        let labels: Vec<String> = axis.ticks().into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["−0.2", "0.0", "0.2", "0.4"]);
        let axis = axis.placed(300.0, 0.0);
        assert!(axis.at(0.48) > 0.0 && axis.at(-0.21) < 300.0);
    }

    #[test]
    fn one_value_and_no_value_still_make_a_scale() {
        for values in [vec![0.3], vec![], vec![-1.0; 4], vec![1e-9]] {
            let axis = Axis::over(values.iter().copied(), 6.0).placed(100.0, 0.0);
            assert!(axis.ticks().len() >= 2, "{axis:?}");
            assert!(
                values.iter().all(|&v| (0.0..=100.0).contains(&axis.at(v))),
                "{axis:?}"
            );
        }
    }

    #[test]
    fn signs_are_typographic() {
        assert_eq!(signed(-0.25, 2, true), "−0.25");
        assert_eq!(signed(0.25, 2, true), "+0.25");
        assert_eq!(signed(-0.0001, 2, true), "0.00");
    }
}
