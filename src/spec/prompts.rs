//! A file of prompts, one a line.

use std::path::Path;

use files::text;

use super::SpecError;

/// Ten times the MusicCaps captions.
const MAX_BYTES: u64 = 16 << 20;

/// The prompts of a UTF-8 text file; the index + 1 is the line. Windows line ends and a byte order mark are dropped,
/// and so is the space around a prompt. An empty line is an error: dropping it would shift the numbers of the rest.
pub fn read(path: &Path) -> Result<Vec<String>, SpecError> {
    let text = text::read(path, MAX_BYTES)?;
    let prompts = lines(path, &text, text.trim().is_empty())?;
    match prompts.iter().position(String::is_empty) {
        Some(index) => Err(SpecError::Line {
            path: path.to_owned(),
            line: index as u64 + 1,
            message: "this line is empty; every line is one prompt".into(),
        }),
        None => Ok(prompts),
    }
}

/// As [`read`], but an empty line is an empty prompt. The line end behind the last prompt begins no further one.
pub fn read_with_empty(path: &Path) -> Result<Vec<String>, SpecError> {
    let text = text::read(path, MAX_BYTES)?;
    lines(path, &text, text.is_empty())
}

fn lines(path: &Path, text: &str, nothing: bool) -> Result<Vec<String>, SpecError> {
    if nothing {
        return Err(SpecError::File {
            path: path.to_owned(),
            message: "it holds no prompt; write one a line".into(),
        });
    }
    Ok(text.lines().map(|line| line.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prompts.txt");
        std::fs::write(&path, bytes).unwrap();
        read(&path).map_err(|e| {
            e.to_string()
                .replace(&format!("{}", path.display()), "prompts.txt")
        })
    }

    #[test]
    fn line_ends_of_every_system_are_read() {
        let expected = Ok(vec!["sweet music".to_owned(), "a, b \"c\"".to_owned()]);
        assert_eq!(read_bytes(b"sweet music\na, b \"c\""), expected);
        assert_eq!(
            read_bytes(b"\xef\xbb\xbfsweet music\r\na, b \"c\"\r\n"),
            expected
        );
    }

    #[test]
    fn an_empty_line_can_be_a_prompt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prompts.txt");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_with_empty(&path).map_err(|e| e.to_string())
        };
        let of = |prompts: &[&str]| Ok(prompts.iter().map(|p| (*p).to_owned()).collect());
        assert_eq!(read(b"a\n\nb\n"), of(&["a", "", "b"]));
        assert_eq!(read(b"\n"), of(&[""]));
        assert_eq!(read(b" \r\n b \r\n\r\n"), of(&["", "b", ""]));
        assert!(read(b"").unwrap_err().contains("it holds no prompt"));
    }

    #[test]
    fn an_empty_line_is_named() {
        let error = |bytes: &[u8]| read_bytes(bytes).unwrap_err();
        let empty = "prompts.txt:2: this line is empty; every line is one prompt";
        assert_eq!(error(b"one\n\nthree\n"), empty);
        assert_eq!(error(b"one\n \t\r\nthree\n"), empty);
        assert_eq!(error(b"one\n\n"), empty);
        assert_eq!(
            error(b"\n\n"),
            "cannot use prompts.txt: it holds no prompt; write one a line"
        );
        assert_eq!(
            error(b"one\n\xff\n"),
            "cannot read prompts.txt: line 2 is not UTF-8; save the file as UTF-8"
        );
    }
}
