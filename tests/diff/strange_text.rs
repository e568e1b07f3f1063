//! Ids and prompts of strangers: matched as they are, shown without harm, and whole in the CSV.

use crate::support::{Runs, SCORES};

/// As an id in the CSV, and as the program shows it.
const STRANGE: [(&str, &str); 8] = [
    ("'=1+1", "=1+1"),
    ("\"a, b\"", "a, b"),
    ("\"say \"\"hi\"\"\"", "say \"hi\""),
    ("\"two\nlines\"", "two\\nlines"),
    ("🎵", "🎵"),
    ("שלום", "שלום"),
    ("\u{202e}turned", "\\u{202e}turned"),
    ("\u{1b}[31mred", "\\u{1b}[31mred"),
];

#[test]
fn every_id_finds_its_partner_and_none_reaches_the_terminal_raw() {
    let long = "x".repeat(2_000);
    let rows = |score: &str| {
        let rows = STRANGE.iter().map(|(id, _)| *id).chain([long.as_str()]);
        let rows: String = rows
            .map(|id| format!("{id},p,x.wav,{score},sweet,on,,,,\n"))
            .collect();
        format!("{SCORES}{rows}")
    };
    let runs = Runs::empty();
    runs.write("a/scores.csv", rows("0.5"));
    runs.write("b/scores.csv", rows("0.25"));
    let ran = runs.says(
        &["--out", "rows.csv"],
        1,
        &["9 rows in both; 9 with another score"],
    );
    for (_, shown) in STRANGE {
        assert!(
            ran.stdout.contains(&format!("on          {shown} ")),
            "{shown}: {}",
            ran.stdout
        );
    }
    assert!(
        !ran.stdout.contains(&long[..60]) && ran.stdout.contains(&format!("{}…[", &long[..32]))
    );
    let raw = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!ran.stdout.contains(raw) && !ran.stderr.contains(raw));

    let mut csv = csv::Reader::from_path(runs.at("rows.csv")).unwrap();
    let ids: Vec<String> = csv
        .records()
        .map(|row| row.unwrap()[1].to_owned())
        .collect();
    assert_eq!(ids[..4], ["'=1+1", "a, b", "say \"hi\"", "two\nlines"]);
    assert_eq!(ids[8], long);
}
