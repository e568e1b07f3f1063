//! Entries of a bibliography, with keys that are unique.

use std::collections::HashMap;

use super::escape::bibtex;

/// Fields in their order: a name, and a value that is BibTeX already.
pub struct Misc {
    fields: Vec<(&'static str, String)>,
}

impl Misc {
    /// What has no author is sorted and named by its title.
    pub fn new(title: &str) -> Self {
        let title = bibtex(title);
        Self {
            fields: vec![
                ("key", format!("{{{title}}}")),
                ("title", format!("{{{title}}}")),
            ],
        }
    }

    pub fn address(mut self, url: &str) -> Self {
        // What \url takes as it is; of a strange address only its text is shown.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?=+@,".contains(c);
        let shown = match url.chars().all(plain) {
            true => format!("\\url{{{url}}}"),
            false => bibtex(url),
        };
        self.fields.push(("howpublished", shown));
        self
    }

    /// Parts with semicolons between them.
    pub fn note(mut self, parts: &[String]) -> Self {
        let parts: Vec<String> = parts.iter().map(|part| bibtex(part)).collect();
        self.fields.push(("note", parts.join("; ")));
        self
    }
}

/// What is cited, each once.
#[derive(Default)]
pub struct Bibliography {
    /// Without the key, which stands where [`KEY`] is.
    entries: Vec<(String, String)>,
    places: HashMap<String, usize>,
}

/// Where the key of an entry belongs.
const KEY: &str = "\u{0}";

impl Bibliography {
    /// An entry made here. Its key is of `name`, with a number behind it where another entry has it.
    pub fn misc(&mut self, name: &str, entry: &Misc) {
        let width = entry
            .fields
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        let fields = entry
            .fields
            .iter()
            .map(|(name, value)| format!("  {name:<width$} = {{{value}}}"));
        let text = format!(
            "@misc{{{KEY},\n{}\n}}",
            fields.collect::<Vec<_>>().join(",\n")
        );
        self.add(key(name), text);
    }

    /// An entry as it is.
    pub fn whole(&mut self, key: &str, bibtex: &str) {
        self.add(key.to_owned(), bibtex.replacen(key, KEY, 1));
    }

    fn add(&mut self, key: String, text: String) {
        if self.places.contains_key(&text) {
            return;
        }
        let taken = |key: &str| {
            self.entries
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(key))
        };
        let numbered = (2..).map(|n| format!("{key}-{n}"));
        let free = [key.clone()]
            .into_iter()
            .chain(numbered)
            .find(|key| !taken(key));
        self.places.insert(text.clone(), self.entries.len());
        self.entries.push((free.unwrap_or(key), text));
    }

    /// All entries, with empty lines between them.
    pub fn written(&self) -> String {
        let entries = self
            .entries
            .iter()
            .map(|(key, text)| text.replacen(KEY, key, 1) + "\n");
        entries.collect::<Vec<_>>().join("\n")
    }
}

/// What every BibTeX takes as a key.
fn key(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') {
            c
        } else {
            '-'
        }
    };
    name.chars().take(100).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_entries_are_one_and_keys_are_unique() {
        let mut all = Bibliography::default();
        let misc = |note: &str| Misc::new("a_{b").note(&[note.to_owned(), "50 %".to_owned()]);
        all.misc("x y", &misc("one"));
        all.misc("x y", &misc("one"));
        all.misc("X y", &misc("two"));
        all.whole("paper2020", "@article{paper2020,\n  title = {paper2020}\n}");
        assert_eq!(
            all.written(),
            "@misc{x-y,\n  key   = {{a\\_\\textbraceleft{}b}},\n  title = {{a\\_\\textbraceleft{}b}},\n  note  = {one; 50 \\%}\n}\n\n\
             @misc{X-y-2,\n  key   = {{a\\_\\textbraceleft{}b}},\n  title = {{a\\_\\textbraceleft{}b}},\n  note  = {two; 50 \\%}\n}\n\n\
             @article{paper2020,\n  title = {paper2020}\n}\n"
        );
    }
}
