//! The commands in README.md and docs/: all are ones that the program takes, and those in blocks marked `sh run` do run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use clap::error::ErrorKind;
use harness::cli::Cli;

/// A fenced block of a page.
struct Block {
    page: PathBuf,
    /// Of its first line, from 1.
    line: usize,
    /// What stands behind the fence.
    info: String,
    text: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(repository().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .chain([repository().join("README.md")])
        .collect();
    pages.sort();
    pages
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut open: Option<Block> = None;
        for (i, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(info), None) => {
                    open = Some(Block {
                        page: page.clone(),
                        line: i + 2,
                        info: info.to_owned(),
                        text: String::new(),
                    });
                }
                (None, Some(block)) => block.text += &format!("{line}\n"),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block has no end", page.display());
    }
    blocks
}

/// The arguments of a line that calls the program.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("`{line}` cannot be split"));
    let after = |prefix: &[&str]| {
        let arguments = words.strip_prefix(
            prefix
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
                .as_slice(),
        )?;
        Some(arguments.to_vec())
    };
    after(&["harness"]).or_else(|| after(&["cargo", "run", "--release", "--"]))
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let mut seen = 0;
    for block in blocks().iter().filter(|b| b.info.starts_with("sh")) {
        for (i, line) in block.text.lines().enumerate() {
            let Some(arguments) = arguments(line) else {
                continue;
            };
            seen += 1;
            let at = format!("{}:{}", block.page.display(), block.line + i);
            let call = ["harness".to_owned()].into_iter().chain(arguments.clone());
            if let Err(refused) = Cli::try_parse_from(call)
                && refused.kind() != ErrorKind::DisplayHelp
            {
                panic!("{at}: {refused}");
            }
            for path in arguments.iter().filter(|a| a.starts_with("experiments/")) {
                let named = path.contains('*') || repository().join(path).is_file();
                assert!(named, "{at}: there is no {path}");
            }
        }
    }
    assert!(seen > 30, "{seen} commands");
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|l| l.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = page.parent().unwrap().join(path);
            assert!(target.exists(), "{} links to {link}", page.display());
        }
    }
}

/// In a folder with the experiments and the cards, after the demo of `weights.yaml`, in the order of the pages.
#[cfg(unix)]
#[test]
fn blocks_that_say_so_run() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["experiments", "experiments/notebooks", "models"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
        for entry in fs::read_dir(repository().join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(
                    &path,
                    folder.path().join(part).join(path.file_name().unwrap()),
                )
                .unwrap();
            }
        }
    }
    let run = |text: &str, at: &str| {
        let script = format!("set -e\nharness() {{ \"$HARNESS\" \"$@\"; }}\n{text}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("HARNESS", env!("CARGO_BIN_EXE_harness"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{at}: {said}");
    };
    run(
        "harness run experiments/weights.yaml --demo",
        "before the blocks",
    );
    let blocks: Vec<_> = blocks()
        .into_iter()
        .filter(|block| block.info == "sh run")
        .collect();
    for block in &blocks {
        let at = format!("{}:{}", block.page.display(), block.line);
        run(&block.text, &at);
    }
    assert!(blocks.len() >= 3, "{} blocks", blocks.len());
}
