//! The columns of a summary, for the rows that have them among others.

/// A row with the columns of a [`Summary`](analysis::summary::Summary) where `summary` stands.
macro_rules! with_summary {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($before:tt)* }
        summary
        { $($after:tt)* }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($before)*
            /// How many.
            pub n: usize,
            #[serde(with = "drawn")]
            pub mean: f64,
            #[serde(with = "drawn::option")]
            pub sd: Option<f64>,
            #[serde(with = "drawn")]
            pub min: f64,
            #[serde(with = "drawn")]
            pub q1: f64,
            #[serde(with = "drawn")]
            pub median: f64,
            #[serde(with = "drawn")]
            pub q3: f64,
            #[serde(with = "drawn")]
            pub max: f64,
            #[serde(with = "drawn::option")]
            pub ci_low: Option<f64>,
            #[serde(with = "drawn::option")]
            pub ci_high: Option<f64>,
            $($after)*
        }

        impl $name {
            /// A row that holds a summary and nothing else yet.
            fn of_summary(summary: &analysis::summary::Summary) -> Self {
                Self {
                    n: summary.n,
                    mean: summary.mean,
                    sd: summary.sd,
                    min: summary.min,
                    q1: summary.q1,
                    median: summary.median,
                    q3: summary.q3,
                    max: summary.max,
                    ci_low: summary.ci_low,
                    ci_high: summary.ci_high,
                    ..Self::default()
                }
            }

            /// The summary that the row holds.
            pub fn summary(&self) -> analysis::summary::Summary {
                analysis::summary::Summary {
                    n: self.n,
                    mean: self.mean,
                    sd: self.sd,
                    min: self.min,
                    q1: self.q1,
                    median: self.median,
                    q3: self.q3,
                    max: self.max,
                    ci_low: self.ci_low,
                    ci_high: self.ci_high,
                }
            }
        }
    };
}

pub(super) use with_summary;
