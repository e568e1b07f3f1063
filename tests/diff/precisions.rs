//! The same experiment in two precisions or on two providers: what is told of it, and arrays that are strange.

use serde_json::json;

use crate::support::{Runs, SCORES, npy, row};

const AUDIO: &str = "embeddings.npy";
const TEXT: &str = "text_embeddings.npy";

/// Two rows of one arm, with both arrays in both runs.
fn runs() -> Runs {
    let rows = row("1", 0.5, "sweet", "on") + &row("2", 0.25, "sour", "on");
    let runs = Runs::with(&rows, &rows);
    for run in ["a", "b"] {
        runs.write(
            &format!("{run}/{AUDIO}"),
            npy((2, 2), &[1.0, 0.0, 0.0, 1.0]),
        );
        runs.write(&format!("{run}/{TEXT}"), npy((2, 2), &[0.0, 1.0, 0.0, 1.0]));
    }
    runs
}

fn refused(runs: &Runs, message: &str) {
    runs.diff(&[]).assert_fails(2, message);
}

#[test]
fn provider_precision_and_device_are_settings_and_arms_are_told_apart() {
    let rows = |sour: f64, salty: f64| {
        let of = |arm: &str| {
            row("1", 0.5, "sweet", arm)
                + &row("2", sour, "sour", arm)
                + &row("3", salty, "salty", arm)
        };
        of("off") + &of("on").replace(&format!("{sour:.6}"), "0.400000")
    };
    let runs = Runs::with(&rows(0.25, 0.125), &rows(0.125, 0.25));
    for (run, provider, precision, device) in [
        ("a", "cpu", "fp32", json!(null)),
        ("b", "openvino", "bf16", json!(0)),
    ] {
        runs.manifest(run, |m| {
            m["runtime"] =
                json!({ "provider": provider, "precision": precision, "device": device });
        });
    }
    let ran = runs.says(
        &["--tolerance", "0.2"],
        0,
        &[
            "setting            A     B",
            "runtime.provider   cpu   openvino",
            "runtime.precision  fp32  bf16",
            "runtime.device     -     0",
            "tastes by mean score  A                     B                     swapped         Kendall tau-b",
            "off                   sweet > sour > salty  sweet > salty > sour  sour and salty         0.3333",
            "on                    sweet > sour > salty  the same              -                      1.0000",
        ],
    );
    assert!(!ran.stdout.contains("embeddings"), "{}", ran.stdout);
}

#[test]
fn arrays_stand_in_for_a_csv_that_is_gone() {
    let runs = runs();
    // 3-4-5: cosines 0.8 and 0.6 of the audio; the text of row 1 turns around.
    runs.write(&format!("b/{AUDIO}"), npy((2, 2), &[4.0, 3.0, 4.0, 3.0]));
    runs.write(&format!("b/{TEXT}"), npy((2, 2), &[0.0, -2.0, 0.0, 1.0]));
    let lines = [
        "cosine of the embeddings in A and B  lowest of        lowest         mean  n  the same",
        "on, audio                            2           0.600000000  0.700000000  2         0",
        "on, text                             1          -1.000000000  0.000000000  2         1",
    ];
    runs.says(&["--out", "rows.csv"], 0, &lines);
    let rows = runs.read("rows.csv");
    let cells: Vec<Vec<&str>> = rows.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        cells[0][7..],
        [
            "audio_distance",
            "text_distance",
            "audio_cosine",
            "text_cosine"
        ]
    );
    for (row, expected) in [(1, [0.2, 2.0, 0.8, -1.0]), (2, [0.4, 0.0, 0.6, 1.0])] {
        for (cell, expected) in cells[row][7..].iter().zip(expected) {
            let value: f64 = cell.parse().unwrap();
            assert!((value - expected).abs() < 1e-9, "{rows}");
        }
    }
    // One run's CSV against the other one's arrays: rows are found by arm and id, whatever their order.
    let csv = "prompt,audio_name,clap_score,audio_emb,text_emb,taste,arm,id\n\
        p,2.wav,0.25,\"[0,1]\",\"[0,1]\",sour,on,2\np,1.wav,0.5,\"[1,0]\",\"[0,1]\",sweet,on,1\n";
    runs.write("a/embeddings.csv", csv);
    runs.says(&[], 0, &lines);
}

