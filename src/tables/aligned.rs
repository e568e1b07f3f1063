//! Tables as aligned plain text.

use foreign::Foreign;

/// Rows in columns of equal width, two spaces apart; the first `left` columns are aligned to the left, the others, which
/// hold numbers, to the right. Each line ends with a line feed.
///
/// Cells may be of a stranger's file: each is shown on one line, and cut where it would make its column too wide to read, or
/// wider than the formatter takes.
pub fn table(rows: &[Vec<String>], left: usize) -> String {
    let shown = |row: &Vec<String>| {
        row.iter()
            .map(|cell| Foreign::said(cell).to_string())
            .collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut widths = vec![0; columns];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(i, (cell, width))| match i < left {
                true => format!("{cell:width$}"),
                false => format!("{cell:>width$}"),
            })
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["arm", "taste", "n"]), row(["é", "", "100"])];
        assert_eq!(table(&rows, 2), "arm  taste    n\né           100\n");
    }

    #[test]
    fn cells_of_strangers_keep_their_line_and_a_width() {
        let wide = "x".repeat(900_000);
        let rows = [
            vec!["a\n\u{1b}[2Jb".to_owned(), wide],
            vec![String::new(); 2],
        ];
        let told = table(&rows, 2);
        assert!(told.starts_with("a\\n\\u{1b}[2Jb  xxx"), "{told}");
        assert_eq!(told.lines().count(), 2);
        assert!(told.len() < 1_000, "{}", told.len());
    }
}
