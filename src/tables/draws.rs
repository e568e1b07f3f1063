//! `draws.csv`: the spread of the scores over the draws of each prompt.

use analysis::summary::Summary;
use serde::{Deserialize, Serialize};

use super::cell::text;
use super::summary::with_summary;
use super::table::{Row, drawn};

with_summary! {
    /// The draws of one prompt under one arm: see [`Summary`].
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct DrawsRow {
        #[serde(with = "text")]
        pub arm: String,
        #[serde(with = "text")]
        pub prompt_id: String,
        /// Empty when the prompt has none.
        #[serde(with = "text")]
        pub taste: String,
    }
    summary
    {}
}

impl Row for DrawsRow {
    const FILE: &'static str = "draws.csv";
}

impl DrawsRow {
    /// A row about the scores of one prompt's draws.
    pub fn new(arm: &str, prompt_id: &str, taste: &str, summary: &Summary) -> Self {
        Self {
            arm: arm.to_owned(),
            prompt_id: prompt_id.to_owned(),
            taste: taste.to_owned(),
            ..Self::of_summary(summary)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Word;
    use crate::tables::table::{read, tests::assert_columns, write};
    use analysis::summarise;

    #[test]
    fn one_draw_has_no_spread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DrawsRow::FILE);
        let summaries = [[0.5, 0.25].as_slice(), &[0.125]].map(|v| summarise(v, 0, "x").unwrap());
        let rows = summaries.map(|summary| DrawsRow::new("on", "7", "sweet", &summary));
        assert_columns(&rows[0]);
        write(&path, &rows, &Word::default()).unwrap();
        assert_eq!(read::<DrawsRow>(&path, &Word::default()).unwrap(), rows);
        let text = std::fs::read_to_string(&path).unwrap();
        let one = "on,7,sweet,1,0.125,,0.125,0.125,0.125,0.125,0.125,,\n";
        assert!(text.ends_with(one), "{text}");
    }
}
