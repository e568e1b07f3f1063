//! Numbers and files of strangers in a run folder: figures and reports are drawn, or the file and the line are named.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use harness::{figures, report};

use crate::support::{Lab, repository};

/// What 32 bits, 64 bits, a page or a rasteriser cannot hold, or can barely.
const NUMBERS: [&str; 10] = [
    "1e308",
    "-1e308",
    "1e-320",
    "3.5e38",
    "1e6",
    "-9999",
    "1e400",
    "nan",
    "18446744073709551615",
    "-1",
];

/// Finished runs of every task, which others may change.
fn runs() -> Lab {
    let lab = Lab::with(&[]);
    for name in ["weights", "fusion_tsne", "reprompt", "musiccaps_text"] {
        let experiment = repository(&format!("experiments/{name}.yaml"));
        let experiment = experiment.display().to_string();
        let ran = lab.harness(&["run", &experiment, "--demo"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    lab
}

fn csvs(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    names.sort();
    names
}

/// Draw and write everything that is made of a run's files; the errors.
fn drawn(folder: &Path) -> Vec<String> {
    let mut errors = Vec::new();
    errors.extend(figures::redraw(folder).err().map(|e| e.to_string()));
    errors.extend(
        report::write_for(&[folder.to_owned()], None)
            .err()
            .map(|e| e.to_string()),
    );
    errors
}

#[test]
fn every_number_of_every_table_is_drawn_or_refused_with_its_line() {
    let lab = runs();
    let (mut drew, mut refused) = (0, 0);
    for run in ["weights", "fusion_tsne", "reprompt", "musiccaps_text"] {
        let folder = lab.at(&format!("runs/{run}"));
        assert_eq!(drawn(&folder), Vec::<String>::new(), "{run}");
        let all = csvs(&folder);
        for file in all.clone() {
            // Made of others and read by none of ours, or read for its texts alone.
            if file == "tsne.csv" || file == "embeddings.csv" {
                continue;
            }
            let path = folder.join(&file);
            let good = fs::read(&path).unwrap();
            let mut reader = csv::Reader::from_reader(&good[..]);
            let header = reader.headers().unwrap().clone();
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            for (c, column) in header.iter().enumerate() {
                let Some(row) = rows.iter().position(|row| row[c].parse::<f64>().is_ok()) else {
                    continue;
                };
                // Each number for some of the columns.
                for number in NUMBERS.iter().skip(c % 5).step_by(5) {
                    let mut csv = csv::Writer::from_writer(Vec::new());
                    csv.write_record(&header).unwrap();
                    for (r, record) in rows.iter().enumerate() {
                        let changed = record.iter().enumerate();
                        csv.write_record(changed.map(|(i, cell)| match (r, i) == (row, c) {
                            true => number,
                            false => cell,
                        }))
                        .unwrap();
                    }
                    fs::write(&path, csv.into_inner().unwrap()).unwrap();
                    let errors = drawn(&folder);
                    drew += usize::from(errors.is_empty());
                    refused += usize::from(!errors.is_empty());
                    for error in errors {
                        assert!(
                            all.iter().any(|file| error.contains(file))
                                || error.contains("too large to draw"),
                            "{run} {file} {column} {number}: {error}"
                        );
                    }
                }
            }
            fs::write(&path, good).unwrap();
        }
        assert_eq!(drawn(&folder), Vec::<String>::new(), "{run}");
    }
    assert!(drew > 20 && refused > 50, "{drew} drawn, {refused} refused");
}

/// A quartile of a million ended the program in the rasteriser.
#[test]
fn a_quartile_of_a_million_is_named_with_file_and_line() {
    let lab = Lab::with(&[
        ("sweet_01.wav", "sweet_01.wav"),
        ("sour_01.wav", "sour_01.wav"),
    ]);
    lab.run(&["--out", "r"]);
    let stats = String::from_utf8(lab.read("r/stats.csv")).unwrap();
    let mut lines: Vec<String> = stats.lines().map(str::to_owned).collect();
    let q1 = lines[0].split(',').position(|name| name == "q1").unwrap();
    let mut cells: Vec<&str> = lines[1].split(',').collect();
    cells[q1] = "1e6";
    lines[1] = cells.join(",");
    lab.write("r/stats.csv", &(lines.join("\n") + "\n"));
    lab.harness(&["figures", "r"]).assert_fails(
        1,
        "cannot read r/stats.csv, line 2: 1e6 is not between -1e4 and 1e4; mend that line, or run the \
         experiment again with --fresh",
    );
}

#[test]
fn files_of_a_run_folder_are_regular_files_of_it() {
    let lab = Lab::with(&[("sweet_01.wav", "sweet_01.wav")]);
    lab.run(&["--out", "good"]);
    lab.run(&["--out", "r"]);
    fs::create_dir(lab.at("outside")).unwrap();
    let names = lab.files("r");
    let names = names.iter().filter(|name| !name.starts_with("audio/"));
    for (i, name) in names.enumerate() {
        let path = lab.at("r").join(name);
        let good = fs::read(&path).unwrap();
        // Each kind for some of the files.
        for kind in [["file", "device", "pipe"][i % 3], "device"] {
            fs::remove_file(&path).unwrap();
            fs::write(lab.at("outside/victim"), &good).unwrap();
            match kind {
                "file" => symlink(lab.at("outside/victim"), &path).unwrap(),
                "device" => symlink("/dev/zero", &path).unwrap(),
                _ => assert!(
                    Command::new("mkfifo")
                        .arg(&path)
                        .status()
                        .unwrap()
                        .success()
                ),
            }
            for command in [
                &["figures", "r"][..],
                &["report", "r"],
                &["diff", "good", "r"],
                &["nearest", "r", "sweet"],
            ] {
                let mut limited = Command::new("sh");
                // Memory for whoever reads without an end; ONNX Runtime takes addresses of its own.
                limited.current_dir(lab.at("")).arg("-c");
                limited.arg("ulimit -v 8000000; exec timeout 60 \"$0\" \"$@\"");
                limited.arg(env!("CARGO_BIN_EXE_harness")).args(command);
                let ran = crate::support::ran(&mut limited);
                assert!(
                    matches!(ran.code, Some(0..=2)) && !ran.stderr.contains("panicked"),
                    "{command:?} {name} {kind}: {:?} {}",
                    ran.code,
                    ran.stderr
                );
                assert_eq!(
                    lab.read("outside/victim"),
                    good,
                    "{command:?} {name} {kind}"
                );
                assert_eq!(lab.files("outside"), ["victim"]);
            }
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, good).unwrap();
    }
    for (name, command) in [
        ("manifest.json", "report"),
        ("scores.csv", "figures"),
        ("embeddings.csv", "diff"),
    ] {
        let path = lab.at("r").join(name);
        let good = fs::read(&path).unwrap();
        fs::write(lab.at("outside/victim"), &good).unwrap();
        fs::remove_file(&path).unwrap();
        symlink(lab.at("outside/victim"), &path).unwrap();
        let args: &[&str] = if command == "diff" {
            &["diff", "good", "r"]
        } else {
            &[command, "r"]
        };
        let ran = lab.harness(args);
        assert!(
            ran.code != Some(0)
                && ran
                    .stderr
                    .contains(&format!("r/{name} is a link out of its folder")),
            "{name}: {:?} {}",
            ran.code,
            ran.stderr
        );
        fs::remove_file(&path).unwrap();
        fs::write(&path, good).unwrap();
    }
}