#[test]
fn embeddings_of_one_run_only_are_told() {
    let runs = runs();
    let told = |line: &str| runs.says(&["--out", "rows.csv"], 0, &[line]);
    let remove = |file: &str| std::fs::remove_file(runs.at(file)).unwrap();
    remove(&format!("b/{TEXT}"));
    let ran = told(
        "on, audio                            -          1.000000000  1.000000000  2         2",
    );
    assert!(!ran.stdout.contains("on, text") && !ran.stdout.contains("no cosine"));
    assert!(
        runs.read("rows.csv")
            .contains("\non,1,sweet,both,0.5,0.5,0.0,0.0,,1.0,\n")
    );
    remove(&format!("b/{AUDIO}"));
    told("embeddings are not compared: B has neither embeddings.csv nor embeddings.npy");
    assert!(
        runs.read("rows.csv")
            .contains("\non,1,sweet,both,0.5,0.5,0.0,,,,\n")
    );
    remove(&format!("a/{TEXT}"));
    remove(&format!("a/{AUDIO}"));
    let ran = runs.says(&[], 0, &[]);
    assert!(!ran.stdout.contains("embeddings"), "{}", ran.stdout);
}

#[test]
fn values_that_are_no_numbers_and_other_widths_have_no_cosine() {
    let runs = runs();
    let told = "1 row with embeddings that have no cosine: of two lengths, zero, or not finite";
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        runs.write(&format!("b/{AUDIO}"), npy((2, 2), &[1.0, odd, 0.0, 1.0]));
        let audio =
            "on, audio                            -          1.000000000  1.000000000  1         1";
        runs.says(&["--out", "rows.csv"], 0, &[told, audio]);
        assert!(
            runs.read("rows.csv")
                .contains("\non,1,sweet,both,0.5,0.5,0.0,,0.0,,1.0\n")
        );
    }
    runs.write(&format!("b/{AUDIO}"), npy((2, 3), &[0.0; 6]));
    let ran = runs.says(&[], 0, &[&told.replace("1 row", "2 rows")]);
    assert!(!ran.stdout.contains("on, audio") && ran.stdout.contains("on, text"));
}

#[test]
fn arrays_of_other_rows_and_files_that_are_none() {
    let runs = runs();
    runs.write(&format!("b/{TEXT}"), npy((3, 2), &[0.0; 6]));
    refused(
        &runs,
        "cannot compare b/text_embeddings.npy: it has 3 rows, and scores.csv beside it has 2; run the experiment again, or \
         remove the file",
    );
    runs.write(&format!("b/{TEXT}"), npy((2, 2), &[0.0; 3]));
    refused(
        &runs,
        "cannot read b/text_embeddings.npy: its shape is (2, 2), and 12 bytes of values follow; run the experiment again, or \
         remove the file",
    );
    for nothing in ["", "id,embedding\n", "\u{7f}NUMPY"] {
        runs.write(&format!("b/{TEXT}"), nothing);
        refused(
            &runs,
            "cannot read b/text_embeddings.npy: it is no array of NumPy; run the experiment again, or remove the file",
        );
    }
    // A CSV that is there says more than the arrays, and is all that is read.
    let csv = "prompt,audio_name,clap_score,audio_emb,text_emb,taste,arm,id\n\
        p,1.wav,0.5,\"[1,0]\",\"[0,1]\",sweet,on,1\np,2.wav,0.25,\"[0,1]\",\"[0,1]\",sour,on,2\n";
    runs.write("b/embeddings.csv", csv);
    runs.says(
        &[],
        0,
        &["on, text                             -          1.000000000  1.000000000  2         2"],
    );
}

#[test]
fn an_arm_that_one_run_lacks_has_empty_cells() {
    let runs = runs();
    let three = row("1", 0.5, "sweet", "on")
        + &row("2", 0.25, "sour", "on")
        + &row("1", 0.5, "sweet", "off");
    runs.write("b/scores.csv", format!("{SCORES}{three}"));
    runs.write(
        &format!("b/{AUDIO}"),
        npy((3, 2), &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]),
    );
    runs.write(
        &format!("b/{TEXT}"),
        npy((3, 2), &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
    );
    runs.says(
        &["--tolerance", "1", "--out", "rows.csv"],
        1,
        &[
            "1 row only in B: 1 under off",
            "on, audio                            -          1.000000000  1.000000000  2         2",
        ],
    );
    assert!(
        runs.read("rows.csv")
            .ends_with("\noff,1,sweet,b,,0.5,,,,,\n")
    );
}
