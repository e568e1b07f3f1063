//! Numbers in sentences and tables: a real minus, as many decimals as it takes, and never NaN.

use super::html::Html;

/// `value` with so many decimals.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    match value < 0.0 && !zero {
        true => format!("\u{2212}{text}"),
        false => text,
    }
}

/// How many decimals `values` need, `least` to 6, so that none of them but 0 looks like 0: an interval from 0.001 that is
/// written as "from 0.00" would say something else.
pub fn decimals(least: usize, values: &[f64]) -> usize {
    let smallest = values
        .iter()
        .map(|v| v.abs())
        .filter(|v| *v > 0.0)
        .fold(f64::INFINITY, f64::min);
    (least..6)
        .find(|&d| smallest >= 0.5 * 10f64.powi(-(d as i32)))
        .unwrap_or(6)
}

/// `p = 0.012`, `p < 0.001`.
pub fn p(value: f64) -> String {
    match value {
        v if v < 0.001 => "p\u{a0}<\u{a0}0.001".to_owned(),
        v if v > 0.999 => "p\u{a0}>\u{a0}0.999".to_owned(),
        v => format!("p\u{a0}=\u{a0}{v:.3}"),
    }
}

/// `0:12`, `12:03`.
pub fn minutes(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

impl Html {
    /// A cell of a table: the number, or a dash that is read as "none".
    pub fn cell(&mut self, value: Option<f64>, decimals: usize) -> &mut Self {
        self.raw("<td class=\"n\"");
        match value.filter(|v| v.is_finite()) {
            Some(value) => self
                .raw(" data-v=\"")
                .number(value)
                .raw("\">")
                .text(&fixed(value, decimals)),
            None => self.raw(
                " data-v=\"\"><span aria-hidden=\"true\">–</span><span class=\"vh\">none</span>",
            ),
        }
        .raw("</td>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_what_they_are() {
        assert_eq!(fixed(-0.19346, 4), "−0.1935");
        assert_eq!(fixed(-0.00001, 4), "0.0000");
        assert_eq!(decimals(2, &[0.05, -0.01, 0.0]), 2);
        assert_eq!(decimals(2, &[0.05, 0.004]), 3);
        assert_eq!(decimals(2, &[1e-9]), 6);
        assert_eq!(
            [0.0004, 0.0123, 1.0].map(|v| p(v).replace('\u{a0}', " ")),
            ["p < 0.001", "p = 0.012", "p > 0.999"]
        );
        assert_eq!(
            (minutes(29.92), minutes(0.4), minutes(723.0)),
            ("0:30".into(), "0:00".into(), "12:03".into())
        );
    }

    #[test]
    fn what_is_not_a_number_is_a_dash_with_a_word() {
        let mut html = Html::new();
        html.cell(Some(f64::NAN), 2).cell(None, 2);
        let html = html.into_string();
        assert!(!html.to_lowercase().contains("nan<") && html.matches("none").count() == 2);
    }
}
