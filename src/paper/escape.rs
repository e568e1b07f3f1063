//! Text of others for LaTeX, BibTeX and Markdown, and for their comments.

/// For the text of a LaTeX document. What stands at the begin of a table's row may be taken for an argument of the line break
/// before it, hence the braces around brackets and stars.
pub fn latex(text: &str) -> String {
    escaped(text, |c| {
        Some(match c {
            '{' => "\\{",
            '}' => "\\}",
            '[' => "{[}",
            ']' => "{]}",
            '*' => "{*}",
            other => return in_tex(other),
        })
    })
}

/// For the value of a BibTeX field in braces, whose braces have to pair off whatever stands before them.
pub fn bibtex(text: &str) -> String {
    escaped(text, |c| {
        Some(match c {
            '{' => "\\textbraceleft{}",
            '}' => "\\textbraceright{}",
            other => return in_tex(other),
        })
    })
}

/// What TeX takes for a command, or prints as another character in its oldest encoding.
fn in_tex(c: char) -> Option<&'static str> {
    Some(match c {
        '\\' => "\\textbackslash{}",
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '<' => "\\textless{}",
        '>' => "\\textgreater{}",
        '|' => "\\textbar{}",
        '"' => "''",
        '&' => "\\&",
        '%' => "\\%",
        '$' => "\\$",
        '#' => "\\#",
        '_' => "\\_",
        _ => return None,
    })
}

/// For a cell of a Markdown table.
pub fn markdown(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if "\\`*_{}[]<>#|~&$!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// For the rest of a line behind a `%`, or between `<!--` and `-->`.
pub fn comment(text: &str) -> String {
    let mut text = one_line(text);
    while text.contains("--") {
        text = text.replace("--", "- -");
    }
    text
}

/// Whether pdfLaTeX sets all of it as it is: Latin letters with their accents, and a few signs.
pub fn is_latin(text: &str) -> bool {
    text.chars()
        .all(|c| u32::from(c) < 0x180 || "–—‘’“”…".contains(c))
}

fn escaped(text: &str, escape: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match escape(c) {
            Some(escape) => out.push_str(escape),
            None => out.push(c),
        }
    }
    out
}

/// Controls and what turns the text around it become spaces, and spaces one.
fn one_line(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let text: String = text
        .chars()
        .map(|c| if hidden(c) { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGE: &str = "a & b % c $ d # e _ f { g } h ~ i ^ j \\ k | l <m> [n] *\"\n\u{202e}o";

    #[test]
    fn latex_takes_nothing_for_a_command() {
        assert_eq!(
            latex(STRANGE),
            "a \\& b \\% c \\$ d \\# e \\_ f \\{ g \\} h \\textasciitilde{} i \\textasciicircum{} j \\textbackslash{} k \
             \\textbar{} l \\textless{}m\\textgreater{} {[}n{]} {*}'' o"
        );
        assert_eq!(latex("630k, fusion on"), "630k, fusion on");
    }

    #[test]
    fn braces_of_bibtex_pair_off() {
        for text in [STRANGE, "}", "\\{", "{}}"] {
            let mut depth = 0;
            for c in bibtex(text).chars() {
                depth += i32::from(c == '{') - i32::from(c == '}');
                assert!(depth >= 0, "{text}");
            }
            assert_eq!(depth, 0, "{text}");
        }
    }

    #[test]
    fn markdown_keeps_the_cells_of_its_table() {
        assert_eq!(
            markdown("a|b\\|c\n*d* <script> [e](f)"),
            "a\\|b\\\\\\|c \\*d\\* \\<script\\> \\[e\\](f)"
        );
        assert_eq!(comment("a --> b\nc ---- d"), "a - -> b c - - - - d");
        assert!(is_latin("süß – yes") && !is_latin("сладкий") && !is_latin("甘い"));
    }
}
